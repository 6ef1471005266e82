package dev.caskwright.importer.lmdb;

import static dev.caskwright.importer.lmdb.LmdbFile.HEADER_BYTES;
import static dev.caskwright.importer.lmdb.LmdbFile.TREE_BYTES;

import dev.caskwright.importer.Receiver;
import dev.caskwright.importer.lmdb.LmdbFile.Tree;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * Walks a database of LMDB, a tree of pages, and believes nothing of it. A page begins with a header, after which are the places of its
 * nodes; the nodes of a branch lead to pages, and those of a leaf have a key and a value:
 *
 * <pre>
 * 0        8           10      12      14      16
 * | number | of a key  | flags | lower | upper | places of nodes ... lower, nothing ... upper, nodes ... |
 *
 * 0                 4       6            8
 * | length of value | flags | key length | key | value ... |
 * | page, 48 bits           | key length | key |
 * </pre>
 *
 * A long value lies in pages of its own. Several values of a key are in a page within the value, or in a tree of their own; of pages
 * whose keys are all as long, there are only the keys. A page that was seen before, as where pages lead in a circle, is damage, so the
 * work is bounded by the length of the file; and the memory by what of it is more than a hole.
 *
 * <p>For one thread.
 */
final class LmdbWalk {
    private static final int FLAGS_OFFSET = 10;
    private static final int LOWER_OFFSET = 12;
    private static final int UPPER_OFFSET = 14;
    private static final int OVERFLOW_PAGES_OFFSET = 12;
    private static final int PAD_OFFSET = 8;
    private static final int NODE_BYTES = 8;

    private static final int BRANCH = 1;
    private static final int LEAF = 2;
    private static final int OVERFLOW = 4;
    private static final int SAME_LENGTH = 0x20;

    private static final int LONG_VALUE = 1;
    private static final int OWN_TREE = 2;
    private static final int SEVERAL_VALUES = 4;

    private static final int MOST_LEVELS = 32; // as in LMDB

    private final LmdbFile file;
    private final Receiver receiver;
    private final boolean tellsPages;
    private final Visitor visitor;
    private final PageSet seen = new PageSet();
    private final PageSet seenValues =
            new PageSet(); // apart, so that two walks see the same tree whether they read values or not
    private long furtherValues;

    /** Takes what a database has, in its order. */
    interface Visitor {
        void entry(byte[] key, Value value) throws IOException;

        void database(byte[] name, Tree tree) throws IOException;
    }

    /** A value that may not have been read. */
    interface Value {
        /** Returns the value, or null after telling why it cannot be read. */
        byte @Nullable [] read() throws IOException;
    }

    /** Bytes make no sense. */
    private static final class MalformedException extends Exception {
        private static final long serialVersionUID = 1;

        MalformedException(String what) {
            super(what);
        }
    }

    /** Takes a node of a leaf: its key, and where its value lies in the page. */
    private interface NodeVisitor {
        void node(byte[] key, int flags, int valueOffset, long valueLength) throws IOException, MalformedException;
    }

    /** Makes a walk that tells damage to {@code receiver}; that of the tree's pages only if no walk of the same tree has told it. */
    LmdbWalk(LmdbFile file, Receiver receiver, boolean tellsPages, Visitor visitor) {
        this.file = file;
        this.receiver = receiver;
        this.tellsPages = tellsPages;
        this.visitor = visitor;
    }

    /** Returns how many values there were beside the first ones of their keys. */
    long furtherValues() {
        return furtherValues;
    }

    /** Walks a database. */
    void tree(Tree tree) throws IOException {
        if (tree.root() != Tree.EMPTY) {
            page(tree.root(), tree, 1);
        }
    }

    private void page(long number, Tree tree, int level) throws IOException {
        try {
            ByteBuffer page = take(number, level);
            if (isBranch(page)) {
                int count = count(page, 0, page.limit());
                for (int i = 0; i < count; i++) {
                    int node = place(page, 0, page.limit(), i);
                    page(child(page, node), tree, level + 1);
                }
            } else {
                leaf(page, 0, page.limit(), (key, flags, at, length) -> entry(page, tree, key, flags, at, length));
            }
        } catch (MalformedException e) {
            pageDamage(number, e);
        }
    }

