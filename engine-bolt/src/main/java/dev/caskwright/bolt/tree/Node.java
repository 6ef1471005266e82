package dev.caskwright.bolt.tree;

import dev.caskwright.bolt.page.Bytes;
import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A page that a write transaction changes. It holds places of keys and values, not copies: those that were there stay in the
 * page that the node was made from, which nobody overwrites before the transaction ends, and new ones are in the arena. The
 * bytes are copied once, when the node is written.
 */
public final class Node {
    /** A piece holds at least as many elements, unless it would be too long for a run. */
    private static final int MIN_ELEMENTS = 2;

    /** The longest run that is written, in bytes. */
    static final long MAX_RUN_LENGTH = Integer.MAX_VALUE - (64 << 10);

    private final Arena arena;
    private final boolean isLeaf;
    private final ByteBuffer base;
    private int count;
    private long[] keyPlaces;
    private int[] keyLengths;
    private long[] valuePlaces; // of a branch: the children
    private int[] valueLengths; // of a leaf
    private int[] flags; // of a leaf
    private long length;

    @Nullable Node parent;

    long id;
    long runPages;
    byte[] keyInParent = {};
    byte @Nullable [] low; // no key of this node may be less; null in the first one of its level
    byte @Nullable [] high; // each key of this node must be less; null in the last one of its level
    boolean lostKeys;
    boolean isChanged;
    final List<Node> children = new ArrayList<>(); // those that are nodes

    private Node(Arena arena, boolean isLeaf, ByteBuffer base, int capacity) {
        this.arena = arena;
        this.isLeaf = isLeaf;
        this.base = base;
        keyPlaces = new long[capacity];
        keyLengths = new int[capacity];
        valuePlaces = new long[capacity];
        valueLengths = isLeaf ? new int[capacity] : new int[0];
        flags = isLeaf ? new int[capacity] : new int[0];
        length = PageFormat.HEADER_LENGTH;
    }

    /** Makes a node without elements that has no page. */
    static Node empty(Arena arena, boolean isLeaf) {
        return new Node(arena, isLeaf, ByteBuffer.allocate(0), 8);
    }

    /** Makes a node of a page. */
    static Node of(Arena arena, Page page, int pageSize) throws IOException {
        int count = page.count();
        Node node = new Node(arena, page.isLeaf(), page.bytes(), count + 2);
        node.id = page.id();
        node.runPages = page.id() == 0 ? 0 : page.length() / pageSize;
        ByteBuffer bytes = page.bytes();
        int previousAt = 0;
        int previousLength = 0;
        for (int i = 0; i < count; i++) {
            page.look(i);
            int at = page.keyAt();
            int length = page.keyLength();
            if (i > 0 && Bytes.compare(bytes, at, length, bytes, previousAt, previousLength) <= 0) {
                throw page.corrupt("keys are not in ascending order", "element=" + i);
            }
            previousAt = at;
            previousLength = length;
            node.keyPlaces[i] = at;
            node.keyLengths[i] = length;
            if (node.isLeaf) {
                node.valuePlaces[i] = page.valueAt();
                node.valueLengths[i] = page.valueLength();
                node.flags[i] = page.elementFlags();
            } else {
                node.valuePlaces[i] = page.child(i);
            }
        }
        node.count = count;
        node.length += node.lengthOf(0, count);
        if (node.length > page.length()) {
            throw page.corrupt("elements share bytes", "needed=" + node.length + ", pageLength=" + page.length());
        }
        return node;
    }

    boolean isLeaf() {
        return isLeaf;
    }

    int count() {
        return count;
    }

    /** Returns how many bytes the node takes in a page. */
    public long length() {
        return length;
    }

    private long elementLength(int index) {
        return PageFormat.ELEMENT_LENGTH + (long) keyLengths[index] + (isLeaf ? valueLengths[index] : 0);
    }

    private long lengthOf(int from, int to) {
        long sum = 0;
        for (int i = from; i < to; i++) {
            sum += elementLength(i);
        }
        return sum;
    }

