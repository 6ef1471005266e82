package dev.caskwright.index.sorted;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.EOFException;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * An ordered key index: a B+tree on the heap, in a few arrays for some fifty keys, with separators cut short.
 *
 * <p><b>Threads.</b> One thread changes the index at a time; readers and scans take no lock, and never look twice.
 *
 * <p><b>Memory.</b> A key takes its own length, without what all keys beside it begin with, and some 20 to 30 bytes: see
 * {@link #memoryBytes}. A change of a key that is there takes no memory; a new one copies some fifty others once in sixteen
 * times, so keys should not be much longer than a kilobyte, though any length works. Nodes that most keys have left are
 * joined.
 *
 * <p><b>Image.</b> {@link #save} writes the keys in order, each without what it shares with the one before, so the index is
 * filled again faster than from hint files.
 */
public final class SortedKeyIndex implements OrderedKeyIndex, PersistentKeyIndex {
    private static final long MAX_HEAP = Runtime.getRuntime().maxMemory(); // asked once: it is a native call
    /** What the index may keep for long: collectors that divide the heap by age keep two thirds of it for what stays. */
    private static final long MAX_HELD = MAX_HEAP / 8 * 5;

    private static final long KEY_BYTES_UNKNOWN = 128;
    /** From so many keys on, what the index holds tells what a key takes. */
    private static final int MANY_KEYS = 1024;

    private static final int KEYS_PER_MEASUREMENT = 1024;

    private volatile @Nullable Tree tree = new Tree();
    private volatile long size;
    private long keyBytes; // the writer's

    private final long maxHeld;
    // The writer's: for how many keys no measurement is needed, unless the index holds more than that before.
    private long roomLeft;
    private long heldWithoutMeasurement;

    /** Makes an empty index. */
    public SortedKeyIndex() {
        this(MAX_HELD);
    }

    /** Makes an empty index; as a factory, {@code SortedKeyIndex::new}. It has no use for what the engine tells it. */
    public SortedKeyIndex(KeyIndexContext context) {
        this();
    }

    /** Makes an empty index that may hold so many bytes. */
    SortedKeyIndex(long maxHeld) {
        this.maxHeld = maxHeld;
    }

    /** Finds this index by the name {@code sorted}. */
    public static final class Provider implements KeyIndexProvider {
        /** For the service loader. */
        public Provider() {}

        @Override
        public String name() {
            return "sorted";
        }

        @Override
        public boolean isOrdered() {
            return true;
        }

        @Override
        public KeyIndex open(KeyIndexContext context) {
            return new SortedKeyIndex();
        }
    }

    @Override
    public long get(byte[] key, int offset, int length) {
        Leaf leaf = openTree().leafOf(key, offset, length);
        int slot = leaf.find(key, offset, length);
        return slot < 0 ? ABSENT : leaf.locator(slot);
    }

    @Override
    public long candidate(byte[] key, int offset, int length) {
        Leaf leaf = openTree().leafOf(key, offset, length);
        int slot = leaf.findCandidate(key, offset, length);
        if (slot < 0) {
            return ABSENT;
        }
        long locator = leaf.locator(slot);
        // Another key with the same head may be the one that has gone.
        return locator == ABSENT ? get(key, offset, length) : locator;
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) throws IndexMemoryException {
        return put(key, offset, length, locator, true);
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) throws IndexMemoryException {
        return put(key, offset, length, locator, false);
    }

    private long put(byte[] key, int offset, int length, long locator, boolean replaces) throws IndexMemoryException {
        checkLocator(locator);
        Tree open = openTree();
        Leaf leaf = open.descend(key, offset, length);
        int slot = leaf.find(key, offset, length);
        long before = slot < 0 ? ABSENT : leaf.locator(slot);
        if (before != ABSENT && !replaces) {
            return before;
        }
        if (slot < 0) {
            try {
                open.add(leaf, slot, key, offset, length, locator);
            } catch (OutOfMemoryError e) {
                throw tooSmall(open.bytes() + length, e);
            }
        } else {
            leaf.setLocator(slot, locator);
        }
        if (before == ABSENT) {
            count(1, length);
        }
        return before;
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
        checkLocator(locator);
        Leaf leaf = openTree().leafOf(key, offset, length);
        int slot = leaf.find(key, offset, length);
        if (slot < 0 || expected == ABSENT || leaf.locator(slot) != expected) {
            return false;
        }
        leaf.setLocator(slot, locator);
        return true;
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) {
        Tree open = openTree();
        Leaf leaf = open.descend(key, offset, length);
        int slot = leaf.find(key, offset, length);
        if (slot < 0 || expected == ABSENT || leaf.locator(slot) != expected) {
            return false;
        }
        leaf.setLocator(slot, ABSENT);
        count(-1, -length);
        try {
            open.shrink(leaf);
        } catch (OutOfMemoryError e) {
            // The key has gone all the same. The next one that goes tries again.
            return true;
        }
        return true;
    }

    @Override
    public void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
            throws IOException {
        Tree open = openTree();
        // The bound is the caller's, who may change it once it is visited.
        byte[] bound = from == null ? null : from.clone();
        Visitor whileOpen = (key, locator) -> visitor.visit(key, locator) && openTree() == open;
        if (descending) {
            open.descend(bound, inclusive, whileOpen);
        } else {
            open.ascend(bound, inclusive, whileOpen);
        }
    }

    @Override
    public long size() {
        openTree();
        return size;
    }

    /** Returns the bytes of heap that the nodes take, counted as they come and go. Assumes references of 4 bytes. */
    @Override
    public long memoryBytes() {
        return openTree().bytes();
    }

    /**
     * Makes sure that the index does not take more than five eighths of the heap. How much of the heap others hold cannot be
     * told without a garbage collection.
     */
    @Override
    public void ensureRoom(int keys) throws IndexMemoryException {
        long held = openTree().bytes();
        if (keys < 0 || keys >= roomLeft || held > heldWithoutMeasurement) {
            measureRoom(held, keys);
        }
        roomLeft -= keys;
    }

    private void measureRoom(long held, int keys) throws IndexMemoryException {
        long average = bytesPerKey(held);
        long perKey = Math.max(KEY_BYTES_UNKNOWN, 2 * average);
        // Each key may be the one that its leaf is divided for.
        long perLeaf = Math.min(Leaf.MAX_KEYS * average, Leaf.MAX_BYTES);
        long needed = keys * perKey + Math.min(keys * perLeaf, held);
        long left = maxHeld - held;
        if (left < needed) {
            throw tooSmall(held + needed, null);
        }
        // Measured again long before they are used up: keys may be longer than those so far.
        roomLeft = Math.max(keys, Math.min(left / perKey / 16, KEYS_PER_MEASUREMENT));
        heldWithoutMeasurement = held + left / 16;
    }

    private IndexMemoryException tooSmall(long needed, @Nullable Throwable cause) {
        return new IndexMemoryException(
                "the heap is too small for the key index: needed=" + needed + ", held=" + memoryBytes() + ", heap="
                        + MAX_HEAP + " bytes, of which the index may hold " + maxHeld + "; raise -Xmx",
                cause);
    }

    private long bytesPerKey(long held) {
        long count = size;
        if (count >= MANY_KEYS) {
            return held / count;
        }
        // What an index takes for few keys is mostly what it takes for none.
        return count == 0 ? 0 : keyBytes / count + held / MANY_KEYS;
    }

    @Override
    public String imageFormat() {
        return TreeImage.FORMAT;
    }

    @Override
    public void save(ImageSink sink) throws IOException {
        TreeImage.save(openTree(), sink);
    }

    @Override
    public boolean load(Image image, Refill refill) throws IOException {
        long length = image.length();
        TreeImage.Loaded loaded;
        try (image;
                ImageSource source = image.source(0, length)) {
            openTree();
            loaded = TreeImage.load(source, this::checkHeld);
        } catch (EOFException e) {
            // The image is shorter than it says: no image.
            return false;
        } catch (OutOfMemoryError e) {
            throw tooSmall(length, e);
        }
        if (loaded == null) {
            return false;
        }
        checkHeld(loaded.tree().bytes());
        tree = loaded.tree();
        size = loaded.keys();
        keyBytes = loaded.keyBytes();
        return true;
    }

    private void checkHeld(long bytes) throws IndexMemoryException {
        if (bytes > maxHeld) {
            throw tooSmall(bytes, null);
        }
    }

    @Override
    public void close() {
        tree = null;
    }

    /** Returns what {@link #memoryBytes} is, counted again. */
    long countedBytes() {
        return openTree().countedBytes();
    }

    private Tree openTree() {
        Tree open = tree;
        if (open == null) {
            throw new IllegalStateException("the index is closed");
        }
        return open;
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // only the writer writes
    private void count(int keys, int bytes) {
        size += keys;
        keyBytes += bytes;
    }

    private static void checkLocator(long locator) {
        if (locator == ABSENT) {
            throw new IllegalArgumentException("a locator must not be " + ABSENT);
        }
    }
}
