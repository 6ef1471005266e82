package dev.caskwright.api.spi.io;

import java.io.IOException;
import java.util.List;
import java.util.Objects;

/**
 * An IO manager that forwards every call to another one, those with a default implementation included. A subclass
 * overrides what it changes.
 */
public abstract class ForwardingIoManager implements IoManager {
    private final IoManager delegate;

    /** Makes a manager that forwards to {@code delegate}. */
    protected ForwardingIoManager(IoManager delegate) {
        this.delegate = Objects.requireNonNull(delegate);
    }

    /** Returns the manager that calls are forwarded to. */
    protected final IoManager delegate() {
        return delegate;
    }

    /**
     * Returns the manager at the bottom of any number of forwarding ones. A manager that links files needs it: it can link
     * only to a target of its own kind.
     */
    public static IoManager unwrap(IoManager manager) {
        IoManager unwrapped = manager;
        while (unwrapped instanceof ForwardingIoManager forwarding) {
            unwrapped = forwarding.delegate;
        }
        return unwrapped;
    }

    @Override
    public List<String> list() throws IOException {
        return delegate.list();
    }

    @Override
    public List<String> listObstacles() throws IOException {
        return delegate.listObstacles();
    }

    @Override
    public Lock lock(boolean exclusive) throws IOException {
        return delegate.lock(exclusive);
    }

    @Override
    public WritableFile create(String name, long expectedLength) throws IOException {
        return delegate.create(name, expectedLength);
    }

    @Override
    public WritableFile createSequential(String name, long expectedLength) throws IOException {
        return delegate.createSequential(name, expectedLength);
    }

    @Override
    public WritableFile openWritable(String name) throws IOException {
        return delegate.openWritable(name);
    }

    @Override
    public PagedFile openPaged(String name, boolean create) throws IOException {
        return delegate.openPaged(name, create);
    }

    @Override
    public ReadableFile openPagedReadOnly(String name) throws IOException {
        return delegate.openPagedReadOnly(name);
    }

    @Override
    public Lock lockFile(String name, boolean exclusive) throws IOException {
        return delegate.lockFile(name, exclusive);
    }

    @Override
    public ReadableFile open(String name) throws IOException {
        return delegate.open(name);
    }

    @Override
    public long length(String name) throws IOException {
        return delegate.length(name);
    }

    @Override
    public void rename(String from, String to) throws IOException {
        delegate.rename(from, to);
    }

    @Override
    public void delete(String name) throws IOException {
        delegate.delete(name);
    }

    /** Links to the manager at the bottom of {@code target}: what wrappers of the target change, the link does not meet. */
    @Override
    public void linkTo(IoManager target, String name) throws IOException {
        delegate.linkTo(unwrap(target), name);
    }

    /** Copies to the manager at the bottom of {@code target}: what wrappers of the target change, the copy does not meet. */
    @Override
    public void copyTo(IoManager target, String name, long length, String newName) throws IOException {
        delegate.copyTo(unwrap(target), name, length, newName);
    }

    @Override
    public void syncDirectory() throws IOException {
        delegate.syncDirectory();
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
}
