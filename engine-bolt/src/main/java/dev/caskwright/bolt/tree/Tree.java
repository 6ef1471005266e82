package dev.caskwright.bolt.tree;

import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageFormat;
import dev.caskwright.bolt.page.PageLookup;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;

/**
 * The B+tree of one bucket within a transaction, with the trees of its buckets. Reading looks at pages where they lie. A write
 * makes nodes of the pages on its way; committing joins nodes that have become small ({@link #rebalance}) and then gives every
 * changed node new pages, from the leaves to the root ({@link #spill}), so that a state that readers see is never changed.
 *
 * <p>For the thread of the transaction.
 */
public final class Tree {
    /** No sound file has trees as deep; more means that pages lead in a circle. */
    static final int MAX_DEPTH = 64;

    private static final ByteBuffer NOTHING = ByteBuffer.allocate(0);
    private static final double MIN_FILL_PERCENT = 0.1;
    private static final double DEFAULT_FILL_PERCENT = 0.5;
    private static final int MAX_INLINE_PART = 4; // an inline bucket takes at most this part of a page

    private final Pages pages;
    private final Page page; // where lookups look that are not usual
    private final PageLookup lookup;
    private long root; // 0 if the bucket is inline
    private long sequence;
    private @Nullable ByteBuffer inlineBytes;
    private int inlineStart;
    private int inlineLength;
    private long inlineOffset;
    private double fillPercent = DEFAULT_FILL_PERCENT;

    private @Nullable Node rootNode;
    private final NodeMap nodes = new NodeMap();
    private @Nullable Node lastLeaf; // that a key was put into; until nodes are joined
    private @Nullable Map<byte[], Tree> buckets; // ordered; null until there is one
    private boolean isHeaderChanged;
    private boolean isDropped;
    private int changes;

    // What the last lookup found.
    private ByteBuffer foundBytes = NOTHING;
    private int foundAt;
    private int foundLength;
    private int foundFlags;

    @SuppressWarnings("UnusedVariable") // kept so that the reads are not left out
    private long fetched;

    /** Makes a tree of a root page. */
    public Tree(Pages pages, long root, long sequence) {
        this.pages = pages;
        this.page = new Page(pages.file());
        this.lookup = pages.newLookup();
        this.root = root;
        this.sequence = sequence;
    }

    private static Tree inValue(Pages pages, ByteBuffer bytes, int at, int length, long inlineOffset)
            throws IOException {
        if (length < PageFormat.BUCKET_LENGTH) {
            throw new Page(pages.file()).corrupt("bucket is too short", "length=" + length);
        }
        ByteBuffer ordered =
                bytes.order() == pages.order() ? bytes : bytes.duplicate().order(pages.order());
        Tree tree = new Tree(
                pages,
                ordered.getLong(at + PageFormat.BUCKET_ROOT_OFFSET),
                ordered.getLong(at + PageFormat.BUCKET_SEQUENCE_OFFSET));
        if (tree.root == 0) {
            tree.inlineBytes = ordered;
            tree.inlineStart = at + PageFormat.BUCKET_LENGTH;
            tree.inlineLength = length - PageFormat.BUCKET_LENGTH;
            tree.inlineOffset = inlineOffset;
        }
        return tree;
    }

    /** Makes an empty tree that is inline until it grows. */
    private static Tree empty(Pages pages) {
        Tree tree = new Tree(pages, 0, 0);
        Node node = Node.empty(pages.arena(), true);
        node.isChanged = true;
        tree.rootNode = node;
        tree.isHeaderChanged = true;
        return tree;
    }

    /** Returns the root page, 0 if the tree is inline. */
    public long root() {
        return root;
    }

    /** Returns the bucket's sequence. */
    public long sequence() {
        return sequence;
    }

    /** Sets the bucket's sequence. */
    public void setSequence(long value) throws IOException {
        rootNode(); // so that the bucket is among those that are written
        sequence = value;
        isHeaderChanged = true;
    }

    /** Returns how full pages are made when a node is cut. */
    public double fillPercent() {
        return fillPercent;
    }

    /** Sets how full pages are made when a node is cut, from 0.1 to 1. */
    public void setFillPercent(double percent) {
        fillPercent = Math.max(MIN_FILL_PERCENT, Math.min(1.0, percent));
    }

    /** Returns a number that is another one after each change. */
    int changes() {
        return changes;
    }

    /** Returns whether the bucket was deleted in this transaction. */
    public boolean isDropped() {
        return isDropped;
    }

    Pages pages() {
        return pages;
    }

    @Nullable Node rootNodeIfAny() {
        return rootNode;
    }