    /** Compares a key of this node with one of another node. */
    int compareKey(int index, Node other, int otherIndex) {
        return Bytes.compare(
                keyBytes(index),
                keyAt(index),
                keyLengths[index],
                other.keyBytes(otherIndex),
                other.keyAt(otherIndex),
                other.keyLengths[otherIndex]);
    }

    private ByteBuffer source(long place) {
        return Arena.isInArena(place) ? arena.chunk(place) : base;
    }

    ByteBuffer keyBytes(int index) {
        return source(keyPlaces[index]);
    }

    int keyAt(int index) {
        return Arena.index(keyPlaces[index]);
    }

    int keyLength(int index) {
        return keyLengths[index];
    }

    byte[] key(int index) {
        return Bytes.copy(keyBytes(index), keyAt(index), keyLengths[index]);
    }

    ByteBuffer valueBytes(int index) {
        return source(valuePlaces[index]);
    }

    int valueAt(int index) {
        return Arena.index(valuePlaces[index]);
    }

    int valueLength(int index) {
        return valueLengths[index];
    }

    int flags(int index) {
        return flags[index];
    }

    boolean isBucket(int index) {
        return (flags[index] & PageFormat.BUCKET) != 0;
    }

    long child(int index) {
        return valuePlaces[index];
    }

    /** As {@link Page#search}. */
    int search(byte[] key, int keyOffset, int keyLength) {
        long firstWord = Bytes.word(key, keyOffset, keyLength, 0);
        long secondWord = Bytes.word(key, keyOffset, keyLength, Long.BYTES);
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            long place = keyPlaces[middle];
            int order = Bytes.compare(
                    source(place),
                    Arena.index(place),
                    keyLengths[middle],
                    key,
                    keyOffset,
                    keyLength,
                    firstWord,
                    secondWord);
            if (order == 0) {
                return middle;
            }
            if (order < 0) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return -(low + 1);
    }

    /** As {@link #search}, but looks first whether the key comes after all others, as it does where keys are put in order. */
    int searchFromEnd(byte[] key) {
        if (count > 0) {
            int last = count - 1;
            if (Bytes.compare(keyBytes(last), keyAt(last), keyLengths[last], key, 0, key.length) < 0) {
                return -(count + 1);
            }
        }
        return search(key, 0, key.length);
    }

    /** Returns whether a key belongs into this leaf, for as long as no nodes are joined or cut. */
    boolean isFor(byte[] key) {
        return (low == null || Arrays.compareUnsigned(low, key) <= 0)
                && (high == null || Arrays.compareUnsigned(key, high) < 0);
    }

    /** Puts a key and a value into a leaf, where a search for the key has led. */
    void put(int found, byte[] key, byte[] value, int valueFlags) {
        int index = found >= 0 ? found : -found - 1;
        if (found < 0) {
            insert(index, arena.add(key, 0, key.length), key.length);
        } else {
            length -= valueLengths[index];
        }
        valuePlaces[index] = arena.add(value, 0, value.length);
        valueLengths[index] = value.length;
        flags[index] = valueFlags;
        length += value.length;
        isChanged = true;
    }

    /** Gives a child of a branch another key and page, or adds it. */
    void putChild(byte[] oldKey, byte[] key, long child) {
        int found = search(oldKey, 0, oldKey.length);
        if (found >= 0) {
            length += key.length - keyLengths[found];
            keyPlaces[found] = arena.add(key, 0, key.length);
            keyLengths[found] = key.length;
            valuePlaces[found] = child;
        } else {
            int index = -found - 1;
            insert(index, arena.add(key, 0, key.length), key.length);
            valuePlaces[index] = child;
        }
        isChanged = true;
    }

    private void insert(int index, long keyPlace, int keyLength) {
        ensureCapacity(count + 1);
        int moved = count - index;
        System.arraycopy(keyPlaces, index, keyPlaces, index + 1, moved);
        System.arraycopy(keyLengths, index, keyLengths, index + 1, moved);
        System.arraycopy(valuePlaces, index, valuePlaces, index + 1, moved);
        if (isLeaf) {
            System.arraycopy(valueLengths, index, valueLengths, index + 1, moved);
            System.arraycopy(flags, index, flags, index + 1, moved);
            valueLengths[index] = 0;
        }
        keyPlaces[index] = keyPlace;
        keyLengths[index] = keyLength;
        count++;
        length += PageFormat.ELEMENT_LENGTH + keyLength;
    }

