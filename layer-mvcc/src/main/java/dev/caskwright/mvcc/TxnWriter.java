package dev.caskwright.mvcc;

import dev.caskwright.mvcc.MvccException.Reason;
import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.backend.WriteTransaction;
import dev.caskwright.mvcc.map.PersistentMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/**
 * Does the operations of one transaction: all get the same main revision, and each change the next sub revision. Nothing of it shows
 * before the backend's transaction is committed. For one thread.
 */
final class TxnWriter {
    private final WriteTransaction transaction;
    private final Contents before;
    private final Leases leases;
    private final PersistentMap.Editor<KeyHistory> index;
    private final long main;
    private final List<Event> events = new ArrayList<>();
    private final List<Leases.Attachment> attachments = new ArrayList<>();

    TxnWriter(WriteTransaction transaction, Contents before, Leases leases) {
        this.transaction = transaction;
        this.before = before;
        this.leases = leases;
        this.index = before.index().edit();
        this.main = before.revision() + 1;
    }

    WriteTransaction transaction() {
        return transaction;
    }

    Contents before() {
        return before;
    }

    List<Event> events() {
        return events;
    }

    /** Returns what the store has when the transaction is committed. */
    Contents after() {
        return new Contents(index.freeze(), events.isEmpty() ? before.revision() : main, before.compacted());
    }

    /** Lets keys go with their leases, once the transaction is committed. */
    void attach() {
        for (Leases.Attachment attachment : attachments) {
            leases.attach(attachment.key(), attachment.lease());
        }
    }

    // ---------------------------------------------------------------- reading

    boolean holds(List<Comparison> comparisons) throws IOException {
        if (comparisons.isEmpty()) {
            return true;
        }
        try (BackendView view = transaction.view()) {
            RangeReader reader = new RangeReader(index.freeze(), view);
            for (Comparison comparison : comparisons) {
                if (!holds(comparison, reader)) {
                    return false;
                }
            }
            return true;
        }
    }

    private static boolean holds(Comparison comparison, RangeReader reader) throws IOException {
        List<KeyHistory> living = reader.living(comparison.range());
        if (living.isEmpty()) {
            return comparison.holdsForAbsent();
        }
        for (KeyHistory history : living) {
            if (!comparison.holds(reader.entry(history, history.count() - 1))) {
                return false;
            }
        }
        return true;
    }

    RangeResult range(RangeRequest request) throws IOException {
        long latest = events.isEmpty() ? before.revision() : main;
        long at = request.revision() == 0 ? latest : before.checkReadable(request.revision());
        try (BackendView view = transaction.view()) {
            return new RangeReader(index.freeze(), view).read(request, at, latest);
        }
    }

    private KeyValue entry(KeyHistory history) throws IOException {
        try (BackendView view = transaction.view()) {
            return new RangeReader(index.freeze(), view).entry(history, history.count() - 1);
        }
    }

    // ---------------------------------------------------------------- changing

    PutResult put(Put put) throws IOException {
        byte[] key = put.key();
        KeyHistory history = index.get(key);
        boolean isThere = history != null && !history.isDeleted();
        KeyValue previous = null;
        if (put.keepsValue() || put.keepsLease() || put.returnsPrevious()) {
            previous = history != null && isThere ? entry(history) : null;
            if (previous == null && (put.keepsValue() || put.keepsLease())) {
                throw new MvccException(Reason.KEY_NOT_FOUND, "key=" + Schema.show(key));
            }
        }
        byte[] value = put.keepsValue() && previous != null ? previous.value() : put.value();
        long lease = put.keepsLease() && previous != null ? previous.lease() : put.lease();
        if (lease != 0 && !leases.contains(lease)) {
            throw new MvccException(Reason.LEASE_NOT_FOUND, "id=" + lease);
        }
        checkNumbers(key, history == null || history.isDeleted() ? 0 : history.version());
        long sub = events.size();
        KeyHistory next = history == null ? KeyHistory.of(key, main, sub, main, 1) : history.put(main, sub);
        KeyValue entry = new KeyValue(next.key(), next.created(), main, next.version(), value, lease);
        index.put(next.key(), next);
        transaction.put(Schema.KEY, Schema.revision(main, sub), Schema.encode(entry));
        events.add(new Event(Event.Kind.PUT, entry, null));
        attachments.add(new Leases.Attachment(next.key(), lease));
        return new PutResult(put.returnsPrevious() ? previous : null);
    }

    DeleteResult delete(DeleteRange delete) throws IOException {
        List<KeyHistory> living = living(delete.range());
        List<KeyValue> previous = new ArrayList<>();
        for (KeyHistory history : living) {
            if (delete.returnsPrevious()) {
                previous.add(entry(history));
            }
            delete(history);
        }
        return new DeleteResult(living.size(), previous);
    }

    private List<KeyHistory> living(KeyRange range) throws IOException {
        if (range.isSingle()) {
            KeyHistory history = index.get(range.from());
            return history == null || history.isDeleted() ? List.of() : List.of(history);
        }
        try (BackendView view = transaction.view()) {
            return new RangeReader(index.freeze(), view).living(range);
        }
    }

    private void checkNumbers(byte[] key, long version) throws MvccException {
        if (main > Schema.MAX_NUMBER || version >= Schema.MAX_NUMBER) {
            throw new MvccException(
                    MvccException.Reason.NUMBERS_USED_UP,
                    "key=" + Schema.show(key) + ", revision=" + main + ", version=" + version + ", allowed="
                            + Schema.MAX_NUMBER + "; copy what is there to a new store");
        }
    }

    private void delete(KeyHistory history) throws MvccException {
        checkNumbers(history.key(), 0);
        long sub = events.size();
        byte[] key = history.key();
        index.put(key, history.delete(main, sub));
        KeyValue tombstone = new KeyValue(key, 0, 0, 0, new byte[0], 0); // it names the key alone
        transaction.put(Schema.KEY, Schema.tombstone(main, sub), Schema.encode(tombstone));
        events.add(new Event(Event.Kind.DELETE, new KeyValue(key, 0, main, 0, tombstone.value(), 0), null));
        attachments.add(new Leases.Attachment(key, 0));
    }

    // ---------------------------------------------------------------- compacting

    /** Removes revisions, each with the key that it is of, that a compaction to {@code compacted} does not keep. */
    void compact(List<byte[]> revisions, List<byte[]> keys, long compacted) {
        for (byte[] revision : revisions) {
            transaction.delete(Schema.KEY, revision);
        }
        for (byte[] key : keys) {
            KeyHistory history = index.get(key);
            KeyHistory kept = history == null ? null : history.compacted(compacted);
            if (kept == null) {
                index.remove(key);
            } else {
                index.put(key, kept);
            }
        }
    }
}
