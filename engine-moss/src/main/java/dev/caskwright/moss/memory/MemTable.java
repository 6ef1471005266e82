package dev.caskwright.moss.memory;

import dev.caskwright.api.spi.index.KeyHash;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/*
 * A skip list (Pugh 1990) in one int array, beside an arena of bytes. One thread adds; any number of threads read
 * meanwhile, without a lock: a node is filled in before a link to it is stored, with release, and links are read with
 * acquire. When the array is full the writer goes on in a longer copy; a reader that still has the old one misses only
 * writes that it would not show anyway, because it took the last visible version before it took the array.
 *
 * A key has one node for each write to it, the newest first. Readers pass over nodes that are newer than what they may
 * show.
 *
 * Of most keys that a get asks for, most tables have nothing, and a search would wait for memory a dozen times. So there
 * is a filter: for each key two bits of one word, nine bits a key in all. It is longer with each longer list of nodes. Its
 * bits are set before the write is shown, so a reader that may see a write finds them.
 */
/**
 * The layer that takes writes. It keeps every version that it was given, so that a reader with an older moment finds
 * what was there then. One thread writes at a time; reads are for any thread.
 */
public final class MemTable implements Layer {
    // A node: these ints, then a link for each of its levels.
    private static final int HEAD_HIGH = 0;
    private static final int HEAD_LOW = 1;
    private static final int CHUNK = 2;
    private static final int OFFSET = 3;
    private static final int KEY_LENGTH = 4;
    private static final int VALUE_LENGTH = 5;
    private static final int KIND = 6;
    private static final int VERSION = 7;
    private static final int LINKS = 8;

    private static final int END = 0; // the head is no node's successor
    private static final int MAX_LEVELS = 12;
    private static final int KIND_MASK = 0xF;
    private static final int LEVELS_SHIFT = 4;
    private static final int LAST_OF_BATCH = 1 << 16;
    private static final int FIRST_INTS = 1 << 10;
    private static final int MOST_INTS = 1 << 29;
    private static final int INTS_PER_WORD = Long.SIZE; // of the filter: a bit an int, and some nine of these a key
    private static final KeyHash HASH =
            new KeyHash(0x7461626C65L); // whoever knows it can make searches slow, not wrong
    private static final VarHandle LINK = MethodHandles.arrayElementVarHandle(int[].class);

    private final RangeSet ranges;
    private final long baseVersion;
    private final Arena arena = new Arena();

    private volatile int[] nodes;
    private volatile long[] filter;
    private volatile long visible;
    private volatile boolean endsBatch = true;

    // The writer's.
    private final int[] path = new int[MAX_LEVELS]; // the last node before the place of the last insertion, by level
    private int used = LINKS + MAX_LEVELS;
    private int entries;
    private long seed;

    /**
     * Makes an empty table.
     *
     * @param ranges what the table deletes from lower layers
     * @param baseVersion the last version before its first write
     */
    public MemTable(RangeSet ranges, long baseVersion) {
        this(ranges, baseVersion, FIRST_INTS);
    }

    private MemTable(RangeSet ranges, long baseVersion, int ints) {
        this.nodes = new int[ints];
        this.filter = new long[Integer.highestOneBit(ints / INTS_PER_WORD)];
        this.ranges = ranges;
        this.baseVersion = baseVersion;
        this.visible = baseVersion;
        this.seed = baseVersion * 0x9E3779B97F4A7C15L + 1;
    }

    /** Returns an empty table that follows this one, with half of its room from the start. */
    public MemTable next(long version) {
        return new MemTable(RangeSet.EMPTY, version, Math.max(FIRST_INTS, nodes.length / 2));
    }