    private void ensureCapacity(int elements) {
        if (elements <= keyPlaces.length) {
            return;
        }
        int capacity = Math.max(elements, keyPlaces.length + (keyPlaces.length >>> 1) + 4);
        keyPlaces = Arrays.copyOf(keyPlaces, capacity);
        keyLengths = Arrays.copyOf(keyLengths, capacity);
        valuePlaces = Arrays.copyOf(valuePlaces, capacity);
        if (isLeaf) {
            valueLengths = Arrays.copyOf(valueLengths, capacity);
            flags = Arrays.copyOf(flags, capacity);
        }
    }

    /** Takes an element out. */
    void remove(int index) {
        length -= elementLength(index);
        int moved = count - index - 1;
        System.arraycopy(keyPlaces, index + 1, keyPlaces, index, moved);
        System.arraycopy(keyLengths, index + 1, keyLengths, index, moved);
        System.arraycopy(valuePlaces, index + 1, valuePlaces, index, moved);
        if (isLeaf) {
            System.arraycopy(valueLengths, index + 1, valueLengths, index, moved);
            System.arraycopy(flags, index + 1, flags, index, moved);
        }
        count--;
        isChanged = true;
        lostKeys = true;
    }

    /** Appends all elements of the node after this one, whose bytes are copied. */
    void append(Node next) {
        ensureCapacity(count + next.count);
        for (int i = 0; i < next.count; i++, count++) {
            keyPlaces[count] = arena.add(next.keyBytes(i), next.keyAt(i), next.keyLengths[i]);
            keyLengths[count] = next.keyLengths[i];
            if (isLeaf) {
                valuePlaces[count] = arena.add(next.valueBytes(i), next.valueAt(i), next.valueLengths[i]);
                valueLengths[count] = next.valueLengths[i];
                flags[count] = next.flags[i];
            } else {
                valuePlaces[count] = next.valuePlaces[i];
            }
        }
        length += next.length - PageFormat.HEADER_LENGTH;
        isChanged = true;
    }

    /** Returns how few elements make a node that is joined with a neighbour, whatever its length. */
    int minElements() {
        return isLeaf ? 1 : MIN_ELEMENTS;
    }

    /**
     * Cuts the node into pieces that are written one a run. Only a node of more than four elements that is longer than a page is
     * cut; each piece is filled to a part of a page.
     *
     * @return the pieces in order; this node is the first
     */
    List<Node> split(int pageSize, double fillPercent) {
        List<Node> pieces = new ArrayList<>(1);
        pieces.add(this);
        long target = (long) (pageSize * fillPercent);
        int end = cut(0, length, pageSize, target);
        if (end == count) {
            return pieces;
        }
        long firstLength = PageFormat.HEADER_LENGTH + lengthOf(0, end);
        long rest = length - firstLength + PageFormat.HEADER_LENGTH;
        for (int from = end; from < count; ) {
            int to = cut(from, rest, pageSize, target);
            Node piece = piece(from, to);
            pieces.add(piece);
            rest -= piece.length - PageFormat.HEADER_LENGTH;
            from = to;
        }
        count = end;
        length = firstLength;
        return pieces;
    }

    /** Returns the end of the piece that starts at an element, from which on the node has {@code rest} bytes. */
    private int cut(int from, long rest, int pageSize, long target) {
        int elements = count - from;
        boolean isTooLong = rest > MAX_RUN_LENGTH || elements >= PageFormat.MAX_COUNT;
        if (!isTooLong && (elements <= 2 * MIN_ELEMENTS || rest < pageSize)) {
            return count;
        }
        int atLeast = rest > MAX_RUN_LENGTH ? 1 : MIN_ELEMENTS;
        long filled = PageFormat.HEADER_LENGTH;
        int cut = atLeast;
        for (int i = 0; i < elements - atLeast; i++) {
            cut = Math.max(atLeast, i);
            long more = elementLength(from + i);
            if (i >= atLeast && filled + more > target) {
                break;
            }
            filled += more;
        }
        return from + cut;
    }

