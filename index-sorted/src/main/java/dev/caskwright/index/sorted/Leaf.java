package dev.caskwright.index.sorted;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.LongBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * Up to {@value #MAX_KEYS} keys with their locators. Keys that come are appended after those that are in order, and take
 * effect when the count is set; a key that goes keeps its slot, with no locator. So readers need no lock, and a leaf is
 * made again only when it is full.
 *
 * <p>A slot is the head of the key and its locator. What is behind the head is in an array of bytes: most lookups do not
 * touch it. See {@link KeyWords} for heads.
 */
final class Leaf extends Node {
    /** How many slots a leaf has at most. More make scans faster and puts slower; measured with 1 M keys of 16 bytes. */
    static final int MAX_KEYS = 64;

    /** How many slots are left for keys to come when a leaf is made. */
    static final int SLACK = 16;

    /** A leaf of long keys has fewer, of about so many bytes, so that rebuilding it does not take long. */
    static final int MAX_BYTES = 1 << 15;

    /** What {@link #find} returns if not even the head is there. */
    private static final int NONE = -1;
    /** What {@link #find} returns if another key has the head. */
    private static final int TWIN = -2;

    private static final int OBJECT_BYTES = 56;
    /** Fewer bytes are not worth looking at. */
    private static final int FEW_BYTES = 1 << 13;

    /** In place of the one length that all keys have behind the prefix. */
    static final int DIFFERENT_LENGTHS = -1;

    private static final byte[] NO_BYTES = {};
    /** The low bits of an entry of {@link #rests}: how long the head is. */
    private static final int LENGTH_BITS = 4;

    private static final int LENGTH_MASK = (1 << LENGTH_BITS) - 1;
    private static final int COUNT_BITS = 16;
    private static final int COUNT_MASK = (1 << COUNT_BITS) - 1;

    private static final VarHandle LOCATOR = MethodHandles.arrayElementVarHandle(long[].class);
    private static final VarHandle STATE;
    private static final VarHandle ORDER;
    /** By number of slots, the order of those that are in order. */
    private static final byte[][] IN_ORDER = inOrder();

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(Leaf.class, "state", int.class);
            ORDER = MethodHandles.lookup().findVarHandle(Leaf.class, "knownOrder", byte[].class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    /** What all keys begin with. */
    private final byte[] prefix;
    /** Slot i: the head at 2 i, the locator at 2 i + 1. */
    private final long[] slots;
    /**
     * Slot i: how long the head is, and where what is behind it begins in {@link #tails}; it ends where that of slot i + 1
     * begins. Null if what is behind the prefix has one length in all keys, {@link #restLength}.
     */
    private final int @Nullable [] rests;

    private final int restLength;
    private final byte[] tails;
    private final int prefixLength;

    /** How many slots are in use, and of these, in the high bits, how many from the first on are in order. */
    @SuppressWarnings("unused") // by STATE
    private int state;

    /** The order of as many slots as it is long, which does not change: keys are only appended. Kept by who needs it first. */
    @SuppressWarnings("unused") // by ORDER
    private byte @Nullable [] knownOrder;

    /** Slots without a locator. Only the writer looks. */
    private int dead;

    /** Whether two keys have the same head. Set before the slots can be seen. */
    private boolean hasTwins;

    /** Makes a leaf without keys; {@code restLength} is that of all keys after the prefix, or {@link #DIFFERENT_LENGTHS}. */
    private Leaf(byte[] prefix, int slots, int restLength, int tailBytes) {
        this.prefix = prefix;
        this.prefixLength = prefix.length;
        this.slots = new long[2 * slots];
        this.rests = restLength == DIFFERENT_LENGTHS ? new int[slots + 1] : null;
        this.restLength = restLength;
        this.tails = tailBytes == 0 ? NO_BYTES : new byte[tailBytes];
    }

    private static byte[][] inOrder() {
        byte[][] orders = new byte[MAX_KEYS + 1][];
        for (int count = 0; count <= MAX_KEYS; count++) {
            orders[count] = new byte[count];
            for (int i = 0; i < count; i++) {
                orders[count][i] = (byte) i;
            }
        }
        return orders;
    }

    static Leaf empty() {
        return new Leaf(NO_BYTES, SLACK, DIFFERENT_LENGTHS, SLACK * KeyWords.HEAD_BYTES);
    }

    /** Makes a leaf of entries {@code from} to {@code to}, with room for {@code slack} more. */
    static Leaf of(Entries entries, int from, int to, int slack) {
        int count = to - from;
        byte[] bytes = entries.bytes;
        int[] starts = entries.starts;
        // Of one key nothing is known of what the next ones have in common with it.
        int prefixLength = count == 1
                ? 0
                : KeyWords.commonPrefix(bytes, starts[from], starts[from + 1], bytes, starts[to - 1], starts[to]);
        int tailBytes = 0;
        int restLength = entries.length(from) - prefixLength;
        for (int i = from; i < to; i++) {
            int length = entries.length(i) - prefixLength;
            tailBytes += Math.max(0, length - KeyWords.HEAD_BYTES);
            restLength = length == restLength ? length : DIFFERENT_LENGTHS;
        }
        byte[] prefix =
                prefixLength == 0 ? NO_BYTES : Arrays.copyOfRange(bytes, starts[from], starts[from] + prefixLength);
        Leaf leaf = new Leaf(prefix, count + slack, restLength, withSlack(tailBytes, count, slack));
        for (int i = 0; i < count; i++) {
            int entry = from + i;
            leaf.set(
                    i,
                    bytes,
                    starts[entry] + prefixLength,
                    entries.length(entry) - prefixLength,
                    entries.locators[entry]);
            leaf.hasTwins |= i > 0 && leaf.slots[2 * i] == leaf.slots[2 * i - 2];
        }
        STATE.set(leaf, count << COUNT_BITS | count);
        return leaf;
    }

    /** Returns how many bytes the leaf takes in an image; its keys are in order, and there are no others. */
    int imageBytes() {
        int count = live();
        return imageBytes(count, prefixLength, restLength, tailStart(count));
    }

    static int imageBytes(int count, int prefixLength, int restLength, int tailBytes) {
        return prefixLength
                + (restLength == DIFFERENT_LENGTHS ? count * Short.BYTES : 0)
                + count * 2 * Long.BYTES
                + tailBytes;
    }

    /** Writes what {@link TreeImage} says of a leaf behind its header. */
    void writeImage(byte[] target, int offset) {
        int count = live();
        int at = offset;
        System.arraycopy(prefix, 0, target, at, prefixLength);
        at += prefixLength;
        for (int slot = 0; rests != null && slot < count; slot++) {
            TreeImage.SHORT.set(target, at, (short) (keyLength(slot) - prefixLength));
            at += Short.BYTES;
        }
        longs(target, at, count).put(0, slots, 0, 2 * count);
        System.arraycopy(tails, 0, target, at + count * 2 * Long.BYTES, tailStart(count));
    }

    /** Makes a leaf of what {@link #writeImage} wrote; returns null if the keys are not in order, or are none. */
    static @Nullable Leaf ofImage(
            byte[] source, int offset, int count, int prefixLength, int restLength, int tailBytes) {
        int at = offset + prefixLength;
        byte[] prefix = prefixLength == 0 ? NO_BYTES : Arrays.copyOfRange(source, offset, at);
        Leaf leaf = new Leaf(prefix, count, restLength, tailBytes);
        if (leaf.rests != null) {
            int start = 0;
            for (int slot = 0; slot < count; slot++) {
                int length = (short) TreeImage.SHORT.get(source, at) & 0xFFFF;
                int headLength = Math.min(length, KeyWords.HEAD_BYTES);
                leaf.rests[slot] = start << LENGTH_BITS | headLength;
                start += length - headLength;
                at += Short.BYTES;
            }
            leaf.rests[count] = start << LENGTH_BITS;
        }
        longs(source, at, count).get(0, leaf.slots, 0, 2 * count);
        System.arraycopy(source, at + count * 2 * Long.BYTES, leaf.tails, 0, tailBytes);
        if (!leaf.isInOrder(count)) {
            return null;
        }
        STATE.set(leaf, count << COUNT_BITS | count);
        return leaf;
    }

    private static LongBuffer longs(byte[] bytes, int at, int slots) {
        return ByteBuffer.wrap(bytes, at, slots * 2 * Long.BYTES)
                .slice()
                .order(ByteOrder.LITTLE_ENDIAN)
                .asLongBuffer();
    }

    /** Returns whether slots, which nobody has seen yet, have locators, and keys in ascending order. */
    private boolean isInOrder(int count) {
        for (int slot = 0; slot < count; slot++) {
            if (slots[2 * slot + 1] == KeyIndex.ABSENT || !KeyWords.isHead(slots[2 * slot], headLength(slot))) {
                return false;
            }
            if (slot > 0 && slots[2 * slot - 2] >= slots[2 * slot]) {
                if (compareSlots(slot - 1, slot) >= 0) {
                    return false;
                }
                hasTwins = true;
            }
        }
        return true;
    }

    int prefixLength() {
        return prefixLength;
    }

    /** Returns the length that all keys have behind the prefix, or {@link #DIFFERENT_LENGTHS}. */
    int restLength() {
        return restLength;
    }

    /** Returns how many bytes of tails a leaf has room for: those of its keys, and of {@code slack} more or, if they are long, of one. */
    private static int withSlack(int tailBytes, int count, int slack) {
        int average = (tailBytes + count - 1) / count;
        return tailBytes + Math.min(average * slack, Math.max(average, MAX_BYTES - tailBytes));
    }

    @Override
    long bytes() {
        return OBJECT_BYTES
                + (prefixLength == 0 ? 0 : arrayBytes(prefixLength))
                + arrayBytes((long) slots.length * Long.BYTES)
                + (rests == null ? 0 : arrayBytes((long) rests.length * Integer.BYTES))
                + (tails.length == 0 ? 0 : arrayBytes(tails.length))
                + arrayBytes(slots.length / 2); // for the order, once it is known
    }

    /** Returns how many keys the leaf has. For the writer. */
    int live() {
        return (plainState() & COUNT_MASK) - dead;
    }

    /** Returns whether a leaf rebuilt would take much less memory. For the writer. */
    boolean isWasteful() {
        int live = live();
        if (dead > live + SLACK / 2) {
            return true;
        }
        if (tails.length <= FEW_BYTES) {
            return false;
        }
        int tailBytes = 0;
        for (int slot = 0; slot < live + dead; slot++) {
            tailBytes += locator(slot) == KeyIndex.ABSENT ? 0 : tailStart(slot + 1) - tailStart(slot);
        }
        return live == 0 || 2 * withSlack(tailBytes, live, SLACK) < tails.length;
    }

    /** Returns the sum of the lengths of the keys. For the writer. */
    int liveBytes() {
        int bytes = 0;
        for (int slot = 0; slot < live() + dead; slot++) {
            bytes += locator(slot) == KeyIndex.ABSENT ? 0 : keyLength(slot);
        }
        return bytes;
    }

    /** Returns the slot of the key, which may have no locator, or a negative number. */
    int find(byte[] key, int offset, int length) {
        return find(key, offset, length, true);
    }

    /**
     * Returns the slot of the key or, if only the bytes after its head differ from those of the only key that has the same,
     * the slot of that; or a negative number.
     */
    int findCandidate(byte[] key, int offset, int length) {
        return find(key, offset, length, false);
    }

    private int find(byte[] key, int offset, int length, boolean isExact) {
        int skipped = prefixLength;
        int left = length - skipped;
        if (left < 0 || skipped != 0 && !Arrays.equals(prefix, 0, skipped, key, offset, offset + skipped)) {
            return NONE;
        }
        int from = offset + skipped;
        long head = KeyWords.head(key, from, left);
        int count = (int) STATE.getAcquire(this) & COUNT_MASK;
        boolean exactly = isExact || hasTwins;
        int missing = NONE;
        // All slots one by one: their cache lines come at once, where a search by halves waits for one after the other.
        for (int slot = 0; slot < count; slot++) {
            if (slots[2 * slot] == head) {
                if (!exactly || compareRest(slot, key, from, left) == 0) {
                    return slot;
                }
                missing = TWIN;
            }
        }
        return missing;
    }

    /** Compares the key of a slot with one that has the same prefix and head. */
    private int compareRest(int slot, byte[] key, int offset, int length) {
        int headLength = headLength(slot);
        int otherLength = Math.min(length, KeyWords.HEAD_BYTES);
        if (headLength != otherLength) {
            return headLength - otherLength;
        }
        if (headLength < KeyWords.HEAD_BYTES) {
            return 0;
        }
        return Arrays.compareUnsigned(
                tails, tailStart(slot), tailStart(slot + 1), key, offset + KeyWords.HEAD_BYTES, offset + length);
    }

    private int compareSlots(int left, int right) {
        int order = Long.compare(slots[2 * left], slots[2 * right]);
        if (order == 0) {
            order = headLength(left) - headLength(right);
        }
        return order != 0
                ? order
                : Arrays.compareUnsigned(
                        tails, tailStart(left), tailStart(left + 1), tails, tailStart(right), tailStart(right + 1));
    }

    private int headLength(int slot) {
        return rests == null ? Math.min(restLength, KeyWords.HEAD_BYTES) : rests[slot] & LENGTH_MASK;
    }

    private int tailStart(int slot) {
        return rests == null ? slot * Math.max(0, restLength - KeyWords.HEAD_BYTES) : rests[slot] >>> LENGTH_BITS;
    }

    long locator(int slot) {
        return (long) LOCATOR.getAcquire(slots, 2 * slot + 1);
    }

    /** Gives a slot another locator, or none. For the writer. */
    void setLocator(int slot, long locator) {
        long before = slots[2 * slot + 1];
        dead += (locator == KeyIndex.ABSENT ? 1 : 0) - (before == KeyIndex.ABSENT ? 1 : 0);
        LOCATOR.setRelease(slots, 2 * slot + 1, locator);
    }

    /**
     * Appends a key that has no slot; returns false, with nothing changed, if the leaf has no room for it.
     *
     * @param missing what {@link #find} said
     */
    boolean append(int missing, byte[] key, int offset, int length, long locator) {
        int now = plainState();
        int count = now & COUNT_MASK;
        int skipped = prefixLength;
        int left = length - skipped;
        if (2 * count == slots.length
                || left < 0
                || rests == null && left != restLength
                || tails.length - tailStart(count) < left - KeyWords.HEAD_BYTES
                || !Arrays.equals(prefix, 0, skipped, key, offset, offset + skipped)) {
            return false;
        }
        set(count, key, offset + skipped, left, locator);
        hasTwins |= missing == TWIN;
        int sorted = now >>> COUNT_BITS;
        if (sorted == count && (count == 0 || compareSlots(count - 1, count) < 0)) {
            sorted++;
        }
        STATE.setRelease(this, sorted << COUNT_BITS | count + 1);
        return true;
    }

    private int plainState() {
        return (int) STATE.get(this);
    }

    /** Writes the slot, which nobody looks at yet. */
    private void set(int slot, byte[] key, int offset, int length, long locator) {
        int headLength = Math.min(length, KeyWords.HEAD_BYTES);
        int start = tailStart(slot);
        int tail = length - headLength;
        slots[2 * slot] = KeyWords.head(key, offset, length);
        slots[2 * slot + 1] = locator;
        System.arraycopy(key, offset + headLength, tails, start, tail);
        if (rests != null) {
            // The reader of the slot before sees this entry change, but not where its own bytes end.
            rests[slot] = start << LENGTH_BITS | headLength;
            rests[slot + 1] = start + tail << LENGTH_BITS;
        }
    }

    /** Returns the slots in the order of their keys. */
    private byte[] order() {
        int now = (int) STATE.getAcquire(this);
        int count = now & COUNT_MASK;
        int sorted = now >>> COUNT_BITS;
        if (sorted == count) {
            return IN_ORDER[count];
        }
        byte[] known = (byte[]) ORDER.getAcquire(this);
        if (known != null && known.length == count) {
            return known;
        }
        byte[] start = known != null && known.length > sorted && known.length < count ? known : IN_ORDER[sorted];
        byte[] order = Arrays.copyOf(start, count);
        for (int i = start.length; i < count; i++) {
            int low = 0;
            for (int high = i; low < high; ) {
                int middle = low + high >>> 1;
                if (compareSlots(order[middle], i) < 0) {
                    low = middle + 1;
                } else {
                    high = middle;
                }
            }
            System.arraycopy(order, low, order, low + 1, i - low);
            order[low] = (byte) i;
        }
        ORDER.setRelease(this, order);
        return order;
    }

    /** Returns how many slots of the order have keys before the bound, or at it where {@code inclusive}. */
    private int countBefore(byte[] order, byte[] bound, boolean inclusive) {
        int shared = Math.min(prefixLength, bound.length);
        int mismatch = Arrays.mismatch(prefix, 0, prefixLength, bound, 0, shared);
        if (mismatch >= 0) {
            boolean isBoundLess = mismatch == bound.length || (bound[mismatch] & 0xFF) < (prefix[mismatch] & 0xFF);
            return isBoundLess ? 0 : order.length;
        }
        int length = bound.length - prefixLength;
        long head = KeyWords.head(bound, prefixLength, length);
        int low = 0;
        for (int high = order.length; low < high; ) {
            int middle = low + high >>> 1;
            int slot = order[middle];
            int compared = Long.compare(slots[2 * slot], head);
            if (compared == 0) {
                compared = compareRest(slot, bound, prefixLength, length);
            }
            if (compared < 0 || compared == 0 && inclusive) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Visits keys in ascending order from the bound on; returns whether the visitor wants more. */
    boolean ascend(byte @Nullable [] from, boolean inclusive, OrderedKeyIndex.Visitor visitor) throws IOException {
        byte[] order = order();
        for (int i = from == null ? 0 : countBefore(order, from, !inclusive); i < order.length; i++) {
            if (!visit(order[i], visitor)) {
                return false;
            }
        }
        return true;
    }

    /** Visits keys in descending order from the bound on; returns whether the visitor wants more. */
    boolean descend(byte @Nullable [] from, boolean inclusive, OrderedKeyIndex.Visitor visitor) throws IOException {
        byte[] order = order();
        for (int i = (from == null ? order.length : countBefore(order, from, inclusive)) - 1; i >= 0; i--) {
            if (!visit(order[i], visitor)) {
                return false;
            }
        }
        return true;
    }

    private boolean visit(int slot, OrderedKeyIndex.Visitor visitor) throws IOException {
        long locator = locator(slot);
        return locator == KeyIndex.ABSENT || visitor.visit(key(slot), locator);
    }

    byte[] key(int slot) {
        byte[] key = new byte[keyLength(slot)];
        copyKey(slot, key, 0);
        return key;
    }

    private int keyLength(int slot) {
        return prefixLength + headLength(slot) + tailStart(slot + 1) - tailStart(slot);
    }

    private void copyKey(int slot, byte[] target, int at) {
        int headLength = headLength(slot);
        int start = tailStart(slot);
        int end = at + prefixLength;
        System.arraycopy(prefix, 0, target, at, prefixLength);
        KeyWords.putHead(slots[2 * slot], target, end, headLength);
        System.arraycopy(tails, start, target, end + headLength, tailStart(slot + 1) - start);
    }

    /** Adds all keys to the entries, in order. */
    void copyTo(Entries entries) {
        for (int slot : order()) {
            add(slot, entries);
        }
    }

    /** Adds all keys to the entries, in order, and a key that has no slot where it belongs. */
    void copyTo(Entries entries, byte[] key, int offset, int length, long locator) {
        byte[] order = order();
        byte[] bound = Arrays.copyOfRange(key, offset, offset + length);
        int before = countBefore(order, bound, false);
        for (int i = 0; i < before; i++) {
            add(order[i], entries);
        }
        entries.add(key, offset, length, locator);
        for (int i = before; i < order.length; i++) {
            add(order[i], entries);
        }
    }

    private void add(int slot, Entries entries) {
        long locator = locator(slot);
        if (locator != KeyIndex.ABSENT) {
            int length = keyLength(slot);
            int at = entries.reserve(length);
            copyKey(slot, entries.bytes, at);
            entries.add(length, locator);
        }
    }
}