    /**
     * Adds a write, which nobody sees until {@link #publish}.
     *
     * @param version more than that of any other write
     */
    public void add(
            int kind,
            byte[] key,
            int keyOffset,
            int keyLength,
            byte[] value,
            int valueOffset,
            int valueLength,
            long version,
            boolean isLastOfBatch) {
        int levels = levels();
        int[] list = room(LINKS + levels);
        arena.reserve(keyLength + valueLength);
        byte[] chunk = arena.chunk();
        int offset = arena.offset();
        System.arraycopy(key, keyOffset, chunk, offset, keyLength);
        System.arraycopy(value, valueOffset, chunk, offset + keyLength, valueLength);
        arena.advance(keyLength + valueLength);

        note(filter, HASH.hash(key, keyOffset, keyLength));
        long head = Keys.head(key, keyOffset, keyLength);
        findPath(list, head, key, keyOffset, keyLength);
        int node = used;
        used += LINKS + levels;
        list[node + HEAD_HIGH] = (int) (head >>> 32);
        list[node + HEAD_LOW] = (int) head;
        list[node + CHUNK] = arena.number();
        list[node + OFFSET] = offset;
        list[node + KEY_LENGTH] = keyLength;
        list[node + VALUE_LENGTH] = valueLength;
        list[node + KIND] = kind | levels << LEVELS_SHIFT | (isLastOfBatch ? LAST_OF_BATCH : 0);
        list[node + VERSION] = (int) (version - baseVersion);
        for (int level = 0; level < levels; level++) {
            int before = path[level];
            list[node + LINKS + level] = list[before + LINKS + level];
            LINK.setRelease(list, before + LINKS + level, node);
            path[level] = node;
        }
        entries++;
    }

    /** Shows all writes up to a version. */
    public void publish(long version) {
        visible = version;
    }

    /** Returns whether so many more writes fit, whatever their lengths. */
    public boolean hasRoomFor(int writes) {
        return used + (long) writes * (LINKS + MAX_LEVELS) < MOST_INTS;
    }

    private int levels() {
        long x = seed;
        x ^= x << 13;
        x ^= x >>> 7;
        x ^= x << 17;
        seed = x;
        return Math.min(MAX_LEVELS, 1 + (Long.numberOfTrailingZeros(x) >> 1));
    }

    /** Makes room, so that so many more writes with so many bytes of keys and values take no further memory. */
    public void reserve(int writes, int bytes) {
        room(writes * (LINKS + MAX_LEVELS));
        arena.reserve(bytes);
    }

    private int[] room(int needed) {
        int[] list = nodes;
        if (used + needed > list.length) {
            list = Arrays.copyOf(list, Math.max(2 * list.length, used + needed));
            filter = filterOf(list);
            nodes = list;
        }
        return list;
    }

    private long[] filterOf(int[] list) {
        long[] words = new long[Integer.highestOneBit(list.length / INTS_PER_WORD)];
        int node = firstPosition();
        while (node < used) {
            int length = list[node + KEY_LENGTH];
            note(words, HASH.hash(arena.chunk(list[node + CHUNK]), list[node + OFFSET], length));
            node += LINKS + (list[node + KIND] >>> LEVELS_SHIFT & KIND_MASK);
        }
        return words;
    }

    private static void note(long[] words, long hash) {
        words[(int) (hash >>> Integer.SIZE) & words.length - 1] |= bits(hash);
    }

    private static long bits(long hash) {
        return 1L << hash | 1L << (hash >>> 6); // shifts take six bits each
    }

    /** Returns the hash that {@link #mayHave} takes. */
    static long filterHash(byte[] key) {
        return HASH.hash(key, 0, key.length);
    }

    private boolean mayHave(long hash) {
        long[] words = filter;
        long bits = bits(hash);
        return (words[(int) (hash >>> Integer.SIZE) & words.length - 1] & bits) == bits;
    }

    /**
     * Sets the path to the last nodes whose keys are less. Starts at the last insertion if that is right before the
     * place.
     */
    private void findPath(int[] list, long head, byte[] key, int offset, int length) {
        int near = path[0];
        if (near != END && isLess(list, near, head, key, offset, length)) {
            int next = list[near + LINKS];
            if (next == END || !isLess(list, next, head, key, offset, length)) {
                return;
            }
        }
        int node = END;
        for (int level = MAX_LEVELS - 1; level >= 0; level--) {
            int next = list[node + LINKS + level];
            while (next != END && isLess(list, next, head, key, offset, length)) {
                node = next;
                next = list[node + LINKS + level];
            }
            path[level] = node;
        }
    }

    private boolean isLess(int[] list, int node, long head, byte[] key, int offset, int length) {
        long other = headOf(list, node);
        if (other != head) {
            return Long.compareUnsigned(other, head) < 0;
        }
        return compareTails(list, node, key, offset, length) < 0;
    }

