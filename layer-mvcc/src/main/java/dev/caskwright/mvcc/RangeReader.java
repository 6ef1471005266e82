package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.BackendView;
import dev.caskwright.mvcc.map.MapCursor;
import dev.caskwright.mvcc.map.PersistentMap;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Answers ranges from the index, which says what there is, and a view, which has the values. For one thread. */
final class RangeReader {
    private final PersistentMap<KeyHistory> index;
    private final BackendView view;

    RangeReader(PersistentMap<KeyHistory> index, BackendView view) {
        this.index = index;
        this.view = view;
    }

    /**
     * Answers a request.
     *
     * @param at the revision to look at, which is not compacted
     * @param latest the revision of the store, for the answer
     */
    RangeResult read(RangeRequest request, long at, long latest) throws IOException {
        boolean countsOnly = request.kind() == RangeRequest.Kind.COUNT;
        boolean isPlain = request.order() == RangeRequest.Order.KEY && !request.isFiltered();
        long wanted = countsOnly ? 0 : isPlain && request.limit() > 0 ? request.limit() : Long.MAX_VALUE;
        List<KeyValue> found = new ArrayList<>();
        long count = 0;
        if (request.range().isSingle()) {
            KeyHistory history = index.get(request.range().from());
            int entry = history == null ? -1 : history.at(at);
            if (history != null && entry >= 0) {
                count = 1;
                if (wanted > 0) {
                    found.add(entry(history, entry));
                }
            }
        } else {
            boolean descending = isPlain && request.isDescending();
            MapCursor<KeyHistory> cursor = index.cursor();
            for (boolean isThere = start(cursor, request.range(), descending);
                    isThere && isWithin(cursor, request.range(), descending);
                    isThere = descending ? cursor.previous() : cursor.next()) {
                view.giveWay();
                KeyHistory history = cursor.value();
                int entry = history.at(at);
                if (entry >= 0) {
                    count++;
                    if (found.size() < wanted) {
                        found.add(entry(history, entry));
                    }
                }
            }
        }
        return result(request, found, count, latest, isPlain);
    }

    private static RangeResult result(
            RangeRequest request, List<KeyValue> found, long count, long latest, boolean isPlain) {
        List<KeyValue> entries = found;
        boolean hasMore = isPlain && request.kind() != RangeRequest.Kind.COUNT && count > found.size();
        if (!isPlain) {
            entries = new ArrayList<>();
            for (KeyValue entry : found) {
                if (request.accepts(entry)) {
                    entries.add(entry);
                }
            }
            Comparator<KeyValue> order = comparator(request.order());
            entries.sort(request.isDescending() ? order.reversed() : order);
            if (request.limit() > 0 && entries.size() > request.limit()) {
                entries = new ArrayList<>(entries.subList(0, (int) request.limit()));
                hasMore = true;
            }
        }
        if (request.kind() == RangeRequest.Kind.KEYS) {
            entries.replaceAll(entry -> new KeyValue(
                    entry.key(),
                    entry.createRevision(),
                    entry.modRevision(),
                    entry.version(),
                    new byte[0],
                    entry.lease()));
        }
        return new RangeResult(latest, entries, hasMore, count);
    }

    private static Comparator<KeyValue> comparator(RangeRequest.Order order) {
        return switch (order) {
            case KEY -> (left, right) -> Arrays.compareUnsigned(left.key(), right.key());
            case VERSION -> Comparator.comparingLong(KeyValue::version);
            case CREATE_REVISION -> Comparator.comparingLong(KeyValue::createRevision);
            case MOD_REVISION -> Comparator.comparingLong(KeyValue::modRevision);
            case VALUE -> (left, right) -> Arrays.compareUnsigned(left.value(), right.value());
        };
    }

    private static boolean start(MapCursor<KeyHistory> cursor, KeyRange range, boolean descending) {
        return descending ? cursor.seekBefore(range.to()) : cursor.seek(range.from());
    }

    private static boolean isWithin(MapCursor<KeyHistory> cursor, KeyRange range, boolean descending) {
        if (descending) {
            return cursor.compareTo(range.from()) >= 0;
        }
        byte[] to = range.to();
        return to == null || cursor.compareTo(to) < 0;
    }

    /** Returns the keys of a range that are not deleted, with their histories. */
    List<KeyHistory> living(KeyRange range) {
        List<KeyHistory> found = new ArrayList<>();
        if (range.isSingle()) {
            KeyHistory history = index.get(range.from());
            if (history != null && !history.isDeleted()) {
                found.add(history);
            }
            return found;
        }
        MapCursor<KeyHistory> cursor = index.cursor();
        for (boolean isThere = cursor.seek(range.from());
                isThere && isWithin(cursor, range, false);
                isThere = cursor.next()) {
            if (!cursor.value().isDeleted()) {
                found.add(cursor.value());
            }
        }
        return found;
    }

    /** Returns what a key is at a revision, or null if it is absent then. */
    @Nullable KeyValue get(byte[] key, long at) throws IOException {
        KeyHistory history = index.get(key);
        int entry = history == null ? -1 : history.at(at);
        return history == null || entry < 0 ? null : entry(history, entry);
    }

    /** Reads an entry of a history, which is no tombstone. */
    KeyValue entry(KeyHistory history, int entry) throws IOException {
        byte[] revision = Schema.revision(history.main(entry), history.sub(entry));
        byte[] stored = view.get(Schema.KEY, revision);
        if (stored == null) {
            throw Schema.damage(Schema.KEY, revision, "revision is missing: of=" + Schema.show(history.key()));
        }
        KeyValue found = Schema.decode(revision, stored);
        if (!Arrays.equals(found.key(), history.key())) {
            throw Schema.damage(
                    Schema.KEY,
                    revision,
                    "value is of another key: expected=" + Schema.show(history.key()) + ", found="
                            + Schema.show(found.key()));
        }
        return found;
    }
}
