package dev.caskwright.bolt.tree;

import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageFormat;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.BitSet;
import java.util.Collections;
import java.util.Comparator;
import java.util.Deque;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Finds the pages of all buckets that lie at or after some page, with what leads a write transaction to each. */
public final class TailPages {
    private final Pages pages;
    private final long from;
    private final List<Place> found = new ArrayList<>();
    private final BitSet seen = new BitSet();
    private final Deque<Waiting> waiting = new ArrayDeque<>(); // not a recursion: buckets may be nested to any depth

    /**
     * A page and the way to it.
     *
     * @param bucket the page's bucket
     * @param key the first key in the page
     * @param page the number of the page
     */
    @SuppressWarnings("ArrayRecordComponent") // places are not compared
    public record Place(@Nullable Path bucket, byte[] key, long page) {}

    /** A bucket within another one; of those in the root the outer one is null. */
    @SuppressWarnings("ArrayRecordComponent") // paths are not compared
    public record Path(@Nullable Path outer, byte[] name) {
        /** Returns the names from the root to the bucket. */
        public static List<byte[]> names(@Nullable Path path) {
            List<byte[]> names = new ArrayList<>();
            for (Path each = path; each != null; each = each.outer) {
                names.add(each.name);
            }
            Collections.reverse(names);
            return names;
        }
    }

    private record Waiting(@Nullable Path bucket, long root) {}

    private TailPages(Pages pages, long from) {
        this.pages = pages;
        this.from = from;
    }

    /** Returns the pages at or after {@code from}, the last one first. */
    public static List<Place> of(Pages pages, long root, long from) throws IOException {
        TailPages tail = new TailPages(pages, from);
        tail.waiting.add(new Waiting(null, root));
        for (Waiting next; (next = tail.waiting.poll()) != null; ) {
            tail.look(next.bucket, next.root, 0);
        }
        tail.found.sort(Comparator.comparingLong(Place::page).reversed());
        return tail.found;
    }

    private void look(@Nullable Path bucket, long id, int depth) throws IOException {
        Page page = new Page(pages.file());
        if (depth == Tree.MAX_DEPTH) {
            throw page.corrupt("tree is too deep, so its pages lead in a circle", "depth=" + depth);
        }
        pages.read(id, page);
        if (seen.get((int) id)) {
            throw page.corrupt("page is used twice", "");
        }
        seen.set((int) id);
        if (id >= from) {
            found.add(new Place(bucket, firstKey(page), id));
        }
        for (int i = 0; i < page.count(); i++) {
            if (!page.isLeaf()) {
                look(bucket, page.child(i), depth + 1);
                continue;
            }
            page.look(i);
            if (page.isBucket()) {
                if (page.valueLength() < PageFormat.BUCKET_LENGTH) {
                    throw page.corrupt("bucket is too short", "element=" + i + ", length=" + page.valueLength());
                }
                long root = page.bytes().getLong(page.valueAt() + PageFormat.BUCKET_ROOT_OFFSET);
                if (root != 0) {
                    waiting.add(new Waiting(new Path(bucket, page.key()), root));
                }
            }
        }
    }

    private static byte[] firstKey(Page page) throws IOException {
        if (page.count() == 0) {
            return new byte[0];
        }
        page.look(0);
        return page.key();
    }
}
