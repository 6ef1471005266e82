package dev.caskwright.bolt.page;

import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Looks a key up from a root page down, where the file is mapped: one loop over numbers, that points no {@link Page} and makes no
 * object. It checks all that it uses, as that does; where anything is not as it should be, or not usual, such as a run that lies
 * in two windows, it is undecided, and a descent by {@link PageStore#read} finds out and says what is wrong. For one thread.
 */
public final class PageLookup {
    /** The key is there: {@link #bytes}, {@link #valueAt}, {@link #valueLength} and {@link #elementFlags} say where. */
    public static final int FOUND = 1;

    /** There is no such key. */
    public static final int ABSENT = 0;

    /** Another way must be taken. */
    public static final int UNDECIDED = -1;

    private static final int MAX_DEPTH = 64;
    private static final int UNKNOWN = -1;
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final PageStore store;
    private final long highWater;
    private int leafDepth = UNKNOWN; // where the last lookup came to a leaf
    private ByteBuffer bytes = NOTHING;
    private int valueAt;
    private int valueLength;
    private int elementFlags;

    @SuppressWarnings("UnusedVariable") // kept so that the reads are not left out
    private long fetched;

    /** @param highWater pages from this one on do not exist */
    public PageLookup(PageStore store, long highWater) {
        this.store = store;
        this.highWater = highWater;
    }

    /** Returns the bytes that hold the value found last. */
    public ByteBuffer bytes() {
        return bytes;
    }

    /** Returns where the value found last starts. */
    public int valueAt() {
        return valueAt;
    }

    /** Returns the length of the value found last. */
    public int valueLength() {
        return valueLength;
    }

    /** Returns the flags of the element found last. */
    public int elementFlags() {
        return elementFlags;
    }

    /**
     * Looks a key up.
     *
     * @throws InternalError if mapped bytes are gone
     */
    public int find(long root, byte[] key, int offset, int length) {
        ByteBuffer[] windows = store.windows();
        if (windows == null || store.order() != ByteOrder.LITTLE_ENDIAN) {
            return UNDECIDED;
        }
        long firstWord = Bytes.word(key, offset, length, 0);
        long secondWord = Bytes.word(key, offset, length, Long.BYTES);
        long pageSize = store.pageSize();
        long id = root;
        for (int depth = 0; depth < MAX_DEPTH; depth++) {
            if (id < 2 || id >= highWater) {
                return UNDECIDED;
            }
            long place = id * pageSize;
            ByteBuffer window = windows[PageStore.window(place)];
            int start = PageStore.indexInWindow(place);
            if (depth == leafDepth) {
                fetched = PageStore.fetch(
                        window, start, (int) pageSize); // of branches there are few, which the caches hold
            }
            long header = Bytes.getLong(window, start + PageFormat.FLAGS_OFFSET);
            int flags = (int) header & 0xFFFF;
            int count = (int) header >>> Short.SIZE;
            long runPages = (header >>> Integer.SIZE) + 1;
            long runLength = runPages * pageSize;
            if (Bytes.getLong(window, start) != id
                    || runPages > highWater - id
                    || start + runLength > window.capacity()
                    || PageFormat.HEADER_LENGTH + (long) count * PageFormat.ELEMENT_LENGTH > runLength) {
                return UNDECIDED;
            }
            int end = start + (int) runLength;
            if (flags == PageFormat.LEAF) {
                leafDepth = depth;
                return findInLeaf(window, start, count, end, key, offset, length, firstWord, secondWord);
            }
            if (flags != PageFormat.BRANCH || count == 0) {
                return UNDECIDED;
            }
            int elements = start + PageFormat.HEADER_LENGTH;
            int low = 0;
            int high = count - 1;
            while (low <= high) {
                int middle = (low + high) >>> 1;
                int element = elements + middle * PageFormat.ELEMENT_LENGTH;
                long pair = Bytes.getLong(window, element);
                long at = element + (pair & 0xFFFFFFFFL);
                long keyLength = pair >>> Integer.SIZE;
                if (at + keyLength > end) {
                    return UNDECIDED;
                }
                int order =
                        Bytes.compare(window, (int) at, (int) keyLength, key, offset, length, firstWord, secondWord);
                if (order <= 0) {
                    low = middle + 1;
                } else {
                    high = middle - 1;
                }
            }
            // The last key that is not after the one wanted; the first one if all are.
            int child = elements + Math.max(0, high) * PageFormat.ELEMENT_LENGTH;
            id = Bytes.getLong(window, child + PageFormat.BRANCH_CHILD_OFFSET);
        }
        return UNDECIDED;
    }

    private int findInLeaf(
            ByteBuffer window,
            int start,
            int count,
            int end,
            byte[] key,
            int offset,
            int length,
            long firstWord,
            long secondWord) {
        int elements = start + PageFormat.HEADER_LENGTH;
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            int element = elements + middle * PageFormat.ELEMENT_LENGTH;
            long pair = Bytes.getLong(window, element);
            long lengths = Bytes.getLong(window, element + PageFormat.LEAF_KEY_LENGTH_OFFSET);
            long at = element + (pair >>> Integer.SIZE);
            long keyLength = lengths & 0xFFFFFFFFL;
            if (at + keyLength > end) {
                return UNDECIDED;
            }
            int order = Bytes.compare(window, (int) at, (int) keyLength, key, offset, length, firstWord, secondWord);
            if (order == 0) {
                long value = at + keyLength;
                if (value + (lengths >>> Integer.SIZE) > end) {
                    return UNDECIDED;
                }
                bytes = window;
                valueAt = (int) value;
                valueLength = (int) (lengths >>> Integer.SIZE);
                elementFlags = (int) pair;
                return FOUND;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return ABSENT;
    }
}
