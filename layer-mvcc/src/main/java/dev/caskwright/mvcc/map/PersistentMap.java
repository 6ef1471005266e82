package dev.caskwright.mvcc.map;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.function.Function;
import org.jspecify.annotations.Nullable;

/**
 * An immutable map in the order of the unsigned bytes of its keys. A change makes a new map that shares all but the changed path
 * with the one before: so a version is one pointer, to be read by any thread for as long as it likes.
 *
 * <p>It is a B+tree. Each branch has the least key below each child. An {@link Editor} changes nodes that it has made itself in
 * place, so many changes in a row copy each node once.
 *
 * <p>Keys and values are kept, not copied: callers do not change them.
 *
 * @param <V> the type of the values
 */
public final class PersistentMap<V> {
    static final int MAX_COUNT = 32;
    private static final int MIN_COUNT = MAX_COUNT / 4;
    private static final PersistentMap<?> EMPTY = new PersistentMap<>(new Node(null, true, 0), 0);

    final Node root;
    private final int size;

    private PersistentMap(Node root, int size) {
        this.root = root;
        this.size = size;
    }

    /** A leaf with keys and values, or a branch with children and the least key of each. */
    static final class Node {
        final @Nullable Object owner; // the edit that may change the node in place
        final boolean isLeaf;
        int count;
        byte[][] keys;
        Object[] values;

        Node(@Nullable Object owner, boolean isLeaf, int capacity) {
            this.owner = owner;
            this.isLeaf = isLeaf;
            this.keys = new byte[capacity][];
            this.values = new Object[capacity];
        }

        Node ownedBy(Object edit) {
            if (owner == edit) {
                return this;
            }
            Node copy = new Node(edit, isLeaf, count + 1);
            copy.count = count;
            System.arraycopy(keys, 0, copy.keys, 0, count);
            System.arraycopy(values, 0, copy.values, 0, count);
            return copy;
        }

        /** Returns where a key is, or else where it would be as {@code -place - 1}. */
        int search(byte[] key) {
            int low = 0;
            int high = count - 1;
            while (low <= high) {
                int middle = (low + high) >>> 1;
                int order = Arrays.compareUnsigned(keys[middle], key);
                if (order == 0) {
                    return middle;
                }
                if (order < 0) {
                    low = middle + 1;
                } else {
                    high = middle - 1;
                }
            }
            return -low - 1;
        }

        /** Returns the child that may have a key: the last one whose least key is not after it. */
        int childOf(byte[] key) {
            int found = search(key);
            return found >= 0 ? found : Math.max(0, -found - 2);
        }

        Node child(int index) {
            return (Node) values[index];
        }

        void insert(int at, byte[] key, Object value) {
            if (count == keys.length) {
                int capacity = Math.min(MAX_COUNT + 1, count + count / 2 + 2);
                keys = Arrays.copyOf(keys, capacity);
                values = Arrays.copyOf(values, capacity);
            }
            System.arraycopy(keys, at, keys, at + 1, count - at);
            System.arraycopy(values, at, values, at + 1, count - at);
            keys[at] = key;
            values[at] = value;
            count++;
        }

        @SuppressWarnings("NullAway") // slots after the last element are empty
        void removeAt(int at) {
            System.arraycopy(keys, at + 1, keys, at, count - at - 1);
            System.arraycopy(values, at + 1, values, at, count - at - 1);
            count--;
            keys[count] = null;
            values[count] = null;
        }

        /** Moves the elements from {@code at} on to a new node. */
        @SuppressWarnings("NullAway") // slots after the last element are empty
        Node cut(int at, Object edit) {
            Node right = new Node(edit, isLeaf, MAX_COUNT + 1);
            right.count = count - at;
            System.arraycopy(keys, at, right.keys, 0, right.count);
            System.arraycopy(values, at, right.values, 0, right.count);
            Arrays.fill(keys, at, count, null);
            Arrays.fill(values, at, count, null);
            count = at;
            return right;
        }
    }

    /** Returns the map that has no key. */
    @SuppressWarnings("unchecked") // it has no values of any type
    public static <V> PersistentMap<V> empty() {
        return (PersistentMap<V>) EMPTY;
    }

    /** Returns a map of values in the ascending order of their keys, which are all different. It takes no comparisons. */
    public static <V> PersistentMap<V> ofSorted(V[] values, Function<V, byte[]> key) {
        List<Node> nodes = new ArrayList<>();
        for (int from = 0; from < values.length || nodes.isEmpty(); from += MAX_COUNT) {
            Node leaf = new Node(null, true, Math.min(MAX_COUNT, values.length - from));
            for (int i = from; i < Math.min(values.length, from + MAX_COUNT); i++) {
                leaf.insert(i - from, key.apply(values[i]), values[i]);
            }
            nodes.add(leaf);
        }
        while (nodes.size() > 1) {
            List<Node> above = new ArrayList<>();
            for (int from = 0; from < nodes.size(); from += MAX_COUNT) {
                Node branch = new Node(null, false, Math.min(MAX_COUNT, nodes.size() - from));
                for (Node child : nodes.subList(from, Math.min(nodes.size(), from + MAX_COUNT))) {
                    branch.insert(branch.count, child.keys[0], child);
                }
                above.add(branch);
            }
            nodes = above;
        }
        return new PersistentMap<>(nodes.get(0), values.length);
    }

