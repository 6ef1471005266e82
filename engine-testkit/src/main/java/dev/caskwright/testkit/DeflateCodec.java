package dev.caskwright.testkit;

import dev.caskwright.api.spi.codec.ValueCodec;
import java.util.zip.DataFormatException;
import java.util.zip.Deflater;
import java.util.zip.Inflater;

/**
 * A codec on the JDK's own Deflate, with dictionaries, for tests of engines: it needs no library. It is not found by its name,
 * so a store that is opened without it misses it. Each call makes an {@link Inflater} or {@link Deflater}, which is too dear for
 * other uses.
 */
public class DeflateCodec implements ValueCodec {
    private static final long MOST_FROM_A_BYTE = 1_032;

    private final byte[] dictionary;

    /** Makes the codec without a dictionary. */
    public DeflateCodec() {
        this(new byte[0]);
    }

    private DeflateCodec(byte[] dictionary) {
        this.dictionary = dictionary;
    }

    @Override
    public String name() {
        return "deflate";
    }

    @Override
    public int id() {
        return 200;
    }

    @Override
    public int maxEncodedLength(int length) {
        return length + (length >>> 8) + 64;
    }

    @Override
    public int encode(byte[] source, int offset, int length, byte[] target, int targetOffset) {
        Deflater deflater = new Deflater(Deflater.BEST_SPEED);
        try {
            if (dictionary.length > 0) {
                deflater.setDictionary(dictionary);
            }
            deflater.setInput(source, offset, length);
            deflater.finish();
            int written = deflater.deflate(target, targetOffset, maxEncodedLength(length));
            if (!deflater.finished()) {
                throw new IllegalStateException("no room: length=" + length + ", written=" + written);
            }
            return written;
        } finally {
            deflater.end();
        }
    }

    @Override
    public void decode(byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
        Inflater inflater = new Inflater();
        try {
            inflater.setInput(source, offset, length);
            int decoded = inflater.inflate(target, targetOffset, targetLength);
            if (inflater.needsDictionary() && dictionary.length > 0) {
                inflater.setDictionary(dictionary);
                decoded = inflater.inflate(target, targetOffset, targetLength);
            }
            boolean isWhole = decoded == targetLength
                    && (inflater.finished() || inflater.inflate(new byte[1]) == 0 && inflater.finished());
            if (!isWhole || inflater.getRemaining() > 0) {
                throw new IllegalArgumentException("wrong length: expected=" + targetLength + ", found=" + decoded);
            }
        } catch (DataFormatException e) {
            throw new IllegalArgumentException("not deflated: " + e.getMessage(), e);
        } finally {
            inflater.end();
        }
    }

    @Override
    public long maxDecodedLength(int encodedLength) {
        return MOST_FROM_A_BYTE * encodedLength;
    }

    @Override
    public byte[] dictionary() {
        return dictionary.clone();
    }

    @Override
    public ValueCodec withDictionary(byte[] given) {
        if (given.length == 0) {
            throw new IllegalArgumentException("an empty dictionary");
        }
        return new DeflateCodec(given.clone());
    }
}
