package dev.caskwright.bolt.check;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.bolt.page.Meta;
import dev.caskwright.bolt.page.Page;
import dev.caskwright.bolt.page.PageFormat;
import dev.caskwright.bolt.page.PageStore;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;

/**
 * The pages of one state that its buckets lead to, found by reading them all. On the way everything is checked that must hold
 * in a sound file: no page is led to twice, all pages exist and are of their kind, keys ascend within and across pages, all
 * leaves of a tree are found, no tree leads in a circle.
 */
public final class Reachable {
    private static final int MAX_DEPTH = 64;
    private static final int MAX_PATH_LENGTH = 80; // of what is told; more would take memory for nothing

    private final PageStore store;
    private final Meta meta;
    private final Consumer<String> problems;
    private final BitSet pages = new BitSet();
    private final BitSet awaited = new BitSet(); // roots of buckets that are waiting
    private final Deque<Bucket> waiting = new ArrayDeque<>(); // not a recursion: buckets may be nested to any depth
    private long keys;
    private long buckets;

    private record Bucket(String path, long root) {}

    private Reachable(PageStore store, Meta meta, Consumer<String> problems) {
        this.store = store;
        this.meta = meta;
        this.problems = problems;
    }

    /**
     * Finds the pages of a sound state.
     *
     * @throws dev.caskwright.api.CorruptRecordException if it is not sound
     */
    public static Reachable of(PageStore store, Meta meta) throws IOException {
        String[] first = new String[1];
        Reachable reachable = of(store, meta, problem -> {
            if (first[0] == null) {
                first[0] = problem;
            }
        });
        if (first[0] != null) {
            throw new Page(store.name()).corrupt("free pages cannot be told in a damaged file", "problem=" + first[0]);
        }
        return reachable;
    }

    /** Finds the pages of a state, and tells each problem that it meets. */
    public static Reachable of(PageStore store, Meta meta, Consumer<String> problems) throws IOException {
        Reachable reachable = new Reachable(store, meta, problems);
        reachable.waiting.add(new Bucket("/", meta.root()));
        for (Bucket next; (next = reachable.waiting.poll()) != null; ) {
            reachable.page(next.path, next.root, 0, null, null);
        }
        return reachable;
    }

    /** Returns whether a page is led to. */
    public boolean contains(long page) {
        return pages.get((int) page);
    }

    /** Marks pages that something else than a bucket uses; tells a problem if they are led to already. */
    public void add(String user, long first, long count) {
        for (long page = first; page < first + count; page++) {
            if (pages.get((int) page)) {
                problems.accept("page is used twice: page=" + page + ", second=" + user);
            }
            pages.set((int) page);
        }
    }

    /** Returns how many keys with values there are. */
    public long keys() {
        return keys;
    }

    /** Returns how many buckets there are, without the root. */
    public long buckets() {
        return buckets;
    }

    /** Checks a page whose keys are at or after {@code low}, if given, and before {@code high}. */
    private void page(String path, long id, int depth, byte @Nullable [] low, byte @Nullable [] high)
            throws IOException {
        Page page = new Page(store.name());
        if (depth > MAX_DEPTH) {
            problems.accept("tree is too deep, so its pages lead in a circle: bucket=" + path + ", page=" + id);
            return;
        }
        try {
            store.read(id, meta.highWater(), page);
        } catch (CorruptRecordException e) {
            problems.accept(e.getMessage() + ", bucket=" + path);
            return;
        }
        long run = page.length() / store.pageSize();
        for (long each = id; each < id + run; each++) {
            if (pages.get((int) each)) {
                problems.accept("page is used twice: page=" + each + ", bucket=" + path);
                return; // whatever is below was checked before, and a circle ends here
            }
        }
        add(path, id, run);
        elements(path, page, depth, low, high);
    }

    private void elements(String path, Page page, int depth, byte @Nullable [] low, byte @Nullable [] high)
            throws IOException {
        if (!page.isLeaf() && page.count() == 0) {
            problems.accept("branch is empty: bucket=" + path + ", page=" + page.id());
        }
        byte[] previous = low;
        boolean mayEqual = true;
        for (int i = 0; i < page.count(); i++) {
            byte[] key;
            try {
                page.look(i);
                key = page.key();
            } catch (CorruptRecordException e) {
                problems.accept(e.getMessage() + ", bucket=" + path);
                return;
            }
            if (!isInOrder(previous, mayEqual, key, high)) {
                problems.accept("keys are out of order: bucket=" + path + ", page=" + page.id() + ", element=" + i);
            }
            if (!page.isLeaf()) {
                byte[] next = i + 1 < page.count() ? keyOrNull(page, i + 1) : high;
                page(path, page.child(i), depth + 1, i == 0 ? low : key, next);
            } else if (page.isBucket()) {
                nested(longer(path, key), page);
            } else {
                keys++;
            }
            previous = key;
            mayEqual = false;
        }
    }

    private static boolean isInOrder(byte @Nullable [] low, boolean mayEqual, byte[] key, byte @Nullable [] high) {
        if (low != null) {
            int order = Arrays.compareUnsigned(low, key);
            if (order > 0 || (order == 0 && !mayEqual)) {
                return false;
            }
        }
        return high == null || Arrays.compareUnsigned(key, high) < 0;
    }

    private static byte @Nullable [] keyOrNull(Page page, int index) {
        try {
            page.look(index);
            return page.key();
        } catch (CorruptRecordException e) {
            return null; // told when its turn comes
        }
    }

    private void nested(String path, Page page) throws IOException {
        buckets++;
        if (page.id() == 0) {
            problems.accept("inline bucket has a bucket: bucket=" + path);
            return;
        }
        ByteBuffer bytes = page.bytes();
        int at = page.valueAt();
        int length = page.valueLength();
        if (length < PageFormat.BUCKET_LENGTH) {
            problems.accept("bucket is too short: bucket=" + path + ", page=" + page.id() + ", length=" + length);
            return;
        }
        long root = bytes.getLong(at + PageFormat.BUCKET_ROOT_OFFSET);
        if (root != 0) {
            // Not one that is led to already, so that as many wait as there are pages at most.
            if (root < 0 || root >= meta.highWater() || pages.get((int) root) || awaited.get((int) root)) {
                problems.accept("bucket has no page of its own: bucket=" + path + ", page=" + page.id() + ", root="
                        + Long.toUnsignedString(root));
                return;
            }
            awaited.set((int) root);
            waiting.add(new Bucket(path, root));
            return;
        }
        Page inline = new Page(store.name());
        try {
            inline.point(bytes, at + PageFormat.BUCKET_LENGTH, length - PageFormat.BUCKET_LENGTH, 0, page.id());
        } catch (CorruptRecordException e) {
            problems.accept(e.getMessage() + ", bucket=" + path);
            return;
        }
        if (inline.isLeaf()) {
            elements(path, inline, 0, null, null);
        } else {
            problems.accept("inline bucket is no leaf: bucket=" + path + ", page=" + page.id());
        }
    }

    private static String longer(String path, byte[] key) {
        if (path.length() > MAX_PATH_LENGTH) {
            return path;
        }
        StringBuilder text = new StringBuilder(path);
        for (int i = 0; i < Math.min(key.length, MAX_PATH_LENGTH); i++) {
            byte each = key[i];
            text.append(
                    each > ' ' && each < 0x7F ? String.valueOf((char) each) : String.format("\\x%02x", each & 0xFF));
        }
        return text.append('/').toString();
    }
}