    private void entry(ByteBuffer page, Tree tree, byte[] key, int flags, int at, long length)
            throws IOException, MalformedException {
        if ((flags & LONG_VALUE) != 0 && (flags & (OWN_TREE | SEVERAL_VALUES)) != 0) {
            throw new MalformedException("a value is of two kinds"); // of which each has another length here
        }
        if ((flags & SEVERAL_VALUES) != 0) {
            if (!tree.hasSortedValues()) {
                throw new MalformedException("a key has several values in a database that has one of each");
            }
            Several several = new Several(key);
            if ((flags & OWN_TREE) != 0) {
                checkLength(length, TREE_BYTES);
                several.tree(Tree.at(page, at).root(), 1);
            } else {
                leaf(page, at, (int) length, several);
            }
        } else if ((flags & OWN_TREE) != 0) {
            checkLength(length, TREE_BYTES);
            visitor.database(key, Tree.at(page, at));
        } else if ((flags & LONG_VALUE) != 0) {
            long first = page.getLong(at);
            visitor.entry(key, () -> longValue(first, length));
        } else {
            visitor.entry(key, () -> bytes(page, at, (int) length));
        }
    }

    /** The values of one key, which are keys to the tree that they are in. */
    private final class Several implements NodeVisitor {
        private final byte[] key;
        private boolean hasTold;

        Several(byte[] key) {
            this.key = key;
        }

        @Override
        public void node(byte[] value, int flags, int valueOffset, long valueLength) throws IOException {
            if (hasTold) {
                furtherValues++;
            } else {
                hasTold = true;
                visitor.entry(key, () -> value);
            }
        }

        void tree(long number, int level) throws IOException {
            try {
                ByteBuffer page = take(number, level);
                if (isBranch(page)) {
                    int count = count(page, 0, page.limit());
                    for (int i = 0; i < count; i++) {
                        tree(child(page, place(page, 0, page.limit(), i)), level + 1);
                    }
                } else {
                    leaf(page, 0, page.limit(), this);
                }
            } catch (MalformedException e) {
                pageDamage(number, e);
            }
        }
    }

    private ByteBuffer take(long number, int level) throws IOException, MalformedException {
        ByteBuffer page = numbered(number);
        if (level > MOST_LEVELS || !seen.add(number)) {
            throw new MalformedException("a page is in the tree twice, or too deep in it");
        }
        return page;
    }

    private ByteBuffer numbered(long number) throws IOException, MalformedException {
        if (number < 2 || number >= file.pages()) {
            throw new MalformedException("a page is not in the file");
        }
        ByteBuffer page = file.page(number);
        if (page.getLong(0) != number) {
            throw new MalformedException("a page has another number, " + page.getLong(0));
        }
        return page;
    }

    private static boolean isBranch(ByteBuffer page) throws MalformedException {
        int kind = page.getShort(FLAGS_OFFSET) & (BRANCH | LEAF | OVERFLOW);
        if (kind != BRANCH && kind != LEAF) {
            throw new MalformedException("a page is neither a branch nor a leaf");
        }
        return kind == BRANCH;
    }

    /** Returns how many nodes a page has, which is a part of {@code bytes}. */
    private static int count(ByteBuffer bytes, int start, int length) throws MalformedException {
        if (length < HEADER_BYTES) {
            throw new MalformedException("a page is shorter than its header");
        }
        int lower = bytes.getShort(start + LOWER_OFFSET) & 0xFFFF;
        int upper = bytes.getShort(start + UPPER_OFFSET) & 0xFFFF;
        if (lower < HEADER_BYTES || lower > upper || upper > length || lower % 2 != 0) {
            throw new MalformedException("a page has an odd number of nodes");
        }
        return (lower - HEADER_BYTES) / 2;
    }

