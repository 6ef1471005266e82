package dev.caskwright.api.spi.io;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Objects;
import org.jspecify.annotations.Nullable;

/** A file that forwards every call to another one. A subclass overrides what it changes. */
public abstract class ForwardingReadableFile implements ReadableFile {
    private final ReadableFile delegate;

    /** Makes a file that forwards to {@code delegate}. */
    protected ForwardingReadableFile(ReadableFile delegate) {
        this.delegate = Objects.requireNonNull(delegate);
    }

    /** Returns the file that calls are forwarded to. */
    protected ReadableFile delegate() {
        return delegate;
    }

    /** Returns the file at the bottom of any number of forwarding ones. */
    public static ReadableFile unwrap(ReadableFile file) {
        ReadableFile unwrapped = file;
        while (unwrapped instanceof ForwardingReadableFile forwarding) {
            unwrapped = forwarding.delegate;
        }
        return unwrapped;
    }

    @Override
    public String name() {
        return delegate.name();
    }

    @Override
    public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
        return delegate.read(offset, target, targetOffset, length);
    }

    @Override
    public @Nullable ByteBuffer map(long offset, int length) throws IOException {
        return delegate.map(offset, length);
    }

    @Override
    public long length() throws IOException {
        return delegate.length();
    }

    @Override
    public boolean isMapped() {
        return delegate.isMapped();
    }

    @Override
    public void close() throws IOException {
        delegate.close();
    }

    @Override
    public int touch(long offset, int length) {
        return delegate.touch(offset, length);
    }
}
