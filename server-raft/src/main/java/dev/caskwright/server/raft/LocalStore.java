package dev.caskwright.server.raft;

import dev.caskwright.api.Backups;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Facet;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.raft.RaftNode;
import dev.caskwright.raft.ReplicatedEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/** The store of a member, for reads of what it has applied: who wants no stale ones has passed a barrier before. */
final class LocalStore implements StorageEngine {
    private final ReadView store;
    private final ReplicatedEngine whole;

    LocalStore(RaftNode node) {
        store = node.store();
        whole = new ReplicatedEngine(node);
    }

    private static UnsupportedOperationException readOnly() {
        return new UnsupportedOperationException("the store of a member is changed by commands of the log only");
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) {
        throw readOnly();
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) {
        throw readOnly();
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) {
        throw readOnly();
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return store.get(key);
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        return store.get(key, target);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return store.contains(key);
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return store.entry(key);
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        store.visit(visitor);
    }

    @Override
    public Cursor cursor() throws IOException {
        return store.cursor();
    }

    @Override
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        return kind == Backups.class ? whole.facet(kind) : store.facet(kind);
    }

    @Override
    public Snapshot snapshot() throws IOException {
        return whole.snapshot();
    }

    @Override
    public long size() throws IOException {
        return whole.size();
    }

    /** Does nothing: what has been applied is on the disks of a majority. */
    @Override
    public void sync() {}

    @Override
    public EngineStats stats() {
        return whole.stats();
    }

    @Override
    public @Nullable Throwable health() {
        return whole.health();
    }

    @Override
    public void close() throws IOException {
        whole.close();
    }
}
