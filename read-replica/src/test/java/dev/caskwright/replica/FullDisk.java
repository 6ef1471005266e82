package dev.caskwright.replica;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.util.concurrent.atomic.AtomicInteger;

/** A disk on which, from some time to another, there is no room. */
final class FullDisk {
    private static final int ENOUGH = Integer.MAX_VALUE;

    private final AtomicInteger room = new AtomicInteger(ENOUGH);

    /** Has room for so many writes and new files, and no more. */
    void fillAfter(int calls) {
        room.set(calls);
    }

    /** Has room again. */
    void free() {
        room.set(ENOUGH);
    }

    IoManager open(Path directory, boolean create) throws IOException {
        return new ForwardingIoManager(StandardIoManager.open(directory, create)) {
            @Override
            public WritableFile create(String name, long expectedLength) throws IOException {
                takeRoom(name);
                return limited(super.create(name, expectedLength));
            }

            @Override
            public WritableFile createSequential(String name, long expectedLength) throws IOException {
                takeRoom(name);
                return limited(super.createSequential(name, expectedLength));
            }
        };
    }

    private WritableFile limited(WritableFile file) {
        return new ForwardingWritableFile(file) {
            @Override
            public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
                takeRoom(name());
                super.write(offset, source, sourceOffset, length);
            }
        };
    }

    private void takeRoom(String name) throws OutOfSpaceException {
        if (room.get() != ENOUGH && room.getAndDecrement() <= 0) {
            throw new OutOfSpaceException("no space left on the device: file=" + name, null);
        }
    }
}
