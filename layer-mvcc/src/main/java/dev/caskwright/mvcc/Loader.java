package dev.caskwright.mvcc;

import dev.caskwright.mvcc.RevisionTable.Entry;
import dev.caskwright.mvcc.backend.OrderedStore;
import dev.caskwright.mvcc.map.PersistentMap;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.ForkJoinTask;
import java.util.concurrent.RecursiveAction;
import org.jspecify.annotations.Nullable;

/*
 * Revisions are ordered by number, so parts of them are read by as many threads as there are processors, each with a view and a table
 * of its own, and each sorts what it has. Then the parts are merged, the earlier one first: of a key that both have, the later
 * part's entries follow the earlier one's.
 */
/** Makes the contents of what is stored: walks over all revisions. Nobody writes meanwhile. */
final class Loader {
    private static final int MAX_KNOWN_MAJOR = 3;
    private static final int MAX_KNOWN_MINOR = 6;
    private static final int MAX_PARTS = 4;
    private static final int MIN_PART_REVISIONS = 20_000;
    private static final int FIRST_VALUE_LENGTH = 4_096;

    private final ViewSource views;
    private final OrderedStore.View view;
    private final int maxParts;
    private final int minPartRevisions;

    /** Opens views of what is stored: all show the same, since nobody writes. */
    @FunctionalInterface
    interface ViewSource {
        OrderedStore.View open() throws IOException;
    }

    /** @param view is used by the thread that loads; others open one of their own */
    Loader(OrderedStore.View view, ViewSource views) {
        this(view, views, Math.min(MAX_PARTS, Runtime.getRuntime().availableProcessors()), MIN_PART_REVISIONS);
    }

    /** @param minPartRevisions how many revisions a part has at least */
    Loader(OrderedStore.View view, ViewSource views, int maxParts, int minPartRevisions) {
        this.view = view;
        this.views = views;
        this.maxParts = maxParts;
        this.minPartRevisions = minPartRevisions;
    }

    /**
     * What was found.
     *
     * @param finishedCompaction to what revision the last compaction went that has ended
     * @param leases the lease of each key that goes with one
     * @param stored all leases
     */
    record Loaded(
            Contents contents,
            long finishedCompaction,
            List<Leases.Attachment> leases,
            List<Schema.StoredLease> stored,
            boolean hasSpaceAlarm) {}

    Loaded load() throws IOException {
        checkVersion();
        long finished = compaction(Schema.FINISHED_COMPACTION);
        long scheduled = compaction(Schema.SCHEDULED_COMPACTION);
        long compacted = Math.max(finished, scheduled);
        long last = revisionAt(true);
        long revision = Math.max(Contents.FIRST_REVISION, Math.max(last, compacted));
        List<Schema.StoredLease> stored = readLeases();
        Entry[] entries = readRevisions(revisionAt(false), last);
        List<Leases.Attachment> leases = new ArrayList<>();
        for (Entry entry : entries) {
            if (entry.lease() != 0) {
                leases.add(new Leases.Attachment(entry.key, entry.lease()));
            }
        }
        return new Loaded(new Contents(index(entries), revision, compacted), finished, leases, stored, readAlarm());
    }

    private void checkVersion() throws IOException {
        byte[] stored = view.get(Schema.META, Schema.STORAGE_VERSION);
        if (stored == null) {
            return; // up to 3.5 there is none
        }
        String version = new String(stored, StandardCharsets.UTF_8);
        String[] parts = version.split("\\.", -1);
        boolean isKnown;
        try {
            int major = Integer.parseInt(parts[0]);
            isKnown = (major >= 0 && major < MAX_KNOWN_MAJOR)
                    || (major == MAX_KNOWN_MAJOR && parts.length > 1 && Integer.parseInt(parts[1]) <= MAX_KNOWN_MINOR);
        } catch (NumberFormatException e) {
            throw Schema.damage(Schema.META, Schema.STORAGE_VERSION, "storage version is none: " + version);
        }
        if (!isKnown) {
            throw new MvccException(
                    MvccException.Reason.NEWER_FORMAT,
                    "found=" + version + ", known=" + MAX_KNOWN_MAJOR + "." + MAX_KNOWN_MINOR);
        }
    }

    private long compaction(byte[] mark) throws IOException {
        byte[] stored = view.get(Schema.META, mark);
        if (stored == null) {
            return Contents.NEVER_COMPACTED;
        }
        if (stored.length < Schema.REVISION_LENGTH
                || Schema.main(stored) < 0
                || Schema.main(stored) > Schema.MAX_NUMBER) {
            throw Schema.damage(Schema.META, mark, "mark of a compaction is no revision");
        }
        return Schema.main(stored);
    }

    /** Returns the first or last main revision that is stored, or 0 if there is none. */
    private long revisionAt(boolean isLast) throws IOException {
        try (OrderedStore.Cursor cursor = view.range(Schema.KEY, null, null, isLast)) {
            if (!cursor.next()) {
                return 0;
            }
            Schema.checkRevision(cursor.key());
            return Schema.main(cursor.key());
        }
    }