    /** Returns the number of keys. */
    public int size() {
        return size;
    }

    /** Returns the value of a key, or null if there is none. */
    @SuppressWarnings("unchecked") // only values of type V are put
    public @Nullable V get(byte[] key) {
        Node node = root;
        while (!node.isLeaf) {
            node = node.child(node.childOf(key));
        }
        int found = node.search(key);
        return found >= 0 ? (V) node.values[found] : null;
    }

    /** Returns a cursor over this version. */
    public MapCursor<V> cursor() {
        return new MapCursor<>(root);
    }

    /** Returns this map with one more key, or another value of it. */
    public PersistentMap<V> put(byte[] key, V value) {
        Editor<V> editor = edit();
        editor.put(key, value);
        return editor.freeze();
    }

    /** Starts to change a copy of this map. */
    public Editor<V> edit() {
        return new Editor<>(this);
    }

    /**
     * Changes a copy of a map. For one thread.
     *
     * @param <V> the type of the values
     */
    public static final class Editor<V> {
        private Object edit = new Object();
        private Node root;
        private int size;
        private @Nullable PersistentMap<V> frozen;
        private @Nullable Node split; // what the node changed last did not hold

        private Editor(PersistentMap<V> map) {
            root = map.root;
            size = map.size;
            frozen = map;
        }

        /** Returns the map as it is now. Later changes do not show in it. */
        public PersistentMap<V> freeze() {
            PersistentMap<V> map = frozen;
            if (map == null) {
                map = new PersistentMap<>(root, size);
                frozen = map;
                edit = new Object();
            }
            return map;
        }

        /** Returns the value of a key, or null if there is none. */
        public @Nullable V get(byte[] key) {
            PersistentMap<V> map = frozen;
            return (map != null ? map : new PersistentMap<V>(root, size)).get(key);
        }

        /** Puts a value, in place of one that may be there; returns whether the key is new. */
        public boolean put(byte[] key, V value) {
            int before = size;
            frozen = null;
            Node changed = put(root, key, value);
            Node right = split;
            if (right != null) {
                split = null;
                Node above = new Node(edit, false, 4);
                above.insert(0, changed.keys[0], changed);
                above.insert(1, right.keys[0], right);
                changed = above;
            }
            root = changed;
            return size != before;
        }

        private Node put(Node node, byte[] key, Object value) {
            Node mine = node.ownedBy(edit);
            int at;
            if (mine.isLeaf) {
                int found = mine.search(key);
                at = found >= 0 ? found : -found - 1;
                if (found >= 0) {
                    mine.values[at] = value;
                    return mine;
                }
                mine.insert(at, key, value);
                size++;
            } else {
                at = mine.childOf(key);
                Node child = put(mine.child(at), key, value);
                mine.values[at] = child;
                mine.keys[at] = child.keys[0];
                Node right = split;
                if (right == null) {
                    return mine;
                }
                split = null;
                at++;
                mine.insert(at, right.keys[0], right);
            }
            if (mine.count > MAX_COUNT) {
                // Keys that come in order leave full nodes.
                split = mine.cut(at == mine.count - 1 ? MAX_COUNT : mine.count / 2, edit);
            }
            return mine;
        }

        /** Removes a key that may be there; returns whether it was. */
        public boolean remove(byte[] key) {
            if (get(key) == null) {
                return false;
            }
            frozen = null;
            root = remove(root, key);
            while (!root.isLeaf && root.count == 1) {
                root = root.child(0);
            }
            if (!root.isLeaf && root.count == 0) {
                root = new Node(edit, true, 1);
            }
            size--;
            return true;
        }

        private Node remove(Node node, byte[] key) {
            Node mine = node.ownedBy(edit);
            if (mine.isLeaf) {
                mine.removeAt(mine.search(key));
                return mine;
            }
            int at = mine.childOf(key);
            Node child = remove(mine.child(at), key);
            if (child.count == 0) {
                mine.removeAt(at);
                return mine;
            }
            mine.values[at] = child;
            mine.keys[at] = child.keys[0];
            if (child.count < MIN_COUNT) {
                if (at + 1 < mine.count) {
                    join(mine, at);
                } else if (at > 0) {
                    join(mine, at - 1);
                }
            }
            return mine;
        }

        /** Joins a child with the one after it, if one node can hold both. */
        private void join(Node parent, int at) {
            Node left = parent.child(at);
            Node right = parent.child(at + 1);
            if (left.count + right.count > MAX_COUNT) {
                return;
            }
            Node joined = left.ownedBy(edit);
            for (int i = 0; i < right.count; i++) {
                joined.insert(joined.count, right.keys[i], right.values[i]);
            }
            parent.values[at] = joined;
            parent.removeAt(at + 1);
        }
    }
}
