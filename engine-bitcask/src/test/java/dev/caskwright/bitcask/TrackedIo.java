package dev.caskwright.bitcask;

import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.IoManagerFactory;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
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

    private final class Manager implements IoManager {
        private final IoManager io;
        private boolean isClosed;

        Manager(IoManager io) {
            this.io = io;
        }

        @Override
        public List<String> list() throws IOException {
            return io.list();
        }

        @Override
        public Lock lock(boolean exclusive) throws IOException {
            Lock lock = io.lock(exclusive);
            count(1);
            return () -> {
                lock.close();
                count(-1);
            };
        }

        @Override
        public WritableFile create(String name, long expectedLength) throws IOException {
            return opened(new Writable(io.create(name, expectedLength)));
        }

        @Override
        public WritableFile createSequential(String name, long expectedLength) throws IOException {
            sequential.add(name);
            return create(name, expectedLength);
        }

        @Override
        public WritableFile openWritable(String name) throws IOException {
            return opened(new Writable(io.openWritable(name)));
        }

        @Override
        public ReadableFile open(String name) throws IOException {
            return opened(new Readable<>(io.open(name)));
        }

        @Override
        public long length(String name) throws IOException {
            return io.length(name);
        }

        @Override
        public void rename(String from, String to) throws IOException {
            io.rename(from, to);
        }

        @Override
        public void delete(String name) throws IOException {
            io.delete(name);
        }

        @Override
        public void linkTo(IoManager target, String name) throws IOException {
            io.linkTo(((Manager) target).io, name);
        }

        @Override
        public void syncDirectory() throws IOException {
            io.syncDirectory();
        }

        @Override
        public long usableSpace() throws IOException {
            return io.usableSpace();
        }

        @Override
        public String describe() {
            return io.describe();
        }

        @Override
        public void close() throws IOException {
            io.close();
            if (!isClosed) {
                isClosed = true;
                count(-1);
            }
        }
    }

    private class Readable<F extends ReadableFile> implements ReadableFile {
        final F file;

        Readable(F file) {
            this.file = file;
        }

        @Override
        public String name() {
            return file.name();
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            return file.read(offset, target, targetOffset, length);
        }

        @Override
        public long length() throws IOException {
            return file.length();
        }

        @Override
        public boolean isMapped() {
            return file.isMapped();
        }

        @Override
        public void close() throws IOException {
            file.close();
            closed(this);
        }
    }

    private final class Writable extends Readable<WritableFile> implements WritableFile {
        Writable(WritableFile file) {
            super(file);
        }

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
            file.write(offset, source, sourceOffset, length);
        }

        @Override
        public void reserve(long length) throws IOException {
            file.reserve(length);
        }

        @Override
        public void force() throws IOException {
            file.force();
        }

        @Override
        public void truncate(long length) throws IOException {
            file.truncate(length);
        }
    }
}
