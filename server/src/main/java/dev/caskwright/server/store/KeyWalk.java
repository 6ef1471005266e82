package dev.caskwright.server.store;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import java.io.Closeable;
import java.io.IOException;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** A walk over the keys of a database as they were when it began. For any number of threads; closing it twice is fine. */
public final class KeyWalk implements Closeable {
    private final Snapshot snapshot;
    private final Cursor cursor;
    private final byte[] start;

    private KeyWalk(Snapshot snapshot, Cursor cursor, byte[] start) {
        this.snapshot = snapshot;
        this.cursor = cursor;
        this.start = start;
    }

    /** Begins a walk over the keys of a slot; over those with the prefix only, if the store has an order. */
    static KeyWalk begin(StorageEngine engine, byte slot, byte[] prefix) throws IOException {
        Snapshot snapshot = engine.snapshot();
        try {
            Optional<OrderedView> ordered = snapshot.facet(OrderedView.class);
            if (ordered.isPresent()) {
                byte[] start = Keyspace.start(slot, prefix);
                return new KeyWalk(snapshot, ordered.get().prefix(start, false), start);
            }
            // Without an order the prefix saves nothing: each step would skip all keys up to the next that has it.
            return new KeyWalk(snapshot, snapshot.cursor(), new byte[] {slot});
        } catch (IOException | RuntimeException | Error e) {
            snapshot.close();
            throw e;
        }
    }

    /** Returns the next key, with the byte of its slot before it, or null at the end. */
    public synchronized byte @Nullable [] next() throws IOException {
        for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
            if (Keyspace.startsWith(entry.key(), start)) {
                return entry.key();
            }
        }
        return null;
    }

    @Override
    public synchronized void close() {
        try {
            cursor.close();
        } finally {
            snapshot.close();
        }
    }
}
