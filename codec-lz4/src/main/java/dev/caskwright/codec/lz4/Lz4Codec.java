package dev.caskwright.codec.lz4;

import dev.caskwright.api.spi.codec.ValueCodec;
import net.jpountz.lz4.LZ4Compressor;
import net.jpountz.lz4.LZ4Factory;
import net.jpountz.lz4.LZ4SafeDecompressor;

/**
 * Stores values as LZ4 blocks, by the library lz4-java: fast to write and fastest to read, for values from some hundred
 * bytes on that repeat themselves.
 *
 * <p><b>Threads.</b> Any.
 */
public final class Lz4Codec implements ValueCodec {
    /** No byte of a block stands for more bytes than this: a run is told by bytes of 255 each. */
    private static final long MOST_FROM_A_BYTE = 255;

    private static final LZ4Compressor COMPRESSOR = LZ4Factory.fastestInstance().fastCompressor();
    private static final LZ4SafeDecompressor DECOMPRESSOR =
            LZ4Factory.fastestInstance().safeDecompressor();

    /** Makes the codec; all are alike. */
    public Lz4Codec() {}

    @Override
    public String name() {
        return "lz4";
    }

    @Override
    public int id() {
        return 1;
    }

    @Override
    public int maxEncodedLength(int length) {
        return COMPRESSOR.maxCompressedLength(length);
    }

    @Override
    public int encode(byte[] source, int offset, int length, byte[] target, int targetOffset) {
        return COMPRESSOR.compress(source, offset, length, target, targetOffset, maxEncodedLength(length));
    }

    @Override
    public void decode(byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
        int decoded = DECOMPRESSOR.decompress(source, offset, length, target, targetOffset, targetLength);
        if (decoded != targetLength) {
            throw new IllegalArgumentException("wrong length: expected=" + targetLength + ", found=" + decoded);
        }
    }

    @Override
    public long maxDecodedLength(int encodedLength) {
        return MOST_FROM_A_BYTE * encodedLength;
    }
}