    @Nullable Node nodeIfAny(long id) {
        return nodes.get(id);
    }

    /** Points at a page of this tree: by its number, or at the inline page. */
    void read(long id, Page into) throws IOException {
        ByteBuffer inline = inlineBytes;
        if (id != 0) {
            pages.read(id, into);
        } else if (inline == null) {
            throw into.corrupt("branch leads to page 0", "");
        } else {
            into.point(inline, inlineStart, inlineLength, 0, inlineOffset);
            if (!into.isLeaf()) {
                throw into.corrupt("inline bucket is no leaf", "");
            }
        }
    }

    // ---------------------------------------------------------------- looking up

    /** Looks a key up; returns whether it is there, and notes what was found. */
    public boolean find(byte[] key, int offset, int length) throws IOException {
        Node node = rootNode;
        if (node == null && root != 0) {
            int outcome = outcomeOfLookup(key, offset, length);
            if (outcome == PageLookup.FOUND) {
                foundBytes = lookup.bytes();
                foundAt = lookup.valueAt();
                foundLength = lookup.valueLength();
                foundFlags = lookup.elementFlags();
                return true;
            }
            if (outcome == PageLookup.ABSENT) {
                return false;
            }
        }
        long id = root;
        for (int depth = 0; depth < MAX_DEPTH; depth++) {
            if (node == null && nodes.isEmpty()) {
                return findInPages(id, depth, key, offset, length);
            }
            if (node != null) {
                int index = node.search(key, offset, length);
                if (node.isLeaf()) {
                    return index >= 0 && found(node, index);
                }
                id = node.child(child(index));
            } else {
                read(id, page);
                int index = page.search(key, offset, length);
                if (page.isLeaf()) {
                    return index >= 0 && found(index);
                }
                id = childOf(page, index);
            }
            node = nodeIfAny(id);
        }
        throw tooDeep();
    }

    private int outcomeOfLookup(byte[] key, int offset, int length) {
        try {
            return lookup.find(root, key, offset, length);
        } catch (InternalError e) {
            return PageLookup.UNDECIDED; // mapped bytes are gone: reading the pages says so
        }
    }

    /** Looks a key up below a page, where no page has become a node. */
    private boolean findInPages(long from, int fromDepth, byte[] key, int offset, int length) throws IOException {
        long id = from;
        for (int depth = fromDepth; depth < MAX_DEPTH; depth++) {
            read(id, page);
            int index = page.search(key, offset, length);
            if (page.isLeaf()) {
                return index >= 0 && found(index);
            }
            id = childOf(page, index);
        }
        throw tooDeep();
    }

    private static long childOf(Page page, int searched) throws IOException {
        if (page.count() == 0) {
            throw page.corrupt("branch is empty", "");
        }
        return page.child(child(searched));
    }

    private IOException tooDeep() {
        return page.corrupt("tree is too deep, so its pages lead in a circle", "depth=" + MAX_DEPTH);
    }

    /** Returns the element of a branch that leads to a key, by the outcome of a search: the last one not after it. */
    static int child(int searched) {
        return searched >= 0 ? searched : Math.max(0, -searched - 2);
    }

    private boolean found(Node node, int index) {
        foundBytes = node.valueBytes(index);
        foundAt = node.valueAt(index);
        foundLength = node.valueLength(index);
        foundFlags = node.flags(index);
        return true;
    }

    private boolean found(int index) throws IOException {
        page.look(index);
        foundBytes = page.bytes();
        foundAt = page.valueAt();
        foundLength = page.valueLength();
        foundFlags = page.elementFlags();
        return true;
    }

    /** Returns the bytes that hold the value found last. */
    public ByteBuffer foundBytes() {
        return foundBytes;
    }

    /** Returns where the value found last starts. */
    public int foundAt() {
        return foundAt;
    }

    /** Returns the length of the value found last. */
    public int foundLength() {
        return foundLength;
    }

    /** Returns whether what was found last is a bucket. */
    public boolean isBucketFound() {
        return (foundFlags & PageFormat.BUCKET) != 0;
    }

    // ---------------------------------------------------------------- buckets

    /** Returns the tree of a bucket, or null if the key is absent or has a value. */
    public @Nullable Tree bucket(byte[] name) throws IOException {
        Tree open = buckets == null ? null : buckets.get(name);
        if (open != null) {
            return open;
        }
        if (!find(name, 0, name.length) || !isBucketFound()) {
            return null;
        }
        Tree tree = inValue(pages, foundBytes, foundAt, foundLength, 0);
        buckets().put(name.clone(), tree);
        return tree;
    }

