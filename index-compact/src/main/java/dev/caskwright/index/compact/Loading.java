package dev.caskwright.index.compact;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.PersistentKeyIndex.Completion;
import dev.caskwright.api.spi.index.PersistentKeyIndex.Image;
import dev.caskwright.api.spi.index.PersistentKeyIndex.ImageSource;
import dev.caskwright.api.spi.index.PersistentKeyIndex.Refill;
import java.io.Closeable;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;

/**
 * An image of which parts are not loaded yet. The segments follow each other, and then comes what is read at once:
 *
 * <pre>
 * | segments ... | for each segment: length, keys | hash seed: 8 | segments: 4 |
 * </pre>
 *
 * <p>A part is a run of segments. It is loaded by whoever needs it first, or by {@link #loadNext}. A part whose bytes are
 * not to be had, or are no segments, is damaged: then all other parts are loaded, so that it is known what else is damaged,
 * and the damaged ones are filled from elsewhere in one go.
 *
 * <p>For any thread. A part is loaded under its own lock, and filled under this object's; a thread that holds a part's takes
 * no other.
 */
final class Loading implements Closeable {
    private static final int SEGMENT_ENTRY = 2 * Integer.BYTES;
    private static final int SEED_AND_COUNT = Long.BYTES + Integer.BYTES;
    private static final int TABLE = CompactKeyIndex.SEGMENTS * SEGMENT_ENTRY + SEED_AND_COUNT;
    /** Shorter parts would mean to verify more than is loaded, longer ones to let lookups wait. */
    private static final long PART_BYTES = 256 << 10;

    /** Some segments, loaded together. */
    private static final class Part {
        final int number;
        final int from;
        final int to;
        // Guarded by this.
        boolean isLoaded;

        @Nullable IOException damage;

        Part(int number, int from, int to) {
            this.number = number;
            this.from = from;
            this.to = to;
        }
    }

    private final Image image;
    private final Refill refill;
    private final long seed;
    private final int[] keys;
    /** Where each segment begins, and where the last one ends. */
    private final long[] starts;

    private final Part[] parts;
    private final AtomicInteger next = new AtomicInteger();
    /** Set before other threads use the index. */
    private @Nullable Completion completion;

    // Guarded by this.
    private boolean isOver;
    private @Nullable IOException failure;

    private Loading(Image image, Refill refill, long seed, int[] keys, long[] starts) {
        this.image = image;
        this.refill = refill;
        this.seed = seed;
        this.keys = keys;
        this.starts = starts;
        long wanted = Math.max(1, starts[starts.length - 1] / PART_BYTES);
        int each = (int) Math.max(1, CompactKeyIndex.SEGMENTS / wanted);
        this.parts = new Part[(CompactKeyIndex.SEGMENTS + each - 1) / each];
        for (int i = 0; i < parts.length; i++) {
            parts[i] = new Part(i, i * each, Math.min(CompactKeyIndex.SEGMENTS, (i + 1) * each));
        }
    }

    /** Reads what comes after the segments; returns null if that is not so in an image. */
    static @Nullable Loading begin(Image image, Refill refill) throws IOException {
        long end = image.length() - TABLE;
        if (end < (long) CompactKeyIndex.SEGMENTS * SegmentImage.MIN_LENGTH) {
            return null;
        }
        byte[] bytes = new byte[TABLE];
        try (ImageSource source = image.source(end, TABLE)) {
            source.read(bytes, 0, TABLE);
        }
        ByteBuffer table = ByteBuffer.wrap(bytes).order(ByteOrder.LITTLE_ENDIAN);
        int[] keys = new int[CompactKeyIndex.SEGMENTS];
        long[] starts = new long[CompactKeyIndex.SEGMENTS + 1];
        for (int i = 0; i < keys.length; i++) {
            int length = table.getInt();
            keys[i] = table.getInt();
            if (length < SegmentImage.MIN_LENGTH || keys[i] < 0 || keys[i] > length / Long.BYTES) {
                return null;
            }
            starts[i + 1] = starts[i] + length;
        }
        long seed = table.getLong();
        return table.getInt() == CompactKeyIndex.SEGMENTS && starts[keys.length] == end
                ? new Loading(image, refill, seed, keys, starts)
                : null;
    }

    /** Returns what comes after segments of these lengths and numbers of keys. */
    static byte[] table(int[] lengths, int[] keys, long seed) {
        ByteBuffer table = ByteBuffer.allocate(TABLE).order(ByteOrder.LITTLE_ENDIAN);
        for (int i = 0; i < CompactKeyIndex.SEGMENTS; i++) {
            table.putInt(lengths[i]).putInt(keys[i]);
        }
        return table.putLong(seed).putInt(CompactKeyIndex.SEGMENTS).array();
    }

