package dev.caskwright.mvcc.map;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A place in a {@link PersistentMap} that moves in the order of the keys. It shows the version that it was made for. For one
 * thread.
 *
 * @param <V> the type of the values
 */
public final class MapCursor<V> {
    private static final int MAX_DEPTH = 16; // of trees that are at least 8 wide: more than keys can be

    private final PersistentMap.Node root;
    private final PersistentMap.Node[] nodes = new PersistentMap.Node[MAX_DEPTH];
    private final int[] indexes = new int[MAX_DEPTH];
    private int depth; // of the leaf; -1 if the cursor is nowhere

    MapCursor(PersistentMap.Node root) {
        this.root = root;
        this.depth = -1;
    }

    /** Moves to the first key at or after {@code from}, or the first of all if that is null; returns whether there is one. */
    public boolean seek(byte @Nullable [] from) {
        depth = -1;
        PersistentMap.Node node = root;
        while (!node.isLeaf) {
            push(node, from == null ? 0 : node.childOf(from));
            node = node.child(indexes[depth]);
        }
        int found = from == null ? 0 : node.search(from);
        push(node, found >= 0 ? found : -found - 1);
        return indexes[depth] < node.count || advance(1);
    }

    /** Moves to the last key before {@code to}, or the last of all if that is null; returns whether there is one. */
    public boolean seekBefore(byte @Nullable [] to) {
        depth = -1;
        PersistentMap.Node node = root;
        while (!node.isLeaf) {
            push(node, to == null ? node.count - 1 : node.childOf(to));
            node = node.child(indexes[depth]);
        }
        int found = to == null ? node.count : node.search(to);
        push(node, (found >= 0 ? found : -found - 1) - 1);
        return indexes[depth] >= 0 || advance(-1);
    }

    /** Moves to the next key; returns false at the end, and is nowhere then. */
    public boolean next() {
        return move(1);
    }

    /** Moves to the key before; returns false at the start, and is nowhere then. */
    public boolean previous() {
        return move(-1);
    }

    private boolean move(int step) {
        if (depth < 0) {
            return false;
        }
        int index = indexes[depth] + step;
        if (index >= 0 && index < nodes[depth].count) {
            indexes[depth] = index;
            return true;
        }
        return advance(step);
    }

    private void push(PersistentMap.Node node, int index) {
        depth++;
        nodes[depth] = node;
        indexes[depth] = index;
    }

    /** Goes to the next leaf in the direction of the step; no node but an empty map's root is empty. */
    private boolean advance(int step) {
        depth--;
        while (depth >= 0) {
            int index = indexes[depth] + step;
            if (index >= 0 && index < nodes[depth].count) {
                indexes[depth] = index;
                PersistentMap.Node node = nodes[depth].child(index);
                while (!node.isLeaf) {
                    push(node, step > 0 ? 0 : node.count - 1);
                    node = node.child(indexes[depth]);
                }
                push(node, step > 0 ? 0 : node.count - 1);
                return true;
            }
            depth--;
        }
        return false;
    }

    /** Returns the key that the cursor is at. */
    public byte[] key() {
        return nodes[depth].keys[indexes[depth]];
    }

    /** Returns the value of the key that the cursor is at. */
    @SuppressWarnings("unchecked") // only values of type V are put
    public V value() {
        return (V) nodes[depth].values[indexes[depth]];
    }

    /** Returns how the key that the cursor is at compares with another one. */
    public int compareTo(byte[] key) {
        return Arrays.compareUnsigned(key(), key);
    }
}
