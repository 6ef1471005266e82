package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.fuzz.Allocated;
import dev.caskwright.fuzz.FuzzedSource;
import dev.caskwright.fuzz.Sample;
import java.io.EOFException;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import java.util.List;
import java.util.stream.IntStream;

/** One segment of an image of the compact index. An image has a thousand, which all are read alike. */
public final class SegmentFuzz {
    private static final long SEED = 1;
    private static final long MOST_MEMORY = 4 << 20;
    /** Keys of the first segment: their hashes begin with more zeros than it takes. */
    private static final byte[][] KEYS = keysOfFirstSegment(6);

    private static final BlockMemory MEMORY =
            new BlockMemory(Bucket.lengthInBytes(Bucket.MAX_SLOTS), DirectMemory::allocate);

    private SegmentFuzz() {}

    private static byte[][] keysOfFirstSegment(int count) {
        KeyHash hash = new KeyHash(SEED);
        return IntStream.iterate(0, i -> i + 1)
                .mapToObj(i -> ByteBuffer.allocate(Integer.BYTES).putInt(i).array())
                .filter(key -> Long.numberOfLeadingZeros(hash.hash(key, 0, key.length)) > 10)
                .limit(count)
                .toArray(byte[][]::new);
    }

    /** The first byte says how many keys the table of the image promises; then comes the segment. */
    public static void fuzzerTestOneInput(byte[] input) throws IOException {
        if (input.length > 0) {
            Allocated.requireLittle(() -> read(input));
        }
    }

    private static void read(byte[] input) throws IOException {
        int keys = Byte.toUnsignedInt(input[0]);
        FuzzedSource source = new FuzzedSource(input, 1);
        long[] directory;
        try {
            directory = SegmentImage.read(source, MEMORY, source.remaining(), keys);
        } catch (EOFException e) {
            directory = null;
        }
        if (directory != null) {
            try {
                check(input, source.position(), directory, keys);
            } finally {
                SegmentImage.free(MEMORY, directory);
            }
            if (Sample.has(input)) {
                use(input, keys);
            }
        }
        // What was taken is given back, or the same blocks could not serve all inputs.
        if (MEMORY.bytes() > MOST_MEMORY) {
            throw new AssertionError("memory lost: " + MEMORY.bytes());
        }
    }

    private static void check(byte[] input, int end, long[] directory, int keys) {
        if (SegmentImage.keys(MEMORY, directory) != keys) {
            throw new AssertionError("other than so many keys: " + SegmentImage.keys(MEMORY, directory));
        }
        byte[] image = SegmentImage.of(MEMORY, directory);
        if (!Arrays.equals(image, 0, image.length, input, 1, end)) {
            throw new AssertionError("written other than it was read: " + Arrays.toString(image));
        }
    }

    /** Looks keys up in an index that has the segment, and changes them. */
    private static void use(byte[] input, int keys) throws IOException {
        try (CompactKeyIndex index = new CompactKeyIndex(new KeyIndexContext(
                0,
                0,
                SEED,
                (key, offset, length, locator) ->
                        locator == ByteBuffer.wrap(key, offset, length).getInt()))) {
            FuzzedSource source = new FuzzedSource(input, 1);
            index.adopt(0, List.of(index.readSegment(source, source.remaining(), keys)), 0, null);
            for (byte[] key : KEYS) {
                long locator = ByteBuffer.wrap(key).getInt();
                index.get(key, 0, key.length);
                index.put(key, 0, key.length, locator);
                if (index.get(key, 0, key.length) != locator) {
                    throw new AssertionError("put and not found: " + locator);
                }
            }
            for (byte[] key : KEYS) {
                if (!index.remove(key, 0, key.length, ByteBuffer.wrap(key).getInt())) {
                    throw new AssertionError("put and not removed: " + Arrays.toString(key));
                }
            }
        } catch (IndexMemoryException e) {
            // A bucket may be full whose keys differ in no bit that splits it.
            return;
        }
    }
}
