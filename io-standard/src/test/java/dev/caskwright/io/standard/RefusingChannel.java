package dev.caskwright.io.standard;

import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.MappedByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.channels.ReadableByteChannel;
import java.nio.channels.WritableByteChannel;

/** A channel that writes a part only, or refuses, when it is told to, as a disk without room does. */
final class RefusingChannel extends FileChannel {
    /** Returns how many bytes of a write are written before it is refused, or -1 if all of it is written. */
    @FunctionalInterface
    interface Refusals {
        int written(long offset, int length);
    }

    private final FileChannel channel;
    private final Refusals refusals;

    RefusingChannel(FileChannel channel, Refusals refusals) {
        this.channel = channel;
        this.refusals = refusals;
    }

    @Override
    public int write(ByteBuffer source, long position) throws IOException {
        int written = refusals.written(position, source.remaining());
        if (written < 0) {
            return channel.write(source, position);
        }
        if (written > 0) {
            int limit = source.limit();
            source.limit(source.position() + written);
            channel.write(source, position);
            source.limit(limit);
        }
        throw new IOException("No space left on device");
    }

    @Override
    public int read(ByteBuffer target, long position) throws IOException {
        return channel.read(target, position);
    }

    @Override
    public FileChannel truncate(long size) throws IOException {
        channel.truncate(size);
        return this;
    }

    @Override
    public void force(boolean metaData) throws IOException {
        channel.force(metaData);
    }

    @Override
    public long size() throws IOException {
        return channel.size();
    }

    @Override
    protected void implCloseChannel() throws IOException {
        channel.close();
    }

    @Override
    public MappedByteBuffer map(MapMode mode, long position, long size) throws IOException {
        return channel.map(mode, position, size);
    }

    // What files do not call.

    @Override
    public int read(ByteBuffer target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long read(ByteBuffer[] targets, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public int write(ByteBuffer source) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long write(ByteBuffer[] sources, int offset, int length) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long position() {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileChannel position(long newPosition) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long transferTo(long position, long count, WritableByteChannel target) {
        throw new UnsupportedOperationException();
    }

    @Override
    public long transferFrom(ReadableByteChannel source, long position, long count) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock lock(long position, long size, boolean shared) {
        throw new UnsupportedOperationException();
    }

    @Override
    public FileLock tryLock(long position, long size, boolean shared) {
        throw new UnsupportedOperationException();
    }
}