    private static long headOf(int[] list, int node) {
        return (long) list[node + HEAD_HIGH] << 32 | list[node + HEAD_LOW] & 0xFFFFFFFFL;
    }

    private int compareTails(int[] list, int node, byte[] key, int offset, int length) {
        byte[] chunk = arena.chunk(list[node + CHUNK]);
        int from = list[node + OFFSET];
        return Arrays.compareUnsigned(chunk, from, from + list[node + KEY_LENGTH], key, offset, offset + length);
    }

    /** Returns the first node whose key is not less, for readers. */
    private int ceiling(int[] list, byte[] key) {
        long head = Keys.head(key, 0, key.length);
        int node = END;
        int next = END;
        for (int level = MAX_LEVELS - 1; level >= 0; level--) {
            next = link(list, node, level);
            while (next != END && isLess(list, next, head, key, 0, key.length)) {
                node = next;
                next = link(list, node, level);
            }
        }
        return next;
    }

    /** Returns the last node whose key is less, for readers; {@link #END} if there is none. */
    private int lower(int[] list, byte[] key, int offset, int length) {
        long head = Keys.head(key, offset, length);
        int node = END;
        for (int level = MAX_LEVELS - 1; level >= 0; level--) {
            int next = link(list, node, level);
            while (next != END && isLess(list, next, head, key, offset, length)) {
                node = next;
                next = link(list, node, level);
            }
        }
        return node;
    }

    private static int link(int[] list, int node, int level) {
        return (int) LINK.getAcquire(list, node + LINKS + level);
    }

    private boolean hasKey(int[] list, int node, byte[] key, int offset, int length) {
        byte[] chunk = arena.chunk(list[node + CHUNK]);
        int from = list[node + OFFSET];
        return Arrays.equals(chunk, from, from + list[node + KEY_LENGTH], key, offset, offset + length);
    }

    private long versionOf(int[] list, int node) {
        return baseVersion + (list[node + VERSION] & 0xFFFFFFFFL);
    }

    @Override
    public void find(Probe probe, long shown) {
        if (!mayHave(probe.tableHash())) {
            return;
        }
        int[] list = nodes;
        byte[] key = probe.key();
        int node = ceiling(list, key);
        while (node != END && !probe.isDone() && hasKey(list, node, key, 0, key.length)) {
            long version = versionOf(list, node);
            if (version <= shown) {
                int valueFrom = list[node + OFFSET] + list[node + KEY_LENGTH];
                int kind = list[node + KIND] & KIND_MASK;
                probe.take(kind, arena.chunk(list[node + CHUNK]), valueFrom, list[node + VALUE_LENGTH], version);
            }
            node = link(list, node, 0);
        }
    }

    /** Returns the last version that readers may see. */
    public long visible() {
        return visible;
    }

    /** Returns how many writes the table has. For the writer. */
    public int entries() {
        return entries;
    }

    /** Returns the position after the last write, for {@link #visitFrom}. For the writer. */
    public int position() {
        return used;
    }

    /** Returns the position of the first write. */
    public static int firstPosition() {
        return LINKS + MAX_LEVELS;
    }

    /** Takes writes in the order in which they were added. */
    public interface Visitor {
        void write(
                int kind,
                byte[] source,
                int keyOffset,
                int keyLength,
                int valueLength,
                long version,
                boolean isLastOfBatch);
    }

    /** Shows the writes from a position on, in the order in which they were added. For the writer. */
    public void visitFrom(int position, Visitor visitor) {
        int[] list = nodes;
        int node = position;
        while (node < used) {
            int kind = list[node + KIND];
            visitor.write(
                    kind & KIND_MASK,
                    arena.chunk(list[node + CHUNK]),
                    list[node + OFFSET],
                    list[node + KEY_LENGTH],
                    list[node + VALUE_LENGTH],
                    versionOf(list, node),
                    (kind & LAST_OF_BATCH) != 0);
            node += LINKS + (kind >>> LEVELS_SHIFT & KIND_MASK);
        }
    }

    @Override
    public RangeSet ranges() {
        return ranges;
    }

    @Override
    public long bytes() {
        return arena.bytes() + (long) Integer.BYTES * nodes.length + (long) Long.BYTES * filter.length + ranges.bytes();
    }