    /** Returns the seed of the hash by which the keys were put into segments. */
    long seed() {
        return seed;
    }

    /** Returns how many keys the segment has, whether loaded or not. */
    int keys(int segment) {
        return keys[segment];
    }

    int parts() {
        return parts.length;
    }

    /** Returns the number of the part that a segment is in. */
    int partOf(int segment) {
        return segment / parts[0].to;
    }

    void completeWith(Completion given) {
        completion = given;
    }

    /** Makes sure that the segment is loaded. */
    void load(CompactKeyIndex index, int segment) throws IOException {
        if (!load(index, parts[partOf(segment)])) {
            loadRest(index, false);
        }
    }

    /** Loads one more part; returns false when all are loaded. */
    boolean loadNext(CompactKeyIndex index) throws IOException {
        int number = next.get() < parts.length ? next.getAndIncrement() : parts.length;
        if (number < parts.length) {
            load(index, parts[number]);
            return true;
        }
        loadRest(index, true);
        return false;
    }

    /** Loads a part unless it is loaded; returns false if it is damaged. */
    private boolean load(CompactKeyIndex index, Part part) throws IOException {
        synchronized (part) {
            if (part.isLoaded || part.damage != null) {
                return part.isLoaded;
            }
            List<long[]> directories = new ArrayList<>();
            boolean isRead = false;
            try (ImageSource source = image.source(starts[part.from], starts[part.to] - starts[part.from])) {
                read(source, part, index, directories);
                isRead = true;
            } catch (IndexMemoryException e) {
                throw needed(index, e);
            } catch (IOException e) {
                // The bytes are not those that were saved, or not to be had. The log has the keys as well.
                part.damage = e;
            } finally {
                if (!isRead) {
                    index.discard(directories);
                }
            }
            if (isRead) {
                try {
                    index.adopt(part.from, directories, part.number, completion);
                } catch (IndexMemoryException e) {
                    throw needed(index, e);
                }
                part.isLoaded = true;
            }
            return isRead;
        }
    }

    private void read(ImageSource source, Part part, CompactKeyIndex index, List<long[]> directories)
            throws IOException {
        for (int segment = part.from; segment < part.to; segment++) {
            long bytes = starts[segment + 1] - starts[segment];
            long left = source.remaining() - bytes;
            long[] directory = index.readSegment(source, bytes, keys[segment]);
            if (directory != null) {
                directories.add(directory);
            }
            if (directory == null || source.remaining() != left) {
                throw new IOException("an image of the key index has no such segment: segment=" + segment);
            }
        }
    }

    private IndexMemoryException needed(CompactKeyIndex index, IndexMemoryException cause) {
        return new IndexMemoryException(
                "no direct memory to load the key index: keys=" + index.size() + ", needed=" + starts[keys.length]
                        + " bytes in all; raise -XX:MaxDirectMemorySize, which is as large as the heap unless set",
                cause);
    }

    /**
     * Loads all parts that are not, and fills those that are damaged.
     *
     * @param isTriedAgain whether to try what failed before. Lookups do not: each would take as long as the first
     */
    private synchronized void loadRest(CompactKeyIndex index, boolean isTriedAgain) throws IOException {
        if (isOver) {
            return;
        }
        IOException before = failure;
        if (before != null && !isTriedAgain) {
            throw before;
        }
        List<Part> damaged = new ArrayList<>();
        IOException first = null;
        for (Part part : parts) {
            if (!load(index, part)) {
                damaged.add(part);
                first = first == null ? part.damage : first;
            }
        }
        if (first != null) {
            try {
                refill(index, damaged, first);
            } catch (IOException e) {
                failure = e;
                throw e;
            }
        }
        isOver = true;
        index.endLoading();
        image.close();
    }

    /** Fills damaged parts, in an index of their own first, so that lookups see all of a part or wait. */
    private void refill(CompactKeyIndex index, List<Part> damaged, IOException cause) throws IOException {
        BitSet segments = new BitSet();
        damaged.forEach(part -> segments.set(part.from, part.to));
        try (CompactKeyIndex fresh = index.refill(refill, segments, cause)) {
            for (Part part : damaged) {
                synchronized (part) {
                    index.adoptCopies(fresh, part.from, part.to, keys, part.number, completion);
                    part.isLoaded = true;
                }
            }
        }
    }

    @Override
    public synchronized void close() throws IOException {
        if (!isOver) {
            isOver = true;
            image.close();
        }
    }
}
