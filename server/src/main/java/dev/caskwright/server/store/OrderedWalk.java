package dev.caskwright.server.store;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Snapshot;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A walk by a cursor over a snapshot. */
final class OrderedWalk implements KeyWalk {
    private final Snapshot snapshot;
    private final Cursor cursor;

    OrderedWalk(Snapshot snapshot, Cursor cursor) {
        this.snapshot = snapshot;
        this.cursor = cursor;
    }

    @Override
    public synchronized byte @Nullable [] next() throws IOException {
        Entry entry = cursor.next();
        return entry == null ? null : entry.key();
    }

    @Override
    public synchronized void close() {
        cursor.close();
        snapshot.close();
    }
}