    private static int place(ByteBuffer bytes, int start, int length, int index) throws MalformedException {
        int offset = bytes.getShort(start + HEADER_BYTES + 2 * index) & 0xFFFF;
        if (offset < HEADER_BYTES
                || offset > length - NODE_BYTES
                || keyLength(bytes, start + offset) > length - offset - NODE_BYTES) {
            throw new MalformedException("a node lies outside of its page");
        }
        return start + offset;
    }

    private static int keyLength(ByteBuffer bytes, int node) {
        return bytes.getShort(node + 6) & 0xFFFF;
    }

    private static long child(ByteBuffer bytes, int node) {
        return bytes.getInt(node) & 0xFFFFFFFFL | (bytes.getShort(node + 4) & 0xFFFFL) << 32;
    }

    private static void leaf(ByteBuffer bytes, int start, int length, NodeVisitor visitor)
            throws IOException, MalformedException {
        int count = count(bytes, start, length);
        if ((bytes.getShort(start + FLAGS_OFFSET) & SAME_LENGTH) != 0) {
            int each = bytes.getShort(start + PAD_OFFSET) & 0xFFFF;
            if ((long) each * count > length - HEADER_BYTES) {
                throw new MalformedException("values of one length are longer than their page");
            }
            for (int i = 0; i < count; i++) {
                visitor.node(bytes(bytes, start + HEADER_BYTES + i * each, each), 0, 0, 0);
            }
            return;
        }
        long total = HEADER_BYTES;
        for (int i = 0; i < count; i++) {
            int node = place(bytes, start, length, i);
            int flags = bytes.getShort(node + 4) & 0xFFFF;
            int value = node + NODE_BYTES + keyLength(bytes, node);
            long valueLength = bytes.getInt(node) & 0xFFFFFFFFL;
            long here = (flags & LONG_VALUE) != 0 ? Long.BYTES : valueLength;
            total += NODE_BYTES + keyLength(bytes, node) + here;
            if (here > start + length - value || total > length) {
                throw new MalformedException("values are longer than their page");
            }
            visitor.node(bytes(bytes, node + NODE_BYTES, keyLength(bytes, node)), flags, value, valueLength);
        }
    }

    private byte @Nullable [] longValue(long first, long length) throws IOException {
        try {
            ByteBuffer header = numbered(first);
            long pages = header.getInt(OVERFLOW_PAGES_OFFSET) & 0xFFFFFFFFL;
            if ((header.getShort(FLAGS_OFFSET) & OVERFLOW) == 0
                    || pages > file.pages() - first
                    || length > pages * file.pageSize() - HEADER_BYTES
                    || length > Integer.MAX_VALUE - Long.BYTES) {
                throw new MalformedException("a value is longer than the pages that it has");
            }
            long end = first + (HEADER_BYTES + length - 1) / file.pageSize() + 1; // it may have more than it needs
            for (long page = first; page < end; page++) {
                if (!seenValues.add(page)) {
                    throw new MalformedException("two values have a page in common");
                }
            }
            return file.read(first * file.pageSize() + HEADER_BYTES, (int) length);
        } catch (MalformedException e) {
            damage(first, e);
            return null;
        } catch (OutOfMemoryError e) {
            // There are no checksums: whether anybody wrote so long a value is not known.
            damage(first, new MalformedException("there is no memory for a value: length=" + length));
            return null;
        }
    }

    private static void checkLength(long found, int expected) throws MalformedException {
        if (found != expected) {
            throw new MalformedException("what a database is described by has a wrong length");
        }
    }

    private static byte[] bytes(ByteBuffer from, int offset, int length) {
        byte[] bytes = new byte[length];
        from.get(offset, bytes);
        return bytes;
    }

    private void pageDamage(long page, MalformedException why) throws IOException {
        if (tellsPages) {
            damage(page, why);
        }
    }

    private void damage(long page, MalformedException why) throws IOException {
        boolean isThere = page >= 0 && page < file.pages();
        receiver.damage(
                file.path(),
                isThere ? page * file.pageSize() : Receiver.SOMEWHERE,
                why.getMessage() + ", what it would lead to is left out: page=" + page);
    }
}