    private Map<byte[], Tree> buckets() {
        Map<byte[], Tree> known = buckets;
        if (known == null) {
            known = new TreeMap<>(Arrays::compareUnsigned);
            buckets = known;
        }
        return known;
    }

    /** Returns whether another tree is this one or a bucket somewhere within it, among those that were looked into. */
    public boolean holds(Tree other) {
        if (other == this) {
            return true;
        }
        for (Nested each : nested()) {
            if (each.tree == other) {
                return true;
            }
        }
        return false;
    }

    /** Makes an empty bucket under a key that is absent. */
    public Tree createBucket(byte[] name) throws IOException {
        Tree tree = empty(pages);
        addBucket(name, tree);
        return tree;
    }

    private void addBucket(byte[] name, Tree tree) throws IOException {
        byte[] place = new byte[PageFormat.BUCKET_LENGTH]; // until spill knows better
        Node leaf = leafFor(name);
        leaf.put(leaf.search(name, 0, name.length), name, place, PageFormat.BUCKET);
        changes++;
        buckets().put(name.clone(), tree);
    }

    /** Deletes a bucket that is there, with everything in it. */
    public void deleteBucket(byte[] name) throws IOException {
        Tree tree = bucket(name);
        if (tree == null) {
            throw new IllegalStateException("no such bucket");
        }
        tree.drop();
        buckets().remove(name);
        removeKey(name);
    }

    /** Moves a bucket that is there to a tree of the same transaction, under a key that is absent there. */
    public void moveBucket(byte[] name, Tree target) throws IOException {
        Tree tree = bucket(name);
        if (tree == null) {
            throw new IllegalStateException("no such bucket");
        }
        tree.rootNode(); // its value is written where it goes to
        tree.isHeaderChanged = true;
        buckets().remove(name);
        removeKey(name);
        target.addBucket(name, tree);
    }

    private void drop() throws IOException {
        Deque<Tree> waiting = new ArrayDeque<>(); // not a recursion: buckets may be nested to any depth
        waiting.add(this);
        for (Tree next; (next = waiting.poll()) != null; ) {
            next.drop(next.root, next.rootNode, 0, waiting);
            next.isDropped = true;
            next.changes++;
        }
    }

    private void drop(long id, @Nullable Node node, int depth, Deque<Tree> waiting) throws IOException {
        Page at = new Page(pages.file());
        if (depth == MAX_DEPTH) {
            throw at.corrupt("tree is too deep, so its pages lead in a circle", "depth=" + depth);
        }
        if (node == null) {
            read(id, at);
        }
        int count = node != null ? node.count() : at.count();
        boolean isLeaf = node != null ? node.isLeaf() : at.isLeaf();
        for (int i = 0; i < count; i++) {
            if (!isLeaf) {
                long child = node != null ? node.child(i) : at.child(i);
                drop(child, nodeIfAny(child), depth + 1, waiting);
                continue;
            }
            if (node == null) {
                at.look(i);
            }
            if (node != null ? node.isBucket(i) : at.isBucket()) {
                byte[] name = node != null ? node.key(i) : at.key();
                Tree tree = bucket(name);
                if (tree != null) {
                    waiting.add(tree);
                }
            }
        }
        if (node != null) {
            free(node);
        } else if (id != 0) {
            pages.free(id, at.length() / pages.pageSize());
        }
    }

    // ---------------------------------------------------------------- changing

    /** Puts a value; returns false, and changes nothing, if the key has a bucket. */
    public boolean put(byte[] key, byte[] value) throws IOException {
        Node leaf = leafFor(key);
        int index = leaf.searchFromEnd(key);
        if (index >= 0 && leaf.isBucket(index)) {
            return false;
        }
        leaf.put(index, key, value, 0);
        changes++;
        return true;
    }

    /** Removes a key that is there. */
    public void delete(byte[] key) throws IOException {
        removeKey(key);
    }

    private void removeKey(byte[] key) throws IOException {
        Node leaf = leafFor(key);
        int index = leaf.search(key, 0, key.length);
        if (index >= 0) {
            leaf.remove(index);
            changes++;
        }
    }

    /**
     * Marks as changed, so that they get other places, the pages at or after {@code from} on the way to a key; its other pages
     * are only read.
     */
    public void touch(byte[] key, long from) throws IOException {
        if (rootNode == null && root == 0) {
            return; // it lies in its parent's page
        }
        Node node = rootNode();
        for (int depth = 0; depth < MAX_DEPTH; depth++) {
            node.isChanged |= node.id >= from;
            if (node.isLeaf() || node.count() == 0) {
                return;
            }
            node = childNode(node, child(node.search(key, 0, key.length)));
        }
        throw tooDeep();
    }

