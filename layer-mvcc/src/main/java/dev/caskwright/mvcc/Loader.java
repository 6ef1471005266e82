package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.OrderedStore;
import dev.caskwright.mvcc.map.PersistentMap;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;

/** Makes the contents of what is stored: walks over all revisions in their order. */
final class Loader {
    private static final int MAX_KNOWN_MAJOR = 3;
    private static final int MAX_KNOWN_MINOR = 6;

    private final OrderedStore.View view;
    private final HistoryTable histories = new HistoryTable();
    private final Map<byte[], Long> leases = new TreeMap<>(Arrays::compareUnsigned);

    Loader(OrderedStore.View view) {
        this.view = view;
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
            Map<byte[], Long> leases,
            List<Schema.StoredLease> stored,
            boolean hasSpaceAlarm) {}

    Loaded load() throws IOException {
        checkVersion();
        long finished = compaction(Schema.FINISHED_COMPACTION);
        long scheduled = compaction(Schema.SCHEDULED_COMPACTION);
        long compacted = Math.max(finished, scheduled);
        long last = readRevisions();
        long revision = Math.max(Contents.FIRST_REVISION, Math.max(last, compacted));
        List<Schema.StoredLease> stored = readLeases();
        return new Loaded(new Contents(index(), revision, compacted), finished, leases, stored, readAlarm());
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

    private long readRevisions() throws IOException {
        long last = 0;
        try (OrderedStore.Cursor cursor = view.range(Schema.KEY, null, null, false)) {
            while (cursor.next()) {
                byte[] revision = cursor.key();
                Schema.checkRevision(revision);
                last = Schema.main(revision);
                add(revision, Schema.decode(revision, cursor.value()));
            }
        }
        return last;
    }

    private void add(byte[] revision, KeyValue entry) throws MvccException {
        long main = Schema.main(revision);
        long sub = Schema.sub(revision);
        int place = histories.find(entry.key());
        KeyHistory known = histories.at(place);
        if (Schema.isTombstone(revision)) {
            // One whose put a compaction has removed says nothing.
            if (known != null && !known.isDeleted()) {
                histories.set(place, known.delete(main, sub));
            }
            leases.remove(entry.key());
            return;
        }
        histories.set(
                place,
                known == null
                        ? KeyHistory.of(entry.key(), main, sub, entry.createRevision(), entry.version())
                        : known.put(main, sub, entry.createRevision(), entry.version()));
        if (entry.lease() != 0) {
            leases.put(entry.key(), entry.lease());
        } else if (!leases.isEmpty()) {
            leases.remove(entry.key());
        }
    }

    /** Returns the histories in the order of their keys. */
    private PersistentMap<KeyHistory> index() {
        KeyHistory[] all = histories.takeAll();
        Arrays.parallelSort(all, (left, right) -> Arrays.compareUnsigned(left.key(), right.key()));
        return PersistentMap.ofSorted(all, KeyHistory::key);
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
