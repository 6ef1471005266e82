package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.OrderedStore;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;

/** Reads events from the revisions of a view, for a watch that is behind. For one thread. */
final class RevisionReader {
    private static final int MAX_LOOKED = 10_000; // revisions that are looked at in one go

    private final OrderedStore.View view;

    RevisionReader(OrderedStore.View view) {
        this.view = view;
    }

    /**
     * Reads what a watch wants, from a revision on: whole revisions, and no more than {@code maxEvents} and {@link Watch#MAX_BYTES}
     * unless one has more.
     *
     * @param delivered a revision up to which the view has everything
     */
    WatchBatch read(Watch watch, long from, long delivered, int maxEvents) throws IOException {
        List<Event> events = new ArrayList<>();
        long last = from - 1;
        int looked = 0;
        long bytes = 0;
        try (OrderedStore.Cursor cursor = view.range(Schema.KEY, Schema.revision(from, 0), null, false)) {
            while (cursor.next()) {
                byte[] revision = cursor.key();
                Schema.checkRevision(revision);
                long main = Schema.main(revision);
                boolean isFull = events.size() >= maxEvents || looked >= MAX_LOOKED || bytes >= Watch.MAX_BYTES;
                if (main != last && isFull) {
                    return new WatchBatch(events, last);
                }
                last = main;
                looked++;
                KeyValue entry = Schema.decode(revision, cursor.value());
                Event event = new Event(Schema.isTombstone(revision) ? Event.Kind.DELETE : Event.Kind.PUT, entry, null);
                if (watch.wants(event)) {
                    events.add(event);
                    bytes += entry.key().length + entry.value().length;
                }
            }
        }
        return new WatchBatch(events, Math.max(last, delivered));
    }
}