    private Node rootNode() throws IOException {
        Node node = rootNode;
        if (node == null) {
            read(root, page);
            node = Node.of(pages.arena(), page, pages.pageSize());
            rootNode = node;
            if (root != 0) {
                nodes.put(root, node);
            }
        }
        return node;
    }

    private Node leafFor(byte[] key) throws IOException {
        Node last = lastLeaf;
        if (last != null && last.isFor(key)) {
            return last;
        }
        Node node = rootNode();
        for (int depth = 0; depth < MAX_DEPTH; depth++) {
            if (node.isLeaf()) {
                lastLeaf = node;
                return node;
            }
            if (node.count() == 0) {
                throw page.corrupt("branch is empty", "");
            }
            node = childNode(node, child(node.search(key, 0, key.length)));
        }
        throw tooDeep();
    }

    private Node childNode(Node parent, int index) throws IOException {
        long id = parent.child(index);
        Node node = nodes.get(id);
        if (node == null) {
            fetched = pages.fetch(id);
            read(id, page);
            node = Node.of(pages.arena(), page, pages.pageSize());
            if (!isInRange(node, parent, index)) {
                throw page.corrupt("keys are not where their branch says", "branch=" + parent.id);
            }
            node.parent = parent;
            node.keyInParent = parent.key(index);
            node.low = index == 0 ? parent.low : node.keyInParent;
            node.high = index + 1 == parent.count() ? parent.high : parent.key(index + 1);
            parent.children.add(node);
            nodes.put(id, node);
        } else if (node.parent != parent) {
            throw page.corrupt("two branches lead to one page", "child=" + Long.toUnsignedString(id));
        }
        return node;
    }

    /** Returns whether the keys of a child lie between the keys that its branch has for it and for the next one. */
    private static boolean isInRange(Node node, Node parent, int index) {
        int count = node.count();
        return count == 0
                || ((index == 0 || node.compareKey(0, parent, index) >= 0)
                        && (index + 1 == parent.count() || node.compareKey(count - 1, parent, index + 1) < 0));
    }

    private void free(Node node) throws IOException {
        if (node.id != 0) {
            pages.free(node.id, node.runPages);
            nodes.remove(node.id);
            node.id = 0;
        }
    }

    // ---------------------------------------------------------------- committing

    @SuppressWarnings("ArrayRecordComponent") // these are not compared
    private record Nested(Tree parent, byte[] name, Tree tree) {}

    /** Returns all buckets within this one that were looked into, each after the one that it is in. */
    private List<Nested> nested() {
        List<Nested> found = new ArrayList<>(); // not a recursion: buckets may be nested to any depth
        addBuckets(found);
        for (int i = 0; i < found.size(); i++) {
            found.get(i).tree.addBuckets(found);
        }
        return found;
    }

    private void addBuckets(List<Nested> target) {
        if (buckets != null) {
            buckets.forEach((name, tree) -> target.add(new Nested(this, name, tree)));
        }
    }

    /** Joins the nodes that lost keys with their neighbours, here and in all buckets. */
    public void rebalance() throws IOException {
        rebalanceNodes();
        for (Nested each : nested()) {
            each.tree.rebalanceNodes();
        }
    }

    private void rebalanceNodes() throws IOException {
        lastLeaf = null;
        for (Node node : nodes.all()) {
            rebalance(node);
        }
        Node top = rootNode;
        if (top != null && top.id == 0) {
            rebalance(top);
        }
    }

    private void rebalance(Node start) throws IOException {
        Node node = start;
        while (node.lostKeys) {
            node.lostKeys = false;
            long enough = (long) (pages.pageSize() * fillPercent / 2);
            if (node.length() > enough && node.count() > node.minElements()) {
                return;
            }
            Node parent = node.parent;
            if (parent == null) {
                lowerRoot(node);
                return;
            }
            if (node.count() == 0) {
                remove(node, parent, parent.search(node.keyInParent, 0, node.keyInParent.length));
            } else if (parent.count() < 2) {
                return; // a branch with one child, as old files have
            } else {
                join(node, parent);
            }
            node = parent;
        }
    }

    /** Takes away what a root that lost keys needs no more: branches with a single child. */
    private void lowerRoot(Node top) throws IOException {
        Node node = top;
        while (!node.isLeaf() && node.count() <= 1) {
            Node lower;
            if (node.count() == 0) {
                lower = Node.empty(pages.arena(), true);
                lower.isChanged = true;
            } else {
                lower = childNode(node, 0);
                lower.parent = null;
            }
            free(node);
            rootNode = lower;
            root = lower.id;
            isHeaderChanged = true;
            node = lower;
        }
    }

