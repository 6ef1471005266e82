package dev.caskwright.server.replication;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * What {@link Replay} executes commands on: single keys are read and changed, and they expire. What no command that a group agrees on
 * needs throws an {@link UnsupportedOperationException}. For one thread.
 */
public abstract class ExecutionView implements StorageEngine, Expiry {
    /** For subclasses. */
    protected ExecutionView() {}

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        for (WriteBatch.Change change : batch.changes()) {
            byte[] value = change.value();
            if (value == null) {
                delete(change.key(), options);
            } else {
                put(change.key(), value, change.expiry());
            }
        }
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        throw unsupported("visits");
    }

    @Override
    public Cursor cursor() {
        throw unsupported("cursors");
    }

    @Override
    public Snapshot snapshot() {
        throw unsupported("snapshots");
    }

    @Override
    public long size() {
        throw unsupported("sizes");
    }

    @Override
    public void sync() {
        throw unsupported("forces");
    }

    private static UnsupportedOperationException unsupported(String what) {
        return new UnsupportedOperationException("commands are executed without " + what);
    }

    @Override
    public EngineStats stats() {
        return EngineStats.of(0, 0, 0);
    }

    @Override
    public @Nullable Throwable health() {
        return null;
    }

    @Override
    public void close() {}
}
