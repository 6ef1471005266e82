package dev.caskwright.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A cursor with a snapshot of its own, which is closed with it. */
final class SnapshotCursor implements Cursor {
    private final Snapshot snapshot;
    private final Cursor entries;

    private SnapshotCursor(Snapshot snapshot, Cursor entries) {
        this.snapshot = snapshot;
        this.entries = entries;
    }

    static Cursor open(StorageEngine engine) throws IOException {
        Snapshot snapshot = engine.snapshot();
        try {
            return new SnapshotCursor(snapshot, snapshot.cursor());
        } catch (IOException | RuntimeException | Error e) {
            snapshot.close();
            throw e;
        }
    }

    @Override
    public @Nullable Entry next() throws IOException {
        return entries.next();
    }

    @Override
    public void close() {
        try {
            entries.close();
        } finally {
            snapshot.close();
        }
    }
}
