package dev.caskwright.fuzz;

import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.EOFException;

/** The bytes of an image that the fuzzer made, with no checksums around them. For one thread. */
public final class FuzzedSource implements ImageSource {
    private final byte[] bytes;
    private int position;

    /** Gives the bytes from an offset to their end. */
    public FuzzedSource(byte[] bytes, int offset) {
        this.bytes = bytes;
        this.position = offset;
    }

    /** Returns where the next byte lies in the array. */
    public int position() {
        return position;
    }

    @Override
    public long remaining() {
        return bytes.length - position;
    }

    @Override
    public void read(byte[] target, int offset, int length) throws EOFException {
        if (length > remaining()) {
            throw new EOFException("wanted=" + length + ", left=" + remaining());
        }
        System.arraycopy(bytes, position, target, offset, length);
        position += length;
    }

    @Override
    public void close() {}
}
