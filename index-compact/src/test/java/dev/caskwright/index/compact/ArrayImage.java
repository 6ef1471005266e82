package dev.caskwright.index.compact;

import dev.caskwright.api.spi.index.PersistentKeyIndex.Image;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;

/** An image in memory. */
final class ArrayImage implements Image {
    private final byte[] bytes;
    /** The bytes from here on, and to there, cannot be read. */
    private int badFrom;

    private int badTo;
    boolean isClosed;
    int openSources;
    /** How often a source was opened. */
    int sources;

    ArrayImage(byte[] bytes) {
        this.bytes = bytes;
    }

    ArrayImage failingBetween(int from, int to) {
        badFrom = from;
        badTo = to;
        return this;
    }

    @Override
    public long length() {
        return bytes.length;
    }

    @Override
    public ImageSource source(long from, long length) throws IOException {
        if (isClosed || from < 0 || length < 0 || from + length > bytes.length) {
            throw new EOFException("from=" + from + ", length=" + length);
        }
        ByteBuffer part = ByteBuffer.wrap(bytes, (int) from, (int) length);
        sources++;
        openSources++;
        return new ImageSource() {
            @Override
            public long remaining() {
                return part.remaining();
            }

            @Override
            public void read(byte[] target, int offset, int count) throws IOException {
                if (count > part.remaining()) {
                    throw new EOFException("count=" + count);
                }
                if (part.position() < badTo && part.position() + count > badFrom) {
                    throw new IOException("planned");
                }
                part.get(target, offset, count);
            }

            @Override
            public void close() {
                openSources--;
            }
        };
    }

    @Override
    public void close() {
        isClosed = true;
    }
}
