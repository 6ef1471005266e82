package dev.caskwright.index.sorted;

import dev.caskwright.api.spi.index.OrderedKeyIndex;
import java.io.IOException;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A B+tree with separators cut short. One thread changes it; any number read it meanwhile, without a lock and without
 * looking twice: a node is found through one reference, and the reference to its successor takes its place in one step.
 * A reader that still has a node which was replaced sees it as it was then, which is within the time of its call.
 *
 * <p>A change that divides or joins nodes makes all new nodes first. If there is no memory for them, nothing has changed.
 */
final class Tree {
    /** A leaf rebuilt with more keys than this is divided. */
    private static final int MAX_SORTED = Leaf.MAX_KEYS - Leaf.SLACK;

    /** With so few keys a leaf is never divided for its length. */
    static final int MIN_KEYS_TO_DIVIDE = 8;
    /** A leaf with fewer keys is joined with one beside it, if both have no more than {@link #MAX_JOINED} then. */
    private static final int MIN_KEYS = Leaf.MAX_KEYS / 4;

    private static final int MAX_JOINED = MAX_SORTED - Leaf.SLACK / 2;
    /** What is joined has room for as much before it is divided again. */
    private static final int MAX_JOINED_BYTES = Leaf.MAX_BYTES / 2;

    private static final int MIN_CHILDREN = Inner.MAX_CHILDREN / 4;
    private static final int MAX_JOINED_CHILDREN = Inner.MAX_CHILDREN - Inner.MAX_CHILDREN / 4;

    /** More levels than any number of keys takes: all leaves are on one, and above it each has two nodes or more. */
    private static final int MAX_DEPTH = 64;

    private volatile Node root;
    private volatile long bytes;

    // The writer's: how it came to the leaf, and what it makes leaves of.
    private final Inner[] path = new Inner[MAX_DEPTH];
    private final int[] places = new int[MAX_DEPTH];
    private int depth;
    private final Entries entries = new Entries();

    Tree() {
        this(Leaf.empty());
    }

    Tree(Node root) {
        this.root = root;
        this.bytes = bytesUnder(root);
    }

    private static long bytesUnder(Node node) {
        long bytes = node.bytes();
        if (node instanceof Inner inner) {
            for (int i = 0; i < inner.childCount(); i++) {
                bytes += bytesUnder(inner.child(i));
            }
        }
        return bytes;
    }

    /** Returns what all nodes take on the heap. */
    long bytes() {
        return bytes;
    }

    /** Returns what all nodes take, counted again. */
    long countedBytes() {
        return bytesUnder(root);
    }

    /** Returns the leaf that the key belongs to. */
    Leaf leafOf(byte[] key, int offset, int length) {
        Node node = root;
        while (node instanceof Inner inner) {
            node = inner.child(inner.childOf(key, offset, length));
        }
        return (Leaf) node;
    }

    /** Returns the leaf that the key belongs to, and notes the way. For the writer. */
    Leaf descend(byte[] key, int offset, int length) {
        Node node = root;
        depth = 0;
        while (node instanceof Inner inner) {
            int place = inner.childOf(key, offset, length);
            path[depth] = inner;
            places[depth] = place;
            depth++;
            node = inner.child(place);
        }
        return (Leaf) node;
    }

    /**
     * Adds a key that has no slot in its leaf, to which {@link #descend} has led.
     *
     * @param missing what {@link Leaf#find} said
     */
    void add(Leaf leaf, int missing, byte[] key, int offset, int length, long locator) {
        if (leaf.append(missing, key, offset, length, locator)) {
            return;
        }
        entries.clear();
        leaf.copyTo(entries, key, offset, length, locator);
        int count = entries.count;
        boolean isTooLong = entries.byteCount() > Leaf.MAX_BYTES && count >= MIN_KEYS_TO_DIVIDE;
        if (count <= MAX_SORTED && !isTooLong) {
            replace(leaf, Leaf.of(entries, 0, count, Leaf.SLACK));
        } else if (isLast(key, offset, length)) {
            // Keys that come in order: full leaves stay behind.
            divide(leaf, Leaf.of(entries, 0, count - 1, 0), count - 1, Leaf.of(entries, count - 1, count, MAX_SORTED));
        } else {
            int half = count / 2;
            divide(leaf, Leaf.of(entries, 0, half, Leaf.SLACK), half, Leaf.of(entries, half, count, Leaf.SLACK));
        }
    }

