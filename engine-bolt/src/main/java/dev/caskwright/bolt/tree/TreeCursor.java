package dev.caskwright.bolt.tree;

import dev.caskwright.bolt.page.Bytes;
import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageFormat;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A place in a tree that moves in the order of the keys. It remembers its element's key: when the tree has changed meanwhile,
 * it looks that key up again, so a move goes to the key after (or before) it, whether it is still there or not.
 *
 * <p>A move that finds nothing leaves the cursor where it is. For the thread of the transaction.
 */
public final class TreeCursor {
    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);

    private final Tree tree;
    private Level[] levels = new Level[0];
    private int depth; // of the leaf, counted from 1; 0 if the cursor is nowhere
    private int seenChanges;
    private boolean isAtKey; // false if the element is gone: then the levels are where it would be

    // The element that the cursor is at; its key stays when it is gone.
    private ByteBuffer keyBytes = NOTHING;
    private int keyAt;
    private int keyLength;
    private ByteBuffer valueBytes = NOTHING;
    private int valueAt;
    private int valueLength;
    private int flags;

    @SuppressWarnings("UnusedVariable") // kept so that the reads are not left out
    private long fetched;

    /** One page or node on the way from the root to the leaf. */
    private static final class Level {
        final Page page;

        @Nullable Node node;

        int index;

        Level(String file) {
            page = new Page(file);
        }

        int count() {
            Node current = node;
            return current != null ? current.count() : page.count();
        }

        boolean isLeaf() {
            Node current = node;
            return current != null ? current.isLeaf() : page.isLeaf();
        }

        long child() {
            Node current = node;
            return current != null ? current.child(index) : page.child(index);
        }

        int search(byte[] key, int offset, int length) throws IOException {
            Node current = node;
            return current != null ? current.search(key, offset, length) : page.search(key, offset, length);
        }
    }

    /** Makes a cursor that is nowhere. */
    public TreeCursor(Tree tree) {
        this.tree = tree;
    }

    /** Returns whether the cursor is at an element. */
    public boolean isAtElement() {
        return depth > 0;
    }

    /** Moves to the first element; returns false if there is none: then the cursor is nowhere. */
    public boolean first() throws IOException {
        start();
        return descend(true) || advance(true) ? settle() : leave();
    }

    /** Moves to the last element; returns false if there is none: then the cursor is nowhere. */
    public boolean last() throws IOException {
        start();
        return descend(false) || advance(false) ? settle() : leave();
    }

    /** Moves to the first element at or after a key; returns false if there is none: then the cursor is nowhere. */
    public boolean seek(byte[] key) throws IOException {
        look(key);
        return isOnElement() || advance(true) ? settle() : leave();
    }

    /** Moves to the next element; returns false, and does not move, if there is none. */
    public boolean next() throws IOException {
        if (isAtKey && depth > 0 && seenChanges == tree.changes()) {
            Level level = levels[depth - 1];
            if (level.node == null && level.index + 1 < level.page.count()) {
                level.index++;
                return settle();
            }
        }
        return move(true);
    }

    /** Moves to the previous element; returns false, and does not move, if there is none. */
    public boolean previous() throws IOException {
        return move(false);
    }

    private boolean move(boolean forward) throws IOException {
        if (depth == 0) {
            return false;
        }
        ByteBuffer bytes = keyBytes;
        int at = keyAt;
        int length = keyLength;
        boolean isMoved = seenChanges != tree.changes();
        if (!isCurrent() && forward && isOnElement()) {
            settle(); // the element after one that is gone
        } else if (advance(forward)) {
            settle();
            isMoved |= isAtEdge(forward);
        } else {
            look(key()); // back to where it was
            return false;
        }
        if (isMoved) {
            checkOrder(forward, bytes, at, length);
        }
        return true;
    }

    /** Returns whether the leaf has no element before this one, in the direction of the move. */
    private boolean isAtEdge(boolean forward) {
        Level level = levels[depth - 1];
        return level.index == (forward ? 0 : level.count() - 1);
    }

    /** Checks that a move went on. In a damaged tree it may come to where it was, and would never end. */
    private void checkOrder(boolean forward, ByteBuffer bytes, int at, int length) throws IOException {
        int order = Bytes.compare(keyBytes, keyAt, keyLength, bytes, at, length);
        if (forward ? order <= 0 : order >= 0) {
            throw levels[depth - 1].page.corrupt("keys of pages are not in ascending order", "");
        }
    }

    private void start() throws IOException {
        seenChanges = tree.changes();
        depth = 0;
        push(tree.root(), tree.rootNodeIfAny());
    }

    private void push(long id, @Nullable Node node) throws IOException {
        if (depth == Tree.MAX_DEPTH) {
            throw levels[depth - 1].page.corrupt("tree is too deep, so its pages lead in a circle", "depth=" + depth);
        }
        if (depth == levels.length) {
            levels = Arrays.copyOf(levels, depth + 4);
            for (int i = depth; i < levels.length; i++) {
                levels[i] = new Level(tree.pages().file());
            }
        }
        Level level = levels[depth++];
        level.node = node;
        level.index = 0;
        if (node == null) {
            tree.read(id, level.page);
        }
    }

    private void pushChild() throws IOException {
        Level level = levels[depth - 1];
        if (level.count() == 0) {
            throw level.page.corrupt("branch is empty", "");
        }
        long child = level.child();
        push(child, tree.nodeIfAny(child));
    }

    /** Goes down from the deepest level to the first or last element below it; returns false if that leaf is empty. */
    private boolean descend(boolean toFirst) throws IOException {
        while (true) {
            Level level = levels[depth - 1];
            level.index = toFirst ? 0 : level.count() - 1;
            if (level.isLeaf()) {
                return level.count() > 0;
            }
            if (!toFirst && level.count() == 0) {
                throw level.page.corrupt("branch is empty", "");
            }
            pushChild();
        }
    }

    /** Goes to the next or previous element, leaf by leaf; returns false at the end, and is nowhere then. */
    private boolean advance(boolean forward) throws IOException {
        int step = forward ? 1 : -1;
        long looked = 0;
        while (depth > 0) {
            Level level = levels[depth - 1];
            int index = level.index + step;
            if (index < 0 || index >= level.count()) {
                depth--;
                continue;
            }
            level.index = index;
            if (level.isLeaf()) {
                return true;
            }
            if (level.node == null) {
                fetched = tree.pages().fetch(level.page.child(index));
            }
            pushChild();
            if (descend(forward)) {
                return true;
            }
            if (++looked > tree.pages().highWater()) { // old files have empty leaves, but no more than pages
                throw levels[depth - 1].page.corrupt(
                        "tree has more leaves than pages, so branches lead to one twice", "");
            }
        }
        return false;
    }

    /** Goes to where a key is, or would be. */
    private void look(byte[] key) throws IOException {
        start();
        while (true) {
            Level level = levels[depth - 1];
            int found = level.search(key, 0, key.length);
            if (level.isLeaf()) {
                level.index = found >= 0 ? found : -found - 1;
                isAtKey = found >= 0;
                return;
            }
            level.index = Tree.child(found);
            pushChild();
        }
    }

    private boolean isOnElement() {
        Level level = levels[depth - 1];
        return level.index < level.count();
    }

    private boolean settle() throws IOException {
        isAtKey = true;
        Level level = levels[depth - 1];
        Node node = level.node;
        if (node != null) {
            keyBytes = node.keyBytes(level.index);
            keyAt = node.keyAt(level.index);
            keyLength = node.keyLength(level.index);
            settleValue(node, level.index);
        } else {
            Page page = level.page;
            page.look(level.index);
            keyBytes = page.bytes();
            keyAt = page.keyAt();
            keyLength = page.keyLength();
            settleValue(page);
        }
        return true;
    }

    private void settleValue(Page page) {
        valueBytes = page.bytes();
        valueAt = page.valueAt();
        valueLength = page.valueLength();
        flags = page.elementFlags();
    }

    private void settleValue(Node node, int index) {
        valueBytes = node.valueBytes(index);
        valueAt = node.valueAt(index);
        valueLength = node.valueLength(index);
        flags = node.flags(index);
    }

    private boolean leave() {
        depth = 0;
        return false;
    }

    /** Returns whether the element is still there; after changes by others than this cursor it is looked up again. */
    public boolean isCurrent() throws IOException {
        if (depth > 0 && seenChanges != tree.changes()) {
            look(key());
            if (isAtKey) {
                Level level = levels[depth - 1];
                Node node = level.node;
                if (node != null) {
                    settleValue(node, level.index);
                } else {
                    level.page.look(level.index);
                    settleValue(level.page);
                }
            }
        }
        return depth > 0 && isAtKey;
    }

    /** Returns a copy of the element's key. */
    public byte[] key() {
        return Bytes.copy(keyBytes, keyAt, keyLength);
    }

    /** Returns the bytes that hold the element's key. */
    public ByteBuffer keyBytes() {
        return keyBytes;
    }

    /** Returns where the element's key starts. */
    public int keyAt() {
        return keyAt;
    }

    /** Returns the length of the element's key. */
    public int keyLength() {
        return keyLength;
    }

    /** Returns whether the element is a bucket. After {@link #isCurrent}. */
    public boolean isBucket() {
        return (flags & PageFormat.BUCKET) != 0;
    }

    /** Returns the bytes that hold the element's value. After {@link #isCurrent}. */
    public ByteBuffer valueBytes() {
        return valueBytes;
    }

    /** Returns where the value starts. After {@link #isCurrent}. */
    public int valueAt() {
        return valueAt;
    }

    /** Returns the length of the value. After {@link #isCurrent}. */
    public int valueLength() {
        return valueLength;
    }
}
