package dev.caskwright.bitcask;

import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Knows which handles are open, which files were to be written in one go, and lets closing fail. */
final class TrackedIo {
    /** The names of the files that were created to be written from start to end. */
    final Set<String> sequential = new TreeSet<>();

    /** The file of which closing fails, once it is closed. */
    final AtomicReference<@Nullable String> failing = new AtomicReference<>();

    private final List<ReadableFile> open = new ArrayList<>();
    private int managers;

    /** Returns the names of the files of which handles are open, as often as there are. */
    synchronized List<String> open() {
        return open.stream().map(ReadableFile::name).sorted().toList();
    }

    /** Returns how many managers and locks are open. */
    synchronized int managers() {
        return managers;
    }

    private synchronized <F extends ReadableFile> F opened(F file) {
        open.add(file);
        return file;
    }

    private synchronized void closed(ReadableFile file) throws IOException {
        open.remove(file);
        if (file.name().equals(failing.get())) {
            throw new IOException("planted: closing " + file.name());
        }
    }

    private synchronized void count(int change) {
        managers += change;
    }

    IoManagerFactory wrap(IoManagerFactory factory) {
        return (directory, create) -> {
            IoManager manager = new Manager(factory.open(directory, create));
            count(1);
            return manager;
        };
    }

    private final class Manager extends ForwardingIoManager {
        private boolean isClosed;

        Manager(IoManager io) {
            super(io);
        }

        @Override
        public Lock lock(boolean exclusive) throws IOException {
            Lock lock = super.lock(exclusive);
            count(1);
            return () -> {
                lock.close();
                count(-1);
            };
        }

        @Override
        public WritableFile create(String name, long expectedLength) throws IOException {
            return opened(new TrackedWritableFile(super.create(name, expectedLength)));
        }

        @Override
        public WritableFile createSequential(String name, long expectedLength) throws IOException {
            sequential.add(name);
            return opened(new TrackedWritableFile(super.createSequential(name, expectedLength)));
        }

        @Override
        public WritableFile openWritable(String name) throws IOException {
            return opened(new TrackedWritableFile(super.openWritable(name)));
        }

        @Override
        public ReadableFile open(String name) throws IOException {
            return opened(new TrackedReadableFile(super.open(name)));
        }

        @Override
        public void close() throws IOException {
            super.close();
            if (!isClosed) {
                isClosed = true;
                count(-1);
            }
        }
    }

    private final class TrackedReadableFile extends ForwardingReadableFile {
        TrackedReadableFile(ReadableFile file) {
            super(file);
        }

        @Override
        public void close() throws IOException {
            super.close();
            closed(this);
        }
    }

    private final class TrackedWritableFile extends ForwardingWritableFile {
        TrackedWritableFile(WritableFile file) {
            super(file);
        }

        @Override
        public void close() throws IOException {
            super.close();
            closed(this);
        }
    }
}
