package dev.caskwright.codec.zstd;

import com.github.luben.zstd.ZstdDictCompress;
import com.github.luben.zstd.ZstdDictDecompress;
import com.github.luben.zstd.ZstdDictTrainer;
import dev.caskwright.api.spi.codec.ValueCodec;
import java.util.Collection;
import org.jspecify.annotations.Nullable;

/**
 * Stores values as Zstandard frames, by the library zstd-jni: shorter than LZ4, and slower to write and read. With a dictionary
 * it shortens small values, too, if they are alike: JSON documents of one kind, say.
 *
 * <pre>{@code
 * byte[] dictionary = ZstdCodec.train(samples, 64 << 10); // some thousand values, as they will be stored
 * BitcaskEngine.builder(directory).codec(new ZstdCodec().withDictionary(dictionary)).open();
 * }</pre>
 *
 * <p>The store keeps the dictionary: from then on {@code new ZstdCodec()}, or the name {@code zstd}, is enough.
 *
 * <p>The library loads native code when it is first needed, and keeps up to 64 contexts of some hundred KiB of native memory for the
 * whole process. <b>Threads.</b> Any.
 */
public final class ZstdCodec implements ValueCodec {
    /** The level of compression unless another one is asked for. */
    public static final int DEFAULT_LEVEL = 3;

    private static final int LEAST_LEVEL = -7;
    private static final int GREATEST_LEVEL = 19;
    private static final int SHORTEST_DICTIONARY = 1 << 10;
    private static final int LEAST_SAMPLES = 10;

    /** A frame is a row of blocks of up to 128 KiB each, and a block that stands for any byte takes four bytes at least. */
    private static final long MOST_FROM_A_BLOCK = 128 << 10;

    private static final int SHORTEST_BLOCK = 4;

    private final int level;
    private final byte[] dictionary;
    private final @Nullable ZstdDictCompress forEncoding;
    private final @Nullable ZstdDictDecompress forDecoding;

    /** Makes the codec at level {@value #DEFAULT_LEVEL}, without a dictionary. */
    public ZstdCodec() {
        this(DEFAULT_LEVEL);
    }

    /**
     * Makes the codec at a level, without a dictionary. The level is a matter of writes alone.
     *
     * @param level -7, the fastest, to 19, which makes values shortest
     */
    public ZstdCodec(int level) {
        this(level, new byte[0]);
    }

    private ZstdCodec(int level, byte[] dictionary) {
        if (level < LEAST_LEVEL || level > GREATEST_LEVEL) {
            throw new IllegalArgumentException(
                    "level out of range: level=" + level + ", allowed=" + LEAST_LEVEL + ".." + GREATEST_LEVEL);
        }
        this.level = level;
        this.dictionary = dictionary;
        boolean hasDictionary = dictionary.length > 0;
        this.forEncoding = hasDictionary ? new ZstdDictCompress(dictionary, level) : null;
        this.forDecoding = hasDictionary ? new ZstdDictDecompress(dictionary) : null;
    }

    /**
     * Makes a dictionary of values that are like those to be stored: what they have in common. Some thousand of them, together
     * about a hundred times as long as the dictionary, make a good one.
     *
     * @param maxLength of the dictionary in bytes, 1 KiB to {@value ValueCodec#MAX_DICTIONARY_LENGTH}; 16 to 64 KiB are usual
     * @throws IllegalArgumentException if the values are too few or too short to learn from
     */
    public static byte[] train(Collection<byte[]> samples, int maxLength) {
        if (maxLength < SHORTEST_DICTIONARY || maxLength > MAX_DICTIONARY_LENGTH) {
            throw new IllegalArgumentException("maxLength out of range: " + maxLength + ", allowed="
                    + SHORTEST_DICTIONARY + ".." + MAX_DICTIONARY_LENGTH);
        }
        long bytes = 0;
        for (byte[] sample : samples) {
            bytes += sample.length;
        }
        if (samples.size() < LEAST_SAMPLES || bytes > Integer.MAX_VALUE) {
            throw new IllegalArgumentException("too few samples, or too many: count=" + samples.size() + ", at least="
                    + LEAST_SAMPLES + ", bytes=" + bytes + ", at most=" + Integer.MAX_VALUE);
        }
        ZstdDictTrainer trainer = new ZstdDictTrainer((int) bytes, maxLength);
        for (byte[] sample : samples) {
            trainer.addSample(sample);
        }
        try {
            byte[] dictionary = trainer.trainSamples();
            if (dictionary.length < SHORTEST_DICTIONARY / 4) {
                throw new IllegalStateException("length=" + dictionary.length);
            }
            return dictionary;
        } catch (RuntimeException e) {
            throw new IllegalArgumentException(
                    "no dictionary can be made of these samples, give more of them or ask for a shorter one: count="
                            + samples.size() + ", bytes=" + bytes + ", maxLength=" + maxLength + ": " + e.getMessage(),
                    e);
        }
    }

    @Override
    public ValueCodec withDictionary(byte[] trained) {
        if (trained.length == 0 || trained.length > MAX_DICTIONARY_LENGTH) {
            throw new IllegalArgumentException(
                    "dictionary length out of range: " + trained.length + ", allowed=1.." + MAX_DICTIONARY_LENGTH);
        }
        try {
            return new ZstdCodec(level, trained.clone());
        } catch (IllegalStateException e) {
            throw new IllegalArgumentException(
                    "not a dictionary of zstd: length=" + trained.length + ", because of: " + e.getMessage(), e);
        }
    }

    @Override
    public byte[] dictionary() {
        return dictionary.clone();
    }

    @Override
    public String name() {
        return "zstd";
    }

    @Override
    public int id() {
        return 2;
    }

    @Override
    public int maxEncodedLength(int length) {
        return length + (length >>> 8) + 512; // what zstd itself says is less
    }

    @Override
    public int encode(byte[] source, int offset, int length, byte[] target, int targetOffset) {
        Contexts contexts = Contexts.take();
        boolean isDone = false;
        try {
            int written = contexts.encoder(level, forEncoding)
                    .compressByteArray(target, targetOffset, maxEncodedLength(length), source, offset, length);
            isDone = true;
            return written;
        } finally {
            contexts.giveBackOrClose(isDone);
        }
    }

    @Override
    public void decode(byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
        Contexts contexts = Contexts.take();
        int decoded;
        boolean isDone = false;
        try {
            decoded = contexts.decoder(forDecoding)
                    .decompressByteArray(target, targetOffset, targetLength, source, offset, length);
            isDone = true;
        } finally {
            contexts.giveBackOrClose(isDone);
        }
        if (decoded != targetLength) {
            throw new IllegalArgumentException("wrong length: expected=" + targetLength + ", found=" + decoded);
        }
    }

    @Override
    public long maxDecodedLength(int encodedLength) {
        return MOST_FROM_A_BLOCK * (encodedLength / SHORTEST_BLOCK);
    }
}
