package dev.caskwright.testkit;

import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An IO manager that forwards everything to another one, except that a {@link FaultPlan} lets some calls fail. */
public final class FaultyIoManager implements IoManager {
    private final IoManager delegate;
    private final FaultPlan plan;

    FaultyIoManager(IoManager delegate, FaultPlan plan) {
        this.delegate = delegate;
        this.plan = plan;
    }

    static IoManager unwrap(IoManager manager) {
        IoManager unwrapped = manager;
        while (unwrapped instanceof FaultyIoManager faulty) {
            unwrapped = faulty.delegate;
        }
        return unwrapped;
    }

    @Override
    public List<String> list() throws IOException {
        return call(IoOperation.LIST, "", delegate::list);
    }

    @Override
    public Lock lock(boolean exclusive) throws IOException {
        return opening(IoOperation.LOCK, "", 0, () -> delegate.lock(exclusive));
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        return new FaultyFile(
                opening(IoOperation.CREATE, name, expectedLength, () -> delegate.create(name, expectedLength)));
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        return new FaultyFile(opening(IoOperation.OPEN, name, 0, () -> delegate.openWritable(name)));
    }

    @Override
    public ReadableFile open(String name) throws IOException {
        return new FaultyReadableFile(opening(IoOperation.OPEN, name, 0, () -> delegate.open(name)));
    }

    @Override
    public long length(String name) throws IOException {
        return call(IoOperation.LENGTH, name, () -> delegate.length(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        run(IoOperation.RENAME, from, plan.next(IoOperation.RENAME, from, to, 0, 0), () -> delegate.rename(from, to));
    }

    @Override
    public void delete(String name) throws IOException {
        run(IoOperation.DELETE, name, plan.next(IoOperation.DELETE, name, "", 0, 0), () -> delegate.delete(name));
    }

    @Override
    public void linkTo(IoManager target, String name) throws IOException {
        run(
                IoOperation.LINK,
                name,
                plan.next(IoOperation.LINK, name, "", 0, 0),
                () -> delegate.linkTo(unwrap(target), name));
    }

    @Override
    public void syncDirectory() throws IOException {
        run(
                IoOperation.SYNC_DIRECTORY,
                "",
                plan.next(IoOperation.SYNC_DIRECTORY, "", "", 0, 0),
                delegate::syncDirectory);
    }

    @Override
    public long usableSpace() throws IOException {
        return delegate.usableSpace();
    }

    @Override
    public String describe() {
        return delegate.describe();
    }

    @Override
    public void close() throws IOException {
        delegate.close();
    }

    private interface Action {
        void run() throws IOException;
    }

    private interface Call<T> {
        T get() throws IOException;
    }

    private <T> T call(IoOperation operation, String name, Call<T> call) throws IOException {
        return call(operation, name, plan.next(operation, name, "", 0, 0), call);
    }

    private static <T> T call(IoOperation operation, String name, @Nullable Fault fault, Call<T> call)
            throws IOException {
        if (fault == null) {
            return call.get();
        }
        if (fault == Fault.INTERRUPT) {
            Thread.currentThread().interrupt();
            return call.get();
        }
        if (fault == Fault.ERROR_AFTER_EFFECT) {
            call.get();
        }
        throw FaultPlan.error(fault, operation, name);
    }

    private static void run(IoOperation operation, String name, @Nullable Fault fault, Action action)
            throws IOException {
        FaultyIoManager.<Object>call(operation, name, fault, () -> {
            action.run();
            return name;
        });
    }

    /** Makes a call that opens something, which is closed again if the call fails after all. */
    private <T extends Closeable> T opening(IoOperation operation, String name, long length, Call<T> call)
            throws IOException {
        Fault fault = plan.next(operation, name, "", 0, length);
        if (fault == Fault.ERROR_AFTER_EFFECT) {
            call.get().close();
            throw FaultPlan.error(fault, operation, name);
        }
        return call(operation, name, fault, call);
    }

    private class FaultyReadableFile implements ReadableFile {
        private final ReadableFile file;

        FaultyReadableFile(ReadableFile file) {
            this.file = file;
        }

        @Override
        public String name() {
            return file.name();
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            return call(
                    IoOperation.READ,
                    name(),
                    plan.next(IoOperation.READ, name(), "", offset, length),
                    () -> file.read(offset, target, targetOffset, length));
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
        }
    }

    private final class FaultyFile extends FaultyReadableFile implements WritableFile {
        private final WritableFile file;

        FaultyFile(WritableFile file) {
            super(file);
            this.file = file;
        }

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
            Fault fault = plan.next(IoOperation.WRITE, name(), "", offset, length);
            if (fault == Fault.SHORT_WRITE || fault == Fault.SHORT_WRITE_OUT_OF_SPACE) {
                file.write(offset, source, sourceOffset, length / 2);
            }
            FaultyIoManager.run(
                    IoOperation.WRITE, name(), fault, () -> file.write(offset, source, sourceOffset, length));
        }

        @Override
        public void reserve(long length) throws IOException {
            FaultyIoManager.run(
                    IoOperation.RESERVE,
                    name(),
                    plan.next(IoOperation.RESERVE, name(), "", 0, length),
                    () -> file.reserve(length));
        }

        @Override
        public void force() throws IOException {
            Fault fault = plan.next(IoOperation.FORCE, name(), "", 0, 0);
            if (fault != null
                    && fault != Fault.INTERRUPT
                    && fault != Fault.ERROR_AFTER_EFFECT
                    && file instanceof SimulatedHandle handle) {
                // The simulated disk knows what a failed force does to the pages.
                throw handle.failForce(FaultPlan.error(fault, IoOperation.FORCE, name()));
            }
            FaultyIoManager.run(IoOperation.FORCE, name(), fault, file::force);
        }

        @Override
        public void truncate(long length) throws IOException {
            FaultyIoManager.run(
                    IoOperation.TRUNCATE,
                    name(),
                    plan.next(IoOperation.TRUNCATE, name(), "", 0, length),
                    () -> file.truncate(length));
        }
    }
}
