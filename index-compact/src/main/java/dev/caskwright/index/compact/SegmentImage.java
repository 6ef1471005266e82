package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * The bytes of a segment in an image. The order of the buckets says which entries of the directory are theirs.
 *
 * <pre>
 * 0                  4
 * | directory length | slots | depth | bytes of the bucket | slots | depth | bytes ...     none if the length is 0
 * </pre>
 */
final class SegmentImage {
    /** What a segment has at least. */
    static final int MIN_LENGTH = Integer.BYTES;

    private static final int BUCKET_HEADER = 2;

    private SegmentImage() {}

    /** Copies a segment that does not change meanwhile. */
    static byte[] of(BlockMemory memory, long[] directory) {
        if (directory == Directory.NONE) {
            return new byte[MIN_LENGTH];
        }
        int length = MIN_LENGTH;
        for (int entry = 0; entry < directory.length; entry += Directory.entriesOf(directory, directory[entry])) {
            length += BUCKET_HEADER + Bucket.lengthInBytes(Bucket.slots(directory[entry]));
        }
        ByteBuffer image =
                ByteBuffer.allocate(length).order(ByteOrder.LITTLE_ENDIAN).putInt(directory.length);
        for (int entry = 0; entry < directory.length; entry += Directory.entriesOf(directory, directory[entry])) {
            long word = directory[entry];
            int bytes = Bucket.lengthInBytes(Bucket.slots(word));
            image.put((byte) Bucket.slots(word)).put((byte) Bucket.depth(word));
            int offset = BlockMemory.offset(Bucket.address(word));
            image.put(image.position(), memory.slab(Bucket.address(word)), offset, bytes);
            image.position(image.position() + bytes);
        }
        return image.array();
    }

    /**
     * Reads a segment of so many bytes and keys into new blocks; returns its directory, or null if it is none. Takes no
     * memory unless it returns a directory.
     *
     * <p>A directory has no more entries than its segment has bytes: its buckets take far more. Otherwise a few bytes could
     * ask for all of the heap.
     */
    static long @Nullable [] read(ImageSource source, BlockMemory memory, long bytes, int keys) throws IOException {
        byte[] buffer = new byte[Bucket.lengthInBytes(Bucket.MAX_SLOTS)];
        source.read(buffer, 0, MIN_LENGTH);
        int length = ByteBuffer.wrap(buffer).order(ByteOrder.LITTLE_ENDIAN).getInt();
        if (length == 0) {
            return keys == 0 ? Directory.NONE : null;
        }
        // Compared with what is there before anything is allocated.
        if (length < 0
                || Integer.bitCount(length) != 1
                || length > Math.min(1 << Bucket.MAX_DEPTH, Math.min(bytes, source.remaining()))) {
            return null;
        }
        long[] directory = allocate(length);
        boolean isWhole = false;
        try {
            isWhole = readBuckets(source, memory, directory, buffer) == keys;
        } finally {
            if (!isWhole) {
                free(memory, directory);
            }
        }
        return isWhole ? directory : null;
    }

    /** Returns how many keys were read, or {@link Bucket#NOT_OF} if they are none of this segment. */
    private static int readBuckets(ImageSource source, BlockMemory memory, long[] directory, byte[] buffer)
            throws IOException {
        int depthOfAll = Directory.depth(directory);
        int keys = 0;
        for (int entry = 0; entry < directory.length; ) {
            source.read(buffer, 0, BUCKET_HEADER);
            int slots = buffer[0];
            int depth = buffer[1];
            if (!Bucket.isPossible(slots, depth) || depth > depthOfAll) {
                return Bucket.NOT_OF;
            }
            int entries = 1 << (depthOfAll - depth);
            if (entry % entries != 0) {
                return Bucket.NOT_OF; // the entries that differ in the last bits only must be the bucket's
            }
            int bytes = Bucket.lengthInBytes(slots);
            source.read(buffer, 0, bytes);
            long address = memory.allocate(bytes);
            long word = Bucket.word(address, slots, depth, Bucket.NO_BUCKET);
            Arrays.fill(directory, entry, entry + entries, word);
            ByteBuffer slab = memory.slab(address);
            int base = BlockMemory.offset(address);
            slab.put(base, buffer, 0, bytes);
            int live = Bucket.keysOf(slab, base, slots, depth, entry >>> (depthOfAll - depth));
            if (live == Bucket.NOT_OF) {
                return Bucket.NOT_OF;
            }
            keys += live;
            entry += entries;
        }
        return keys;
    }

    /** Copies a segment that does not change meanwhile to blocks of another memory. */
    static long[] copy(BlockMemory source, long[] directory, BlockMemory target) throws IndexMemoryException {
        if (directory == Directory.NONE) {
            return Directory.NONE;
        }
        long[] copy = allocate(directory.length);
        boolean isWhole = false;
        try {
            for (int entry = 0; entry < directory.length; entry += Directory.entriesOf(directory, directory[entry])) {
                long word = directory[entry];
                int bytes = Bucket.lengthInBytes(Bucket.slots(word));
                long from = Bucket.address(word);
                long to = target.allocate(bytes);
                target.slab(to).put(BlockMemory.offset(to), source.slab(from), BlockMemory.offset(from), bytes);
                Directory.publish(
                        copy, entry, Bucket.word(to, Bucket.slots(word), Bucket.depth(word), Bucket.NO_BUCKET));
            }
            isWhole = true;
            return copy;
        } finally {
            if (!isWhole) {
                free(target, copy);
            }
        }
    }

    static long[] allocate(int length) throws IndexMemoryException {
        try {
            return new long[length];
        } catch (OutOfMemoryError e) {
            throw CompactKeyIndex.noHeap(length, e);
        }
    }

    /** Returns the number of keys of a segment that does not change meanwhile. */
    static int keys(BlockMemory memory, long[] directory) {
        int keys = 0;
        for (int entry = 0; entry < directory.length && directory[entry] != Bucket.NO_BUCKET; ) {
            long word = directory[entry];
            long address = Bucket.address(word);
            keys += Bucket.liveSlots(memory.slab(address), BlockMemory.offset(address), Bucket.slots(word));
            entry += Directory.entriesOf(directory, word);
        }
        return keys;
    }

    /** Gives back the blocks of a segment that nobody sees; its last entries may be empty. */
    static void free(BlockMemory memory, long[] directory) {
        long last = Bucket.NO_BUCKET;
        for (long word : directory) {
            if (word != last && word != Bucket.NO_BUCKET) {
                memory.free(Bucket.address(word), Bucket.lengthInBytes(Bucket.slots(word)));
            }
            last = word;
        }
    }
}