    /** Returns what there is of each key, in their order. */
    private Entry[] readRevisions(long first, long last) throws IOException {
        long count = last - first + 1;
        int parts = (int) Math.max(1, Math.min(maxParts, count / minPartRevisions));
        List<Part> tasks = new ArrayList<>();
        for (int i = 0; i < parts; i++) {
            // The first and the last part are open at their ends: what is no revision lies there.
            byte[] from = i == 0 ? null : Schema.revision(first + count / parts * i, 0);
            tasks.add(new Part(from, i == parts - 1 ? Long.MAX_VALUE : first + count / parts * (i + 1)));
        }
        if (parts > 1) {
            ForkJoinTask.invokeAll(tasks);
        } else {
            tasks.get(0).compute();
        }
        Entry[] merged = tasks.get(0).sorted();
        for (Part later : tasks.subList(1, parts)) {
            merged = merge(merged, later.sorted());
        }
        return merged;
    }

    /** Reads the revisions of a part and sorts them by their keys. */
    private final class Part extends RecursiveAction {
        private static final long serialVersionUID = 1L;

        private final transient byte @Nullable [] from;
        private final long end;
        private transient Entry @Nullable [] entries;
        private transient @Nullable IOException failure;

        Part(byte @Nullable [] from, long end) {
            this.from = from;
            this.end = end;
        }

        @Override
        protected void compute() {
            try {
                if (from == null) {
                    entries = read(view);
                } else {
                    try (OrderedStore.View own = views.open()) {
                        entries = read(own);
                    }
                }
            } catch (IOException e) {
                failure = e;
            }
        }

        private Entry[] read(OrderedStore.View source) throws IOException {
            RevisionTable table = new RevisionTable(from == null);
            StoredRevision stored = new StoredRevision();
            byte[] put = new byte[Schema.REVISION_LENGTH];
            byte[] tombstone = new byte[Schema.TOMBSTONE_LENGTH];
            byte[] value = new byte[FIRST_VALUE_LENGTH];
            try (OrderedStore.Cursor cursor = source.range(Schema.KEY, from, null, false)) {
                while (cursor.next()) {
                    int length = cursor.copyKey(tombstone);
                    byte[] revision = tombstone;
                    if (length == put.length) {
                        System.arraycopy(tombstone, 0, put, 0, length);
                        revision = put;
                    } else if (length != tombstone.length) {
                        revision = cursor.key();
                    }
                    Schema.checkRevision(revision);
                    long main = Schema.main(revision);
                    if (main >= end) {
                        break;
                    }
                    int valueLength = cursor.copyValue(value);
                    if (valueLength > value.length) {
                        value = new byte
                                [Math.max(valueLength, (int) Math.min(2L * value.length, Integer.MAX_VALUE - 8))];
                        cursor.copyValue(value);
                    }
                    boolean isTombstone = revision.length == tombstone.length;
                    stored.read(revision, isTombstone, value, valueLength);
                    table.add(main, Schema.sub(revision), isTombstone, stored);
                }
            }
            return table.takeSorted();
        }

        Entry[] sorted() throws IOException {
            IOException failed = failure;
            if (failed != null) {
                throw failed;
            }
            return Objects.requireNonNull(entries, "read by then");
        }
    }

    /** Merges what two parts have. */
    private static Entry[] merge(Entry[] earlier, Entry[] later) {
        Entry[] merged = new Entry[Math.addExact(earlier.length, later.length)];
        int count = 0;
        int left = 0;
        for (Entry entry : later) {
            int order = -1;
            while (left < earlier.length && (order = Arrays.compareUnsigned(earlier[left].key, entry.key)) < 0) {
                merged[count++] = earlier[left++];
            }
            if (left < earlier.length && order == 0) {
                earlier[left].append(entry);
                merged[count++] = earlier[left++];
            } else {
                entry.dropFirstTombstone();
                if (!entry.isEmpty()) {
                    merged[count++] = entry;
                }
            }
        }
        System.arraycopy(earlier, left, merged, count, earlier.length - left);
        return Arrays.copyOf(merged, count + earlier.length - left);
    }

    private static PersistentMap<KeyHistory> index(Entry[] entries) {
        KeyHistory[] histories = new KeyHistory[entries.length];
        for (int i = 0; i < histories.length; i++) {
            histories[i] = entries[i].history();
        }
        return PersistentMap.ofSorted(histories, KeyHistory::key);
    }

    private List<Schema.StoredLease> readLeases() throws IOException {
        List<Schema.StoredLease> found = new ArrayList<>();
        try (OrderedStore.Cursor cursor = view.range(Schema.LEASE, null, null, false)) {
            while (cursor.next()) {
                found.add(Schema.decodeLease(cursor.key(), cursor.value()));
            }
        }
        return found;
    }

    private boolean readAlarm() throws IOException {
        try (OrderedStore.Cursor cursor = view.range(Schema.ALARM, null, null, false)) {
            while (cursor.next()) {
                if (Schema.isSpaceAlarm(cursor.key())) {
                    return true;
                }
            }
        }
        return false;
    }
}