    @Override
    public boolean endsBatch() {
        return endsBatch;
    }

    /** Says that the batch of the last write goes on in the table above. Before anybody else sees this table. */
    public void continueBatch() {
        endsBatch = false;
    }

    /** Returns whether there is neither a write nor a range. For the writer. */
    public boolean isEmpty() {
        return entries == 0 && ranges.isEmpty();
    }

    @Override
    public long firstVersion() {
        return baseVersion + 1;
    }

    @Override
    public long lastVersion() {
        return visible;
    }

    @Override
    public LayerCursor cursor(long shown) {
        return new TableCursor(nodes, shown);
    }

    /**
     * Walks over keys; of each it shows the newest version that may be shown, and what lies below as far as it matters.
     */
    private final class TableCursor extends LayerCursor {
        private final int[] list;
        private final long shown;
        private int next = END; // the first node of a later key, or one that may not be shown

        TableCursor(int[] list, long shown) {
            this.list = list;
            this.shown = shown;
        }

        @Override
        public boolean first() {
            next = link(list, END, 0);
            return next();
        }

        @Override
        public boolean atOrAfter(byte[] key) {
            next = ceiling(list, key);
            return next();
        }

        @Override
        public boolean last() {
            int node = END;
            for (int level = MAX_LEVELS - 1; level >= 0; level--) {
                for (int more = link(list, node, level); more != END; more = link(list, node, level)) {
                    node = more;
                }
            }
            return showKeyOf(node);
        }

        @Override
        public boolean before(byte[] key) {
            return showKeyOf(lower(list, key, 0, key.length));
        }

        @Override
        public boolean previous() {
            return showKeyOf(lower(list, keySource, keyOffset, keyLength));
        }

        /** Shows the key of a node, or, if none of its versions may be shown, the next lower one. */
        private boolean showKeyOf(int start) {
            int node = start;
            while (node != END) {
                byte[] chunk = arena.chunk(list[node + CHUNK]);
                int from = list[node + OFFSET];
                int length = list[node + KEY_LENGTH];
                int less = lower(list, chunk, from, length);
                int newest = link(list, less, 0);
                while (newest != END && versionOf(list, newest) > shown && hasKey(list, newest, chunk, from, length)) {
                    newest = link(list, newest, 0);
                }
                if (newest != END && hasKey(list, newest, chunk, from, length)) {
                    show(newest);
                    return true;
                }
                node = less;
            }
            return false;
        }

        @Override
        public boolean next() {
            int node = next;
            while (node != END && versionOf(list, node) > shown) {
                node = link(list, node, 0);
            }
            if (node == END) {
                next = END;
                return false;
            }
            show(node);
            return true;
        }

        private void show(int node) {
            keySource = arena.chunk(list[node + CHUNK]);
            keyOffset = list[node + OFFSET];
            keyLength = list[node + KEY_LENGTH];
            version = versionOf(list, node);
            kind = list[node + KIND] & KIND_MASK;
            takeValue(node);
            operands = null;
            int after = link(list, node, 0);
            if (kind == Kind.MERGE || kind == Kind.MERGES) {
                after = showOperands(node);
            }
            while (after != END && hasKey(list, after, keySource, keyOffset, keyLength)) {
                after = link(list, after, 0);
            }
            next = after;
        }

        private void takeValue(int node) {
            valueSource = arena.chunk(list[node + CHUNK]);
            valueOffset = list[node + OFFSET] + list[node + KEY_LENGTH];
            valueLength = list[node + VALUE_LENGTH];
        }

        /** Collects operands down to a value, a delete or the last version, and returns the node after. */
        private int showOperands(int start) {
            List<byte[]> found = new ArrayList<>();
            kind = Kind.MERGE;
            int node = start;
            while (node != END && kind == Kind.MERGE && hasKey(list, node, keySource, keyOffset, keyLength)) {
                int each = list[node + KIND] & KIND_MASK;
                takeValue(node);
                if (each == Kind.MERGE) {
                    found.add(value());
                } else if (each == Kind.MERGES) {
                    Operands.addTo(found, valueSource, valueOffset, valueLength);
                } else {
                    kind = each;
                }
                node = link(list, node, 0);
            }
            operands = found;
            return node;
        }
    }
}
