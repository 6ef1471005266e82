package dev.caskwright.index.sorted;

import dev.caskwright.api.IndexMemoryException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Makes a tree of keys that come in ascending order. */
final class TreeBuilder {
    /** Says how much a tree may take. */
    @FunctionalInterface
    interface Limit {
        /** Throws if the nodes so far take more bytes than they may. */
        void check(long bytes) throws IndexMemoryException;
    }

    private static final int KEYS_PER_LEAF = Leaf.MAX_KEYS - Leaf.SLACK;
    private static final int CHILDREN_PER_NODE = Inner.MAX_CHILDREN - Inner.MAX_CHILDREN / 4;

    private final Entries entries = new Entries();
    private final List<byte[]> separators = new ArrayList<>();
    private final List<Node> leaves = new ArrayList<>();
    private final Limit limit;
    private byte[] lastOfLeaf = new byte[0];
    private long bytes;

    TreeBuilder(Limit limit) {
        this.limit = limit;
    }

    /**
     * Takes the next key.
     *
     * @return false, with nothing taken, if it is not greater than the one before
     */
    boolean add(byte[] key, int length, long locator) throws IndexMemoryException {
        int count = entries.count;
        byte[] before = count == 0 ? lastOfLeaf : entries.bytes;
        int from = count == 0 ? 0 : entries.starts[count - 1];
        int to = count == 0 ? lastOfLeaf.length : entries.starts[count];
        int shared = KeyWords.commonPrefix(before, from, to, key, 0, length);
        boolean isGreater =
                shared < length && (shared == to - from || (before[from + shared] & 0xFF) < (key[shared] & 0xFF));
        if (!isGreater) {
            return false;
        }
        if (count == 0 && !leaves.isEmpty()) {
            separators.add(Arrays.copyOf(key, shared + 1));
            bytes += Node.arrayBytes(shared + 1);
        }
        entries.add(key, 0, length, locator);
        boolean isTooLong = entries.byteCount() > Leaf.MAX_BYTES && entries.count >= Tree.MIN_KEYS_TO_DIVIDE - 1;
        if (entries.count == KEYS_PER_LEAF || isTooLong) {
            endLeaf();
        }
        return true;
    }

    private void endLeaf() throws IndexMemoryException {
        int count = entries.count;
        Leaf leaf = Leaf.of(entries, 0, count, 0);
        leaves.add(leaf);
        bytes += leaf.bytes();
        limit.check(bytes);
        lastOfLeaf = Arrays.copyOfRange(entries.bytes, entries.starts[count - 1], entries.starts[count]);
        entries.clear();
    }

    /** Returns the tree of all that was added. */
    Tree build() throws IndexMemoryException {
        if (entries.count > 0) {
            endLeaf();
        }
        if (leaves.isEmpty()) {
            return new Tree();
        }
        List<Node> nodes = leaves;
        List<byte[]> between = separators;
        while (nodes.size() > 1) {
            List<Node> above = new ArrayList<>();
            List<byte[]> betweenAbove = new ArrayList<>();
            for (int from = 0; from < nodes.size(); ) {
                int left = nodes.size() - from;
                // No node of one child alone is left over.
                int count = left <= Inner.MAX_CHILDREN ? left : CHILDREN_PER_NODE;
                if (from > 0) {
                    betweenAbove.add(between.get(from - 1));
                }
                above.add(Inner.of(
                        between.subList(from, from + count - 1).toArray(new byte[0][]),
                        nodes.subList(from, from + count).toArray(new Node[0])));
                from += count;
            }
            nodes = above;
            between = betweenAbove;
        }
        return new Tree(nodes.get(0));
    }
}