    private Node piece(int from, int to) {
        Node piece = new Node(arena, isLeaf, base, 0);
        piece.keyPlaces = Arrays.copyOfRange(keyPlaces, from, to);
        piece.keyLengths = Arrays.copyOfRange(keyLengths, from, to);
        piece.valuePlaces = Arrays.copyOfRange(valuePlaces, from, to);
        if (isLeaf) {
            piece.valueLengths = Arrays.copyOfRange(valueLengths, from, to);
            piece.flags = Arrays.copyOfRange(flags, from, to);
        }
        piece.count = to - from;
        piece.length += piece.lengthOf(0, piece.count);
        piece.isChanged = true;
        return piece;
    }

    /** Writes the page's {@link #length} bytes into {@code target}, which has the file's byte order, from {@code start} on. */
    public void write(ByteBuffer target, int start, int overflow) {
        target.putLong(start + PageFormat.ID_OFFSET, id);
        target.putShort(start + PageFormat.FLAGS_OFFSET, (short) (isLeaf ? PageFormat.LEAF : PageFormat.BRANCH));
        target.putShort(start + PageFormat.COUNT_OFFSET, (short) count);
        target.putInt(start + PageFormat.OVERFLOW_OFFSET, overflow);
        int element = start + PageFormat.HEADER_LENGTH;
        int at = element + count * PageFormat.ELEMENT_LENGTH;
        for (int i = 0; i < count; i++, element += PageFormat.ELEMENT_LENGTH) {
            if (isLeaf) {
                target.putInt(element + PageFormat.LEAF_FLAGS_OFFSET, flags[i]);
                target.putInt(element + PageFormat.LEAF_POS_OFFSET, at - element);
                target.putInt(element + PageFormat.LEAF_KEY_LENGTH_OFFSET, keyLengths[i]);
                target.putInt(element + PageFormat.LEAF_VALUE_LENGTH_OFFSET, valueLengths[i]);
                at += keyLengths[i] + valueLengths[i];
            } else {
                target.putInt(element + PageFormat.BRANCH_POS_OFFSET, at - element);
                target.putInt(element + PageFormat.BRANCH_KEY_LENGTH_OFFSET, keyLengths[i]);
                target.putLong(element + PageFormat.BRANCH_CHILD_OFFSET, valuePlaces[i]);
                at += keyLengths[i];
            }
        }
        writeBytes(target, element);
    }

    /** Writes keys and values one after another; those that lie so already are copied at once. */
    private void writeBytes(ByteBuffer target, int start) {
        int at = start;
        long from = 0;
        int pending = 0; // bytes from that place on that are not copied yet
        for (int i = 0; i < count; i++) {
            long place = keyPlaces[i];
            int bytes = keyLengths[i];
            boolean isWhole = !isLeaf || valuePlaces[i] == place + bytes;
            if (isLeaf && isWhole) {
                bytes += valueLengths[i];
            }
            if (place == from + pending) {
                pending += bytes;
            } else {
                at = copy(from, pending, target, at);
                from = place;
                pending = bytes;
            }
            if (!isWhole) {
                at = copy(from, pending, target, at);
                from = valuePlaces[i];
                pending = valueLengths[i];
            }
        }
        copy(from, pending, target, at);
    }

    private int copy(long place, int length, ByteBuffer target, int at) {
        if (length > 0) {
            target.put(at, source(place), Arena.index(place), length);
        }
        return at + length;
    }

    /** Returns the first page of the node's run. */
    public long id() {
        return id;
    }

    /** Returns the pages of the node's run. */
    public long runPages() {
        return runPages;
    }

    /** Returns whether an element of a leaf is a bucket. */
    boolean hasBuckets() {
        for (int i = 0; i < count; i++) {
            if (isBucket(i)) {
                return true;
            }
        }
        return false;
    }
}
