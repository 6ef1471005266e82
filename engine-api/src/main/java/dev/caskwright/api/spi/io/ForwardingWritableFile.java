package dev.caskwright.api.spi.io;

import java.io.IOException;

/** A file open for writing that forwards every call to another one. A subclass overrides what it changes. */
public abstract class ForwardingWritableFile extends ForwardingReadableFile implements WritableFile {
    private final WritableFile delegate;

    /** Makes a file that forwards to {@code delegate}. */
    protected ForwardingWritableFile(WritableFile delegate) {
        super(delegate);
        this.delegate = delegate;
    }

    @Override
    protected WritableFile delegate() {
        return delegate;
    }

    @Override
    public void write(long offset, byte[] source, int sourceOffset, int length) throws IOException {
        delegate.write(offset, source, sourceOffset, length);
    }

    @Override
    public void reserve(long length) throws IOException {
        delegate.reserve(length);
    }

    @Override
    public void force() throws IOException {
        delegate.force();
    }

    @Override
    public void endAccess() throws IOException {
        delegate.endAccess();
    }

    @Override
    public void truncate(long length) throws IOException {
        delegate.truncate(length);
    }
}
