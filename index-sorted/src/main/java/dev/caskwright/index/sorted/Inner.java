package dev.caskwright.index.sorted;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;

/**
 * Nodes below, and between them the least keys that divide them: separators, cut to as many bytes as that takes. Which
 * ranges the nodes below have never changes, only which node has a range; so a reader needs no lock.
 */
final class Inner extends Node {
    /** How many nodes there are below at most. Such a node is copied when one below it is divided. */
    static final int MAX_CHILDREN = 256;

    private static final int OBJECT_BYTES = 40;
    private static final int REFERENCE_BYTES = 4;
    private static final VarHandle CHILD = MethodHandles.arrayElementVarHandle(Node[].class);

    /** What all separators begin with. */
    private final byte[] prefix;

    private final int prefixLength;
    /** The heads of the separators, after the prefix. */
    private final long[] heads;
    /** Separator i is the least key of child i + 1. */
    private final byte[][] separators;

    private final Node[] children;
    /** Summed up once: to look at each separator again takes longer than to copy the rest of a node. */
    private final long bytes;

    private Inner(byte[][] separators, Node[] children) {
        byte[] first = separators[0];
        byte[] last = separators[separators.length - 1];
        int prefixLength = KeyWords.commonPrefix(first, 0, first.length, last, 0, last.length);
        this.prefix = Arrays.copyOf(first, prefixLength);
        this.prefixLength = prefixLength;
        this.separators = separators;
        this.children = children;
        this.heads = new long[separators.length];
        long separatorBytes = 0;
        for (int i = 0; i < heads.length; i++) {
            byte[] separator = separators[i];
            heads[i] = KeyWords.head(separator, prefixLength, separator.length - prefixLength);
            separatorBytes += arrayBytes(separator.length);
        }
        this.bytes = OBJECT_BYTES
                + arrayBytes(prefixLength)
                + arrayBytes((long) heads.length * Long.BYTES)
                + arrayBytes((long) separators.length * REFERENCE_BYTES)
                + separatorBytes
                + arrayBytes((long) children.length * REFERENCE_BYTES);
    }

    /** Makes a node over two or more others; the arrays are its own from now on. */
    static Inner of(byte[][] separators, Node[] children) {
        return new Inner(separators, children);
    }

    @Override
    long bytes() {
        return bytes;
    }

    int childCount() {
        return children.length;
    }

    Node child(int number) {
        return (Node) CHILD.getAcquire(children, number);
    }

    /** Puts a node of the same range in the place of a child. For the writer. */
    void setChild(int number, Node child) {
        CHILD.setRelease(children, number, child);
    }

    byte[] separator(int number) {
        return separators[number];
    }

    /** Returns the number of the child that the key belongs to. */
    int childOf(byte[] key, int offset, int length) {
        int skipped = prefixLength;
        int end = offset + length;
        if (skipped != 0) {
            int mismatch = Arrays.mismatch(prefix, 0, skipped, key, offset, offset + Math.min(skipped, length));
            if (mismatch >= 0) {
                boolean isKeyLess = mismatch == length || (key[offset + mismatch] & 0xFF) < (prefix[mismatch] & 0xFF);
                return isKeyLess ? 0 : separators.length;
            }
        }
        long head = KeyWords.head(key, offset + skipped, length - skipped);
        int base = 0;
        for (int size = heads.length; size > 1; ) {
            int half = size >>> 1;
            if (heads[base + half - 1] < head) {
                base += half;
            }
            size -= half;
        }
        base += heads[base] < head ? 1 : 0;
        return base < heads.length && heads[base] == head ? childAmongTies(base, key, offset, end) : base;
    }

    /** Returns the number of the child that keys right before the bound belong to, or, if inclusive, at it. */
    int placeBefore(byte[] bound, boolean inclusive) {
        int place = childOf(bound, 0, bound.length);
        boolean isLeast = place > 0 && Arrays.equals(separators[place - 1], bound);
        return isLeast && !inclusive ? place - 1 : place;
    }

    private int childAmongTies(int first, byte[] key, int offset, int end) {
        int low = first;
        for (int high = separators.length; low < high; ) {
            int middle = low + high >>> 1;
            byte[] separator = separators[middle];
            if (Arrays.compareUnsigned(separator, 0, separator.length, key, offset, end) <= 0) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Returns a copy with two nodes in the place of a child. */
    Inner withDivided(int number, Node left, byte[] separator, Node right) {
        byte[][] moreSeparators = new byte[separators.length + 1][];
        System.arraycopy(separators, 0, moreSeparators, 0, number);
        moreSeparators[number] = separator;
        System.arraycopy(separators, number, moreSeparators, number + 1, separators.length - number);
        Node[] more = new Node[children.length + 1];
        System.arraycopy(children, 0, more, 0, number);
        more[number] = left;
        more[number + 1] = right;
        System.arraycopy(children, number + 1, more, number + 2, children.length - number - 1);
        return new Inner(moreSeparators, more);
    }

    /** Returns a copy, of at least two children, with one in the place of children {@code number} and {@code number} + 1. */
    Inner withJoined(int number, Node joined) {
        byte[][] fewerSeparators = new byte[separators.length - 1][];
        System.arraycopy(separators, 0, fewerSeparators, 0, number);
        System.arraycopy(separators, number + 1, fewerSeparators, number, separators.length - number - 1);
        Node[] fewer = new Node[children.length - 1];
        System.arraycopy(children, 0, fewer, 0, number);
        fewer[number] = joined;
        System.arraycopy(children, number + 2, fewer, number + 1, children.length - number - 2);
        return new Inner(fewerSeparators, fewer);
    }

    /** Returns a copy with other nodes in the place of children {@code number} and {@code number} + 1, divided elsewhere. */
    Inner withShared(int number, Node left, byte[] separator, Node right) {
        byte[][] otherSeparators = separators.clone();
        otherSeparators[number] = separator;
        Node[] others = children.clone();
        others[number] = left;
        others[number + 1] = right;
        return new Inner(otherSeparators, others);
    }

    /** Returns a node with the children of two, of which this is the left one. */
    Inner joinedWith(byte[] separator, Inner right) {
        byte[][] all = Arrays.copyOf(separators, separators.length + 1 + right.separators.length);
        all[separators.length] = separator;
        System.arraycopy(right.separators, 0, all, separators.length + 1, right.separators.length);
        Node[] both = Arrays.copyOf(children, children.length + right.children.length);
        System.arraycopy(right.children, 0, both, children.length, right.children.length);
        return new Inner(all, both);
    }

    /** Returns a node with the first {@code count} children. */
    Inner firstChildren(int count) {
        return new Inner(Arrays.copyOf(separators, count - 1), Arrays.copyOf(children, count));
    }

    /** Returns a node with the children from number {@code from} on. */
    Inner childrenFrom(int from) {
        return new Inner(
                Arrays.copyOfRange(separators, from, separators.length),
                Arrays.copyOfRange(children, from, children.length));
    }
}