    private void join(Node node, Node parent) throws IOException {
        int index = parent.search(node.keyInParent, 0, node.keyInParent.length);
        boolean isFirst = index == 0;
        Node left = isFirst ? node : childNode(parent, index - 1);
        Node right = isFirst ? childNode(parent, 1) : node;
        if (left.isLeaf() != right.isLeaf()) {
            throw page.corrupt("neighbours are not of one kind", "page=" + left.id + ", next=" + right.id);
        }
        if (left.count() > 0 && right.count() > 0 && left.compareKey(left.count() - 1, right, 0) >= 0) {
            throw page.corrupt(
                    "keys of neighbours are not in ascending order", "page=" + left.id + ", next=" + right.id);
        }
        left.append(right);
        for (Node child : right.children) {
            child.parent = left;
            left.children.add(child);
        }
        right.children.clear();
        remove(right, parent, isFirst ? 1 : index);
    }

    private void remove(Node node, Node parent, int index) throws IOException {
        parent.remove(index);
        parent.children.remove(node);
        free(node);
        node.isChanged = false;
        node.lostKeys = false;
    }

    /** Gives every changed node pages of its own, here and in all buckets. */
    public void spill() throws IOException {
        List<Nested> nested = nested();
        for (int i = nested.size() - 1; i >= 0; i--) { // the inner ones first, as their places are in the outer ones
            Nested each = nested.get(i);
            each.parent.spillBucket(each.name, each.tree);
        }
        spillNodes();
    }

    private void spillNodes() throws IOException {
        Node top = rootNode;
        if (top == null) {
            return;
        }
        spill(top);
        Node written = rootNode; // another one if the root was cut
        if (written != null && written.id != root) {
            root = written.id;
            isHeaderChanged = true;
        }
    }

    private void spillBucket(byte[] name, Tree bucket) throws IOException {
        byte[] value;
        Node top = bucket.rootNode;
        if (top != null && bucket.isInlineable(top)) {
            boolean isChanged = top.isChanged || bucket.isHeaderChanged;
            if (!isChanged) {
                return;
            }
            bucket.free(top);
            value = bucket.inlineValue(top);
        } else {
            bucket.spillNodes();
            if (!bucket.isHeaderChanged) {
                return;
            }
            value = new byte[PageFormat.BUCKET_LENGTH];
            bucket.writeHeader(ByteBuffer.wrap(value).order(pages.order()));
        }
        Node leaf = leafFor(name);
        leaf.put(leaf.search(name, 0, name.length), name, value, PageFormat.BUCKET);
    }

    private boolean isInlineable(Node top) {
        return top.isLeaf() && top.length() <= pages.pageSize() / MAX_INLINE_PART && !top.hasBuckets();
    }

    private byte[] inlineValue(Node top) {
        root = 0;
        byte[] value = new byte[PageFormat.BUCKET_LENGTH + (int) top.length()];
        ByteBuffer target = ByteBuffer.wrap(value).order(pages.order());
        writeHeader(target);
        top.write(target, PageFormat.BUCKET_LENGTH, 0);
        return value;
    }

    private void writeHeader(ByteBuffer target) {
        target.putLong(PageFormat.BUCKET_ROOT_OFFSET, root);
        target.putLong(PageFormat.BUCKET_SEQUENCE_OFFSET, sequence);
    }

    private void spill(Node node) throws IOException {
        for (Node child : List.copyOf(node.children)) {
            spill(child);
        }
        node.children.clear();
        if (!node.isChanged) {
            return;
        }
        byte[] oldKey = node.keyInParent;
        free(node);
        Node parent = node.parent;
        List<Node> pieces = node.split(pages.pageSize(), fillPercent);
        if (pieces.size() > 1 && parent == null) {
            parent = Node.empty(pages.arena(), false);
            rootNode = parent;
        }
        for (int i = 0; i < pieces.size(); i++) {
            Node piece = pieces.get(i);
            piece.runPages = PageFormat.pages(piece.length(), pages.pageSize());
            piece.id = pages.allocate(piece.runPages);
            piece.isChanged = false;
            pages.write(piece);
            if (parent != null) {
                byte[] key = piece.key(0);
                parent.putChild(i == 0 && node.parent != null ? oldKey : key, key, piece.id);
            }
        }
        if (parent != null && node.parent == null) {
            spill(parent);
        }
    }
}
