package dev.caskwright.index.btree;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.KeyIndexProvider;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * An ordered key index on MapDB's {@code BTreeMap}, on the heap.
 *
 * <p><b>Threads.</b> One thread changes the index at a time; readers and scans take no lock at all.
 *
 * <p><b>Memory.</b> A key takes its own length, 8 bytes of locator and some 4 to 9 bytes of nodes: see
 * {@link #memoryBytes}. Each change copies the leaf that it falls into, so keys should not be much longer than a kilobyte,
 * though any length works.
 *
 * <p><b>Deletes.</b> MapDB never gives a node back, however empty. When the nodes are less than a third full on average, a
 * second tree is filled, in the order of the keys and a few keys with each change, and takes the place of the first. A
 * change waits for its few keys, some 10 microseconds, and one that meets a run of empty nodes passes them all: some 5
 * milliseconds if half of 2 M ordered keys went. Until then the first tree is complete, and what is changed below the point
 * that the copying has reached is changed in both. Memory for both is needed meanwhile.
 */
public final class BTreeKeyIndex implements OrderedKeyIndex {
    /*
     * A scan goes on by key. When it finds that another tree is in place, it continues there with the key that would
     * have been next: so it sees each key that stays exactly once, and holds on to no old tree. The key that it visited
     * last is the visitor's, and may not be what it was.
     */

    /** How many keys a node takes before it is split. Measured at 1 M keys: 32 to 64 are equal, more slows a put. */
    static final int MAX_NODE_SIZE = 48;

    /** What a reference takes, and the alignment of objects: as HotSpot has it for heaps below 32 GiB. */
    static final int REFERENCE_BYTES = 4;

    /** Trees with fewer nodes are not worth rebuilding. */
    private static final int MIN_NODES_TO_REBUILD = 64;
    /** A tree is rebuilt if it has less than this many keys a node: a third of what fits; a growing tree has half. */
    private static final int MIN_KEYS_PER_NODE = MAX_NODE_SIZE / 3;
    /** How many keys each change copies while a rebuild is on. */
    private static final int KEYS_PER_STEP = 16;

    /**
     * What a node takes beside its keys and locators: the node (32 bytes), two array headers (32), the count and the
     * padding of its keys (8), its number in the node above (8).
     */
    private static final int NODE_BYTES = 80;
    /** The keys that a node repeats: its lower bound, and its upper bound in the node above. */
    private static final int REPEATED_KEYS_PER_NODE = 2;

    private static final long MAX_HEAP = Runtime.getRuntime().maxMemory(); // asked once: it is a native call
    /** What the index may keep for long: collectors that divide the heap by age keep two thirds of it for what stays. */
    private static final long MAX_HELD = MAX_HEAP / 8 * 5;

    private static final long KEY_BYTES_UNKNOWN = 128;
    /** From so many keys on, what the index holds tells what a key takes. */
    private static final int MANY_KEYS = 1024;

    private static final int KEYS_PER_MEASUREMENT = 1024;

    private static final int NO_LENGTH = 0;
    private static final int DIFFERENT_LENGTHS = -1;

    private static final byte[] GREATEST_KEY = greatestKey();

    private final AtomicLong size = new AtomicLong();
    private final AtomicLong keyBytes = new AtomicLong();
    /** The length of all keys so far, if they have one in common. */
    private volatile int commonLength = NO_LENGTH;

    private volatile @Nullable Tree tree = new Tree(MAX_NODE_SIZE);
    /** Set while a rebuild is on. Only the writer uses it, but {@link #memoryBytes} looks. */
    private volatile @Nullable Rebuild rebuild;

    private final long maxHeld;
    private long roomLeft; // the writer's: for how many keys no measurement is needed

    /** Makes an empty index. */
    public BTreeKeyIndex() {
        this(MAX_HELD);
    }

    /** Makes an empty index; as a factory, {@code BTreeKeyIndex::new}. It has no use for what the engine tells it. */
    public BTreeKeyIndex(KeyIndexContext context) {
        this();
    }

    /** Makes an empty index that may hold so many bytes. */
    BTreeKeyIndex(long maxHeld) {
        this.maxHeld = maxHeld;
        // Initializes the classes of MapDB that a lookup takes. One that there is no memory for later could never be
        // used again.
        get(GREATEST_KEY, 0, 1);
    }

    /** Finds this index by the name {@code btree}. */
    public static final class Provider implements KeyIndexProvider {
        /** For the service loader. */
        public Provider() {}

        @Override
        public String name() {
            return "btree";
        }

        @Override
        public boolean isOrdered() {
            return true;
        }

        @Override
        public KeyIndex open(KeyIndexContext context) {
            return new BTreeKeyIndex();
        }
    }

    @Override
    public long get(byte[] key, int offset, int length) {
        Long locator = openTree().map().get(keyOf(key, offset, length));
        return locator == null ? ABSENT : locator;
    }

    @Override
    public long put(byte[] key, int offset, int length, long locator) {
        Tree current = openTree();
        byte[] whole = keyOf(key, offset, length);
        Long previous = current.map().put(whole, checked(locator));
        if (previous == null) {
            count(1, length);
        }
        changed(current, whole, locator);
        return previous == null ? ABSENT : previous;
    }

    @Override
    public long putIfAbsent(byte[] key, int offset, int length, long locator) {
        Tree current = openTree();
        byte[] whole = keyOf(key, offset, length);
        Long present = current.map().putIfAbsent(whole, checked(locator));
        if (present != null) {
            return present;
        }
        count(1, length);
        changed(current, whole, locator);
        return ABSENT;
    }

    @Override
    public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
        Tree current = openTree();
        byte[] whole = keyOf(key, offset, length);
        boolean replaced = current.map().replace(whole, expected, checked(locator));
        if (replaced) {
            changed(current, whole, locator);
        }
        return replaced;
    }

    @Override
    public boolean remove(byte[] key, int offset, int length, long expected) {
        Tree current = openTree();
        byte[] whole = keyOf(key, offset, length);
        boolean removed = current.map().remove(whole, (Long) expected);
        if (removed) {
            count(-1, -length);
            changed(current, whole, ABSENT);
        }
        return removed;
    }

    @Override
    public void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
            throws IOException {
        if (descending) {
            scanDown(from, inclusive, visitor);
        } else {
            scanUp(from, inclusive, visitor);
        }
    }

    @Override
    public long size() {
        openTree();
        return size.get();
    }

    /**
     * Returns the bytes of heap that the index takes, computed from the number of nodes and the length of the keys.
     *
     * <p>A key takes its length, 4 bytes more if the keys of its node have different lengths, and 8 bytes of locator. A
     * node is three objects and a place in a page, and repeats two or three keys: its bounds, one of them once more in the
     * node above. Assumes keys of different lengths unless all have the same, and references of 4 bytes.
     */
    @Override
    public long memoryBytes() {
        Tree current = openTree();
        Rebuild running = rebuild;
        long bytes = bytesOf(current, size.get());
        return running == null ? bytes : bytes + bytesOf(running.target(), running.copied());
    }

    /**
     * Makes sure that the index, with both trees of a rebuild, does not take more than five eighths of the heap for long.
     * How much of the heap others hold cannot be told without a garbage collection.
     */
    @Override
    public void ensureRoom(int keys) throws IndexMemoryException {
        openTree();
        if (keys < 0 || keys >= roomLeft) {
            measureRoom(keys);
        }
        roomLeft -= keys;
    }

    private void measureRoom(int keys) throws IndexMemoryException {
        long held = memoryBytes();
        long perKey = Math.max(KEY_BYTES_UNKNOWN, 2 * bytesPerKey(held));
        long left = (maxHeld - held) / perKey;
        if (left < keys) {
            throw new IndexMemoryException(
                    "the heap is too small for the key index: needed=" + (held + keys * perKey) + ", held=" + held
                            + ", heap=" + MAX_HEAP + " bytes, of which the index may hold " + maxHeld
                            + "; raise -Xmx",
                    null);
        }
        // Measured again long before they are used up: keys may be longer than those so far.
        roomLeft = Math.max(keys, Math.min(left / 16, KEYS_PER_MEASUREMENT));
    }

    private long bytesPerKey(long held) {
        long count = size.get();
        if (count >= MANY_KEYS) {
            return held / count;
        }
        // What an index takes for few keys is mostly what it takes for none.
        return count == 0 ? 0 : keyBytes.get() / count + held / MANY_KEYS;
    }

    @Override
    public void close() {
        tree = null;
        rebuild = null;
    }

    /** Returns the number of nodes, dead or alive. */
    int nodes() {
        return openTree().nodes();
    }

    boolean isRebuilding() {
        return rebuild != null;
    }

    private long bytesOf(Tree measured, long entries) {
        long keys = size.get();
        double keyLength = keys == 0 ? 0 : (double) keyBytes.get() / keys;
        if (commonLength == DIFFERENT_LENGTHS) {
            keyLength += PackedKeys.END_BYTES;
        }
        double perNode = NODE_BYTES + REPEATED_KEYS_PER_NODE * keyLength;
        return measured.pageBytes() + (long) (entries * (keyLength + Long.BYTES) + measured.nodes() * perNode);
    }

    private Tree openTree() {
        Tree current = tree;
        if (current == null) {
            throw new IllegalStateException("the index is closed");
        }
        return current;
    }

    private void scanUp(byte @Nullable [] from, boolean inclusive, Visitor visitor) throws IOException {
        Tree current = openTree();
        Iterator<Map.Entry<Object, Long>> entries = current.ascending(from, inclusive);
        while (entries.hasNext()) {
            Map.Entry<Object, Long> entry = entries.next();
            if (!visitor.visit((byte[]) entry.getKey(), entry.getValue())) {
                return;
            }
            Tree now = openTree();
            if (now != current && entries.hasNext()) {
                current = now;
                entries = now.ascending((byte[]) entries.next().getKey(), true);
            }
        }
    }

    private void scanDown(byte @Nullable [] from, boolean inclusive, Visitor visitor) throws IOException {
        Tree current = openTree();
        Tree.Descent descent =
                from == null ? current.descending(GREATEST_KEY, true) : current.descending(from, inclusive);
        List<Map.Entry<Object, Long>> found = new ArrayList<>();
        while (true) {
            found.clear();
            descent.next(found);
            if (found.isEmpty()) {
                return;
            }
            for (int i = found.size() - 1; i >= 0; i--) {
                Map.Entry<Object, Long> entry = found.get(i);
                if (!visitor.visit((byte[]) entry.getKey(), entry.getValue())) {
                    return;
                }
                Tree now = openTree();
                if (now != current) {
                    current = now;
                    descent = i == 0
                            ? now.descending(descent)
                            : now.descending((byte[]) found.get(i - 1).getKey(), true);
                    break;
                }
            }
        }
    }

    private void count(int keys, int bytes) {
        // Only the writer adds: an ordered store is enough.
        size.lazySet(size.getPlain() + keys);
        keyBytes.lazySet(keyBytes.getPlain() + bytes);
        int length = Math.abs(bytes);
        if (length != commonLength && commonLength != DIFFERENT_LENGTHS) {
            commonLength = commonLength == NO_LENGTH ? length : DIFFERENT_LENGTHS;
        }
    }

    /** Follows a change that was made in the tree in place: {@link #ABSENT} is a removed key. */
    private void changed(Tree current, byte[] key, long locator) {
        Rebuild running = rebuild;
        if (running != null) {
            running.apply(key, locator);
            if (running.step()) {
                tree = running.target();
                rebuild = null;
            }
        } else if (locator == ABSENT
                && current.nodes() > MIN_NODES_TO_REBUILD
                && size.getPlain() < (long) current.nodes() * MIN_KEYS_PER_NODE) {
            rebuild = new Rebuild(current, new Tree(MAX_NODE_SIZE), KEYS_PER_STEP);
        }
    }

    private static byte[] keyOf(byte[] key, int offset, int length) {
        return offset == 0 && length == key.length ? key : Arrays.copyOfRange(key, offset, offset + length);
    }

    private static Long checked(long locator) {
        if (locator == ABSENT) {
            throw new IllegalArgumentException("a locator must not be " + ABSENT);
        }
        return locator;
    }

    private static byte[] greatestKey() {
        byte[] key = new byte[0xFFFF];
        Arrays.fill(key, (byte) -1);
        return key;
    }
}
