package dev.caskwright.testkit;

import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.PagedFile;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** An IO manager that forwards everything to another one, except that a {@link FaultPlan} lets some calls fail. */
public final class FaultyIoManager extends ForwardingIoManager {
    private final FaultPlan plan;

    FaultyIoManager(IoManager delegate, FaultPlan plan) {
        super(delegate);
        this.plan = plan;
    }

    @Override
    public List<String> list() throws IOException {
        return call(IoOperation.LIST, "", super::list);
    }

    @Override
    public Lock lock(boolean exclusive) throws IOException {
        return opening(IoOperation.LOCK, "", 0, () -> super.lock(exclusive));
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        return new FaultyFile(
                opening(IoOperation.CREATE, name, expectedLength, () -> super.create(name, expectedLength)));
    }

    @Override
    public WritableFile createSequential(String name, long expectedLength) throws IOException {
        return new FaultyFile(
                opening(IoOperation.CREATE, name, expectedLength, () -> super.createSequential(name, expectedLength)));
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        return new FaultyFile(opening(IoOperation.OPEN, name, 0, () -> super.openWritable(name)));
    }

    @Override
    public PagedFile openPaged(String name, boolean create) throws IOException {
        IoOperation operation = create ? IoOperation.CREATE : IoOperation.OPEN;
        return PagedFile.over(new FaultyFile(opening(operation, name, 0, () -> super.openPaged(name, create))));
    }

    @Override
    public ReadableFile openPagedReadOnly(String name) throws IOException {
        return new FaultyReadableFile(opening(IoOperation.OPEN, name, 0, () -> super.openPagedReadOnly(name)));
    }

    @Override
    public ReadableFile open(String name) throws IOException {
        return new FaultyReadableFile(opening(IoOperation.OPEN, name, 0, () -> super.open(name)));
    }

    @Override
    public long length(String name) throws IOException {
        return call(IoOperation.LENGTH, name, () -> super.length(name));
    }

    @Override
    public void rename(String from, String to) throws IOException {
        run(IoOperation.RENAME, from, plan.next(IoOperation.RENAME, from, to, 0, 0), () -> super.rename(from, to));
    }

    @Override
    public void delete(String name) throws IOException {
        run(IoOperation.DELETE, name, plan.next(IoOperation.DELETE, name, "", 0, 0), () -> super.delete(name));
    }

    @Override
    public void linkTo(IoManager target, String name) throws IOException {
        run(IoOperation.LINK, name, plan.next(IoOperation.LINK, name, "", 0, 0), () -> super.linkTo(target, name));
    }

    /** Reads and writes by calls that are counted, of both managers. */
    @Override
    public void copyTo(IoManager target, String name, long length, String newName) throws IOException {
        IoManager.copyByReading(this, target, name, length, newName);
    }

    @Override
    public void syncDirectory() throws IOException {
        run(IoOperation.SYNC_DIRECTORY, "", plan.next(IoOperation.SYNC_DIRECTORY, "", "", 0, 0), super::syncDirectory);
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
        if (fault.isAfterEffect()) {
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
        if (fault != null && fault.isAfterEffect()) {
            call.get().close();
            throw FaultPlan.error(fault, operation, name);
        }
        return call(operation, name, fault, call);
    }

    private int read(ReadableFile file, long offset, byte[] target, int targetOffset, int length) throws IOException {
        Fault fault = plan.next(IoOperation.READ, file.name(), "", offset, length);
        return call(IoOperation.READ, file.name(), fault, () -> file.read(offset, target, targetOffset, length));
    }

    private final class FaultyReadableFile extends ForwardingReadableFile {
        FaultyReadableFile(ReadableFile file) {
            super(file);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            return FaultyIoManager.this.read(delegate(), offset, target, targetOffset, length);
        }
    }

    private final class FaultyFile extends ForwardingWritableFile {
        FaultyFile(WritableFile file) {
            super(file);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            return FaultyIoManager.this.read(delegate(), offset, target, targetOffset, length);
        }

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
            Fault fault = plan.next(IoOperation.WRITE, name(), "", offset, length);
            if (fault == Fault.SHORT_WRITE || fault == Fault.SHORT_WRITE_OUT_OF_SPACE) {
                super.write(offset, source, sourceOffset, length / 2);
            }
            FaultyIoManager.run(
                    IoOperation.WRITE, name(), fault, () -> super.write(offset, source, sourceOffset, length));
        }

        @Override
        public void reserve(long length) throws IOException {
            FaultyIoManager.run(
                    IoOperation.RESERVE,
                    name(),
                    plan.next(IoOperation.RESERVE, name(), "", 0, length),
                    () -> super.reserve(length));
        }

        @Override
        public void force() throws IOException {
            Fault fault = plan.next(IoOperation.FORCE, name(), "", 0, 0);
            if (fault != null
                    && fault.isError()
                    && !fault.isAfterEffect()
                    && unwrap(this) instanceof SimulatedHandle disk) {
                // The simulated disk knows what a failed force does to the pages.
                disk.failForce();
            }
            FaultyIoManager.run(IoOperation.FORCE, name(), fault, super::force);
        }

        @Override
        public void endAccess() throws IOException {
            FaultyIoManager.run(
                    IoOperation.END_ACCESS,
                    name(),
                    plan.next(IoOperation.END_ACCESS, name(), "", 0, 0),
                    super::endAccess);
        }

        @Override
        public void truncate(long length) throws IOException {
            FaultyIoManager.run(
                    IoOperation.TRUNCATE,
                    name(),
                    plan.next(IoOperation.TRUNCATE, name(), "", 0, length),
                    () -> super.truncate(length));
        }
    }
}