    /** Returns whether a key is the last one of the entries. */
    private boolean isLast(byte[] key, int offset, int length) {
        int last = entries.count - 1;
        return Arrays.equals(
                entries.bytes, entries.starts[last], entries.starts[last + 1], key, offset, offset + length);
    }

    /** Divides a leaf; {@code at} is the entry that the right one begins with. */
    private void divide(Leaf leaf, Node left, int at, Node right) {
        byte[] separator = separator(entries, at);
        long more = -leaf.bytes() + left.bytes() + right.bytes();
        Node leftPart = left;
        Node rightPart = right;
        int level = depth;
        while (true) {
            if (level == 0) {
                Inner grown = Inner.of(new byte[][] {separator}, new Node[] {leftPart, rightPart});
                publish(0, grown, more + grown.bytes());
                return;
            }
            level--;
            Inner parent = path[level];
            Inner grown = parent.withDivided(places[level], leftPart, separator, rightPart);
            more -= parent.bytes();
            if (grown.childCount() <= Inner.MAX_CHILDREN) {
                publish(level, grown, more + grown.bytes());
                return;
            }
            boolean isInOrder = places[level] == parent.childCount() - 1;
            int count = isInOrder ? parent.childCount() - 1 : grown.childCount() / 2;
            leftPart = grown.firstChildren(count);
            rightPart = grown.childrenFrom(count);
            separator = grown.separator(count - 1);
            more += leftPart.bytes() + rightPart.bytes();
        }
    }

    private void replace(Leaf leaf, Leaf successor) {
        publish(depth, successor, successor.bytes() - leaf.bytes());
    }

    /** Puts a node in the place of the one that the way leads to at that level. */
    @SuppressWarnings("NonAtomicVolatileUpdate") // only the writer writes
    private void publish(int level, Node successor, long moreBytes) {
        if (level == 0) {
            root = successor;
        } else {
            path[level - 1].setChild(places[level - 1], successor);
        }
        bytes += moreBytes;
    }

    /** Returns the shortest key that is greater than entry {@code at} - 1 and not greater than entry {@code at}. */
    private static byte[] separator(Entries entries, int at) {
        int[] starts = entries.starts;
        int shared = KeyWords.commonPrefix(
                entries.bytes, starts[at - 1], starts[at], entries.bytes, starts[at], starts[at + 1]);
        return Arrays.copyOfRange(entries.bytes, starts[at], starts[at] + shared + 1);
    }

    /** Gives back what a leaf does not need any more, after a key went. */
    void shrink(Leaf leaf) {
        int live = leaf.live();
        if (live < MIN_KEYS && depth > 0) {
            joinLeaf(leaf);
        } else if (leaf.isWasteful()) {
            remake(leaf);
        }
    }

    private void remake(Leaf leaf) {
        entries.clear();
        leaf.copyTo(entries);
        replace(leaf, entries.count == 0 ? Leaf.empty() : Leaf.of(entries, 0, entries.count, Leaf.SLACK));
    }

    private void joinLeaf(Leaf leaf) {
        Inner parent = path[depth - 1];
        int place = places[depth - 1];
        for (int left = Math.max(0, place - 1); left <= Math.min(place, parent.childCount() - 2); left++) {
            Leaf one = (Leaf) parent.child(left);
            Leaf other = (Leaf) parent.child(left + 1);
            if (one.live() + other.live() <= MAX_JOINED && one.liveBytes() + other.liveBytes() <= MAX_JOINED_BYTES) {
                entries.clear();
                one.copyTo(entries);
                other.copyTo(entries);
                Leaf joined = entries.count == 0 ? Leaf.empty() : Leaf.of(entries, 0, entries.count, Leaf.SLACK);
                join(left, joined, joined.bytes() - one.bytes() - other.bytes());
                return;
            }
        }
        if (leaf.isWasteful()) {
            remake(leaf);
        }
    }

