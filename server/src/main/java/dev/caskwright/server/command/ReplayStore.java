package dev.caskwright.server.command;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Facet;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The store that the entry at hand is executed on, which may be another object for each. For one thread. */
final class ReplayStore implements StorageEngine {
    private @Nullable StorageEngine target;

    void target(StorageEngine next) {
        target = next;
    }

    private StorageEngine now() {
        StorageEngine now = target;
        if (now == null) {
            throw new IllegalStateException("no entry is being executed");
        }
        return now;
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        now().put(key, value, options);
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        return now().delete(key, options);
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        now().write(batch, options);
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return now().get(key);
    }

    @Override
    public int get(byte[] key, ByteBuffer buffer) throws IOException {
        return now().get(key, buffer);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return now().contains(key);
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return now().entry(key);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        now().visit(visitor);
    }

    @Override
    public Cursor cursor() throws IOException {
        return now().cursor();
    }

    @Override
    public <F extends Facet> Optional<F> facet(Class<F> type) {
        return now().facet(type);
    }

    @Override
    public Snapshot snapshot() throws IOException {
        return now().snapshot();
    }

    @Override
    public long size() throws IOException {
        return now().size();
    }

    @Override
    public void sync() throws IOException {
        now().sync();
    }

    @Override
    public EngineStats stats() {
        return now().stats();
    }

    @Override
    public @Nullable Throwable health() {
        return now().health();
    }

    @Override
    public void close() {
        target = null;
    }
}
