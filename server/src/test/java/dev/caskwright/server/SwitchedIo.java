package dev.caskwright.server;

import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.util.function.BooleanSupplier;

/** An IO manager whose forces fail whenever a test wants them to. */
final class SwitchedIo extends ForwardingIoManager {
    private final BooleanSupplier fails;

    SwitchedIo(IoManager manager, BooleanSupplier fails) {
        super(manager);
        this.fails = fails;
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        return new SwitchedFile(super.create(name, expectedLength));
    }

    @Override
    public WritableFile createSequential(String name, long expectedLength) throws IOException {
        return new SwitchedFile(super.createSequential(name, expectedLength));
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        return new SwitchedFile(super.openWritable(name));
    }

    private final class SwitchedFile extends ForwardingWritableFile {
        SwitchedFile(WritableFile file) {
            super(file);
        }

        @Override
        public void force() throws IOException {
            if (fails.getAsBoolean()) {
                throw new IOException("no force today");
            }
            super.force();
        }
    }
}
