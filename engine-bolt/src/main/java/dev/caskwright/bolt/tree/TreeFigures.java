package dev.caskwright.bolt.tree;

import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageFormat;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What a tree has, as its transaction sees it.
 *
 * @param keys keys with values
 * @param buckets buckets right within it
 * @param inlineBuckets those of them that are inline
 * @param depth pages from the root to a leaf; 0 if the tree is inline
 * @param branches runs of pages that lead to others
 * @param leaves runs of pages with keys and values
 * @param overflow pages of these runs after the first ones
 * @param usedBytes bytes that hold something
 */
public record TreeFigures(
        long keys,
        long buckets,
        long inlineBuckets,
        int depth,
        long branches,
        long leaves,
        long overflow,
        long usedBytes) {
    /** Counts, page by page. */
    public static TreeFigures of(Tree tree) throws IOException {
        Counter counter = new Counter(tree);
        counter.count(tree.root(), tree.rootNodeIfAny(), 1);
        return new TreeFigures(
                counter.keys,
                counter.buckets,
                counter.inlineBuckets,
                tree.root() == 0 ? 0 : counter.depth,
                counter.branches,
                counter.leaves,
                counter.overflow,
                counter.usedBytes);
    }

    private static final class Counter {
        private final Tree tree;
        private long keys;
        private long buckets;
        private long inlineBuckets;
        private int depth;
        private long branches;
        private long leaves;
        private long overflow;
        private long usedBytes;

        Counter(Tree tree) {
            this.tree = tree;
        }

        private void count(long id, @Nullable Node node, int level) throws IOException {
            Page page = new Page(tree.pages().file());
            if (level > Tree.MAX_DEPTH) {
                throw page.corrupt("tree is too deep, so its pages lead in a circle", "depth=" + level);
            }
            if (node == null) {
                tree.read(id, page);
            }
            depth = Math.max(depth, level);
            boolean isLeaf = node != null ? node.isLeaf() : page.isLeaf();
            int count = node != null ? node.count() : page.count();
            if (isLeaf) {
                leaves++;
            } else {
                branches++;
            }
            usedBytes += PageFormat.HEADER_LENGTH;
            long length = PageFormat.HEADER_LENGTH;
            for (int i = 0; i < count; i++) {
                length += element(node, page, i, isLeaf);
                if (!isLeaf) {
                    long child = node != null ? node.child(i) : page.child(i);
                    count(child, tree.nodeIfAny(child), level + 1);
                }
            }
            usedBytes += length - PageFormat.HEADER_LENGTH;
            int pageSize = tree.pages().pageSize();
            overflow += (node != null || id == 0 ? PageFormat.pages(length, pageSize) : page.length() / pageSize) - 1;
        }

        private long element(@Nullable Node node, Page page, int index, boolean isLeaf) throws IOException {
            if (node != null) {
                boolean isBucket = isLeaf && node.isBucket(index);
                note(isLeaf, isBucket, isBucket && node.valueLength(index) > PageFormat.BUCKET_LENGTH);
                return (long) PageFormat.ELEMENT_LENGTH
                        + node.keyLength(index)
                        + (isLeaf ? node.valueLength(index) : 0);
            }
            page.look(index);
            note(isLeaf, page.isBucket(), page.valueLength() > PageFormat.BUCKET_LENGTH);
            return PageFormat.ELEMENT_LENGTH + page.keyLength() + (long) page.valueLength();
        }

        private void note(boolean isLeaf, boolean isBucket, boolean isInline) {
            if (isBucket) {
                buckets++;
                inlineBuckets += isInline ? 1 : 0;
            } else if (isLeaf) {
                keys++;
            }
        }
    }
}
