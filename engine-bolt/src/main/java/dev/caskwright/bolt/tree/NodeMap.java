package dev.caskwright.bolt.tree;

import org.jspecify.annotations.Nullable;

/** The nodes of a tree by the page that each was made of: a table with open addressing, at most half full. */
final class NodeMap {
    private static final int FIRST_CAPACITY = 16;
    private static final long SPREAD = 0x9E3779B97F4A7C15L;

    private @Nullable Node[] table = new Node[0];
    private long[] pages = {};
    private int size;

    boolean isEmpty() {
        return size == 0;
    }

    @Nullable Node get(long page) {
        return size == 0 ? null : table[place(page)];
    }

    /** Adds a node under a page that has none. */
    void put(long page, Node node) {
        if (2 * (size + 1) > table.length) {
            grow();
        }
        int place = place(page);
        table[place] = node;
        pages[place] = page;
        size++;
    }

    /** Takes the node of a page out, if there is one. */
    void remove(long page) {
        if (size == 0) {
            return;
        }
        int hole = place(page);
        if (table[hole] == null) {
            return;
        }
        size--;
        int mask = table.length - 1;
        // Closes the gap: what comes after it and belongs at it or before it moves up.
        for (int next = (hole + 1) & mask; table[next] != null; next = (next + 1) & mask) {
            int wanted = home(pages[next]);
            if (((next - wanted) & mask) >= ((next - hole) & mask)) {
                table[hole] = table[next];
                pages[hole] = pages[next];
                hole = next;
            }
        }
        table[hole] = null;
    }

    /** Returns all nodes, in an order that means nothing. */
    Node[] all() {
        Node[] all = new Node[size];
        int count = 0;
        for (Node node : table) {
            if (node != null) {
                all[count++] = node;
            }
        }
        return all;
    }

    private int home(long page) {
        return (int) ((page * SPREAD) >>> Integer.SIZE) & table.length - 1;
    }

    /** Returns where the node of a page is, or where it would be put. */
    private int place(long page) {
        int mask = table.length - 1;
        int place = home(page);
        while (table[place] != null && pages[place] != page) {
            place = (place + 1) & mask;
        }
        return place;
    }

    private void grow() {
        @Nullable Node[] nodes = table;
        long[] keys = pages;
        int capacity = Math.max(FIRST_CAPACITY, 2 * nodes.length);
        // Both before any change, so that want of memory leaves the map as it was.
        long[] morePages = new long[capacity];
        @Nullable Node[] more = new Node[capacity];
        table = more;
        pages = morePages;
        size = 0;
        for (int i = 0; i < nodes.length; i++) {
            Node node = nodes[i];
            if (node != null) {
                put(keys[i], node);
            }
        }
    }
}
