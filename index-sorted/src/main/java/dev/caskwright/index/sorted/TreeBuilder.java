package dev.caskwright.index.sorted;

import dev.caskwright.api.IndexMemoryException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/** Makes a tree of leaves that come in the order of their keys. */
final class TreeBuilder {
    /** Says how much a tree may take. */
    @FunctionalInterface
    interface Limit {
        /** Throws if the nodes so far take more bytes than they may. */
        void check(long bytes) throws IndexMemoryException;
    }

    private static final int KEYS_PER_LEAF = Leaf.MAX_KEYS - Leaf.SLACK;
    private static final int CHILDREN_PER_NODE = Inner.MAX_CHILDREN - Inner.MAX_CHILDREN / 4;

    private final List<byte[]> separators = new ArrayList<>();
    private final List<Node> leaves = new ArrayList<>();
    private final Limit limit;
    private byte[] lastKey = new byte[0];
    private long bytes;

    TreeBuilder(Limit limit) {
        this.limit = limit;
    }

    /** Returns whether entries that are in order are enough for a leaf. */
    static boolean isLeaf(Entries entries) {
        boolean isTooLong = entries.byteCount() > Leaf.MAX_BYTES && entries.count >= Tree.MIN_KEYS_TO_DIVIDE - 1;
        return entries.count == KEYS_PER_LEAF || isTooLong;
    }

    /**
     * Takes the next leaf, whose keys are in order.
     *
     * @return false, with nothing taken, if its first key is not greater than the last one before
     */
    boolean add(Leaf leaf) throws IndexMemoryException {
        byte[] first = leaf.key(0);
        if (!leaves.isEmpty()) {
            if (Arrays.compareUnsigned(lastKey, first) >= 0) {
                return false;
            }
            int shared = KeyWords.commonPrefix(lastKey, 0, lastKey.length, first, 0, first.length);
            separators.add(Arrays.copyOf(first, shared + 1));
            bytes += Node.arrayBytes(shared + 1);
        }
        leaves.add(leaf);
        bytes += leaf.bytes();
        limit.check(bytes);
        lastKey = leaf.key(leaf.live() - 1);
        return true;
    }

    /** Returns the tree of all that was added. */
    Tree build() {
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
