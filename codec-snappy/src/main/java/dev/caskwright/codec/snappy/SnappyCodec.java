package dev.caskwright.codec.snappy;

import dev.caskwright.api.spi.codec.ValueCodec;
import java.io.IOException;
import org.xerial.snappy.Snappy;

/**
 * Stores values as raw Snappy blocks, by the library snappy-java: about as LZ4 does, for who has Snappy already.
 *
 * <p>The library loads native code when it is first needed. <b>Threads.</b> Any.
 */
public final class SnappyCodec implements ValueCodec {
    /** A copy of up to 64 bytes takes two bytes at least. */
    private static final long MOST_FROM_TWO_BYTES = 64;

    /** Makes the codec; all are alike. */
    public SnappyCodec() {}

    @Override
    public String name() {
        return "snappy";
    }

    @Override
    public int id() {
        return 3;
    }

    @Override
    public int maxEncodedLength(int length) {
        return Snappy.maxCompressedLength(length);
    }

    @Override
    public int encode(byte[] source, int offset, int length, byte[] target, int targetOffset) {
        try {
            return Snappy.compress(source, offset, length, target, targetOffset);
        } catch (IOException e) {
            throw new IllegalStateException("snappy failed: " + e.getMessage(), e);
        }
    }

    @Override
    public void decode(byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
        try {
            // The block says how long it is: that is compared before anything is written.
            int told = Snappy.uncompressedLength(source, offset, length);
            if (told != targetLength) {
                throw new IllegalArgumentException("wrong length: expected=" + targetLength + ", found=" + told);
            }
            Snappy.uncompress(source, offset, length, target, targetOffset);
        } catch (IOException e) {
            throw new IllegalArgumentException("no sound block: " + e.getMessage(), e);
        }
    }

    @Override
    public long maxDecodedLength(int encodedLength) {
        return MOST_FROM_TWO_BYTES * encodedLength / 2;
    }
}
