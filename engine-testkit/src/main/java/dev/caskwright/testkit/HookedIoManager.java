package dev.caskwright.testkit;

import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.ForwardingReadableFile;
import dev.caskwright.api.spi.io.ForwardingWritableFile;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.PagedFile;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.util.List;

/** An IO manager that shows each call to an {@link IoHook} before it forwards it. */
final class HookedIoManager extends ForwardingIoManager {
    private final IoHook hook;

    HookedIoManager(IoManager delegate, IoHook hook) {
        super(delegate);
        this.hook = hook;
    }

    private void before(IoOperation operation, String file) throws IOException {
        before(operation, file, "", 0, 0);
    }

    private void before(IoOperation operation, String file, String target, long offset, long length)
            throws IOException {
        hook.before(new IoCall(0, operation, file, target, offset, length));
    }

    @Override
    public List<String> list() throws IOException {
        before(IoOperation.LIST, "");
        return super.list();
    }

    @Override
    public Lock lock(boolean exclusive) throws IOException {
        before(IoOperation.LOCK, "");
        return super.lock(exclusive);
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        before(IoOperation.CREATE, name, "", 0, expectedLength);
        return new HookedWritableFile(super.create(name, expectedLength));
    }

    @Override
    public WritableFile createSequential(String name, long expectedLength) throws IOException {
        before(IoOperation.CREATE, name, "", 0, expectedLength);
        return new HookedWritableFile(super.createSequential(name, expectedLength));
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        before(IoOperation.OPEN, name);
        return new HookedWritableFile(super.openWritable(name));
    }

    @Override
    public PagedFile openPaged(String name, boolean create) throws IOException {
        // Not the one of the manager below: its calls would not be shown.
        boolean isThere = !create || list().contains(name);
        return PagedFile.over(isThere ? openWritable(name) : create(name, 0));
    }

    @Override
    public ReadableFile openPagedReadOnly(String name) throws IOException {
        return open(name);
    }

    @Override
    public ReadableFile open(String name) throws IOException {
        before(IoOperation.OPEN, name);
        return new HookedReadableFile(super.open(name));
    }

    @Override
    public long length(String name) throws IOException {
        before(IoOperation.LENGTH, name);
        return super.length(name);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        before(IoOperation.RENAME, from, to, 0, 0);
        super.rename(from, to);
    }

    @Override
    public void delete(String name) throws IOException {
        before(IoOperation.DELETE, name);
        super.delete(name);
    }

    @Override
    public void linkTo(IoManager target, String name) throws IOException {
        before(IoOperation.LINK, name);
        super.linkTo(target, name);
    }

    @Override
    public void syncDirectory() throws IOException {
        before(IoOperation.SYNC_DIRECTORY, "");
        super.syncDirectory();
    }

    private final class HookedReadableFile extends ForwardingReadableFile {
        HookedReadableFile(ReadableFile file) {
            super(file);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            before(IoOperation.READ, name(), "", offset, length);
            return super.read(offset, target, targetOffset, length);
        }
    }

    private final class HookedWritableFile extends ForwardingWritableFile {
        HookedWritableFile(WritableFile file) {
            super(file);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            before(IoOperation.READ, name(), "", offset, length);
            return super.read(offset, target, targetOffset, length);
        }

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
            before(IoOperation.WRITE, name(), "", offset, length);
            super.write(offset, source, sourceOffset, length);
        }

        @Override
        public void reserve(long length) throws IOException {
            before(IoOperation.RESERVE, name(), "", 0, length);
            super.reserve(length);
        }

        @Override
        public void force() throws IOException {
            before(IoOperation.FORCE, name());
            super.force();
        }

        @Override
        public void endAccess() throws IOException {
            before(IoOperation.END_ACCESS, name());
            super.endAccess();
        }

        @Override
        public void truncate(long length) throws IOException {
            before(IoOperation.TRUNCATE, name(), "", 0, length);
            super.truncate(length);
        }
    }
}