    /**
     * Puts a node in the place of two children of the last inner node of the way. An inner node that has few left takes
     * those of the one beside it, or some of them: all leaves stay on one level.
     */
    private void join(int left, Node joined, long moreBytes) {
        int number = left;
        Node node = joined;
        long more = moreBytes;
        for (int level = depth - 1; ; level--) {
            Inner parent = path[level];
            more -= parent.bytes();
            if (level == 0 && parent.childCount() == 2) {
                publish(0, node, more);
                Arrays.fill(path, null); // nodes of levels that there are no more
                return;
            }
            if (level == 0 || parent.childCount() > MIN_CHILDREN) {
                Inner smaller = parent.withJoined(number, node);
                publish(level, smaller, more + smaller.bytes());
                return;
            }
            Inner above = path[level - 1];
            int place = places[level - 1];
            int pair = isLeftSmaller(above, place) ? place - 1 : place;
            Inner one = (Inner) above.child(pair);
            Inner other = (Inner) above.child(pair + 1);
            more -= (pair == place ? other : one).bytes();
            int numberInBoth = pair == place ? number : one.childCount() + number;
            Inner both = one.joinedWith(above.separator(pair), other).withJoined(numberInBoth, node);
            if (both.childCount() > MAX_JOINED_CHILDREN) {
                shareOut(level - 1, pair, both, more);
                return;
            }
            number = pair;
            node = both;
            more += both.bytes();
        }
    }

    /** Returns whether a child has one to the left, and none to the right that has fewer children. */
    private static boolean isLeftSmaller(Inner parent, int place) {
        if (place == 0 || place == parent.childCount() - 1) {
            return place != 0;
        }
        return ((Inner) parent.child(place - 1)).childCount() <= ((Inner) parent.child(place + 1)).childCount();
    }

    /** Puts two nodes that have half of the children each in the place of two of the way's node at that level. */
    private void shareOut(int level, int number, Inner children, long moreBytes) {
        int half = children.childCount() / 2;
        Inner left = children.firstChildren(half);
        Inner right = children.childrenFrom(half);
        Inner parent = path[level];
        Inner successor = parent.withShared(number, left, children.separator(half - 1), right);
        publish(level, successor, moreBytes + left.bytes() + right.bytes() + successor.bytes() - parent.bytes());
    }

    void ascend(byte @Nullable [] from, boolean inclusive, OrderedKeyIndex.Visitor visitor) throws IOException {
        byte[] bound = from;
        boolean isInclusive = inclusive;
        while (true) {
            Node node = root;
            byte[] next = null;
            while (node instanceof Inner inner) {
                int place = bound == null ? 0 : inner.childOf(bound, 0, bound.length);
                if (place < inner.childCount() - 1) {
                    next = inner.separator(place);
                }
                node = inner.child(place);
            }
            if (!((Leaf) node).ascend(bound, isInclusive, visitor) || next == null) {
                return;
            }
            bound = next;
            isInclusive = true;
        }
    }

    void descend(byte @Nullable [] from, boolean inclusive, OrderedKeyIndex.Visitor visitor) throws IOException {
        byte[] bound = from;
        boolean isInclusive = inclusive;
        while (true) {
            Node node = root;
            byte[] next = null;
            while (node instanceof Inner inner) {
                int place = bound == null ? inner.childCount() - 1 : inner.placeBefore(bound, isInclusive);
                if (place > 0) {
                    next = inner.separator(place - 1);
                }
                node = inner.child(place);
            }
            if (!((Leaf) node).descend(bound, isInclusive, visitor) || next == null) {
                return;
            }
            bound = next;
            isInclusive = false;
        }
    }
}
