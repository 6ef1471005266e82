package dev.caskwright.bitcask.read;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Facet;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.ValueReader;
import dev.caskwright.bitcask.store.LeakGuard;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;

/**
 * A snapshot as its user holds it. One that is dropped without being closed is reported to the log and closed when the
 * store next opens a snapshot, merges, seals a file or gives its figures: no thread waits for it.
 */
public final class SnapshotView implements Snapshot {
    private final Store store;
    private final Reads reads;
    private final Snapshots.Handle handle;
    private final LeakGuard leakGuard;

    public SnapshotView(Store store, Reads reads, Snapshots.Handle handle) {
        this.store = store;
        this.reads = reads;
        this.handle = handle;
        this.leakGuard = new LeakGuard(this, store, handle);
    }

    private Snapshots.Handle open() throws EngineClosedException {
        handle.checkOpen();
        return handle;
    }

    @Override
    public long version() {
        return handle.version;
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return reads.get(key, open());
    }

    @Override
    public byte @Nullable [] get(ByteBuffer key) throws IOException {
        return reads.get(key, open());
    }

    @Override
    public <R> @Nullable R read(byte[] key, ValueReader<R> reader) throws IOException {
        return reads.read(key, reader, open());
    }

    @Override
    public byte[] @Nullable [] getAll(byte[]... keys) throws IOException {
        return reads.getAll(keys, open());
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        return reads.get(key, target, open());
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return reads.contains(key, open());
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return reads.entry(key, open());
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        FullScan.visit(store, open(), visitor);
    }

    @Override
    public Cursor cursor() throws IOException {
        return FullScan.cursor(store, open());
    }

    @Override
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        return Ordered.facet(kind, store, handle).or(() -> Snapshot.super.facet(kind));
    }

    @Override
    public String describe() {
        return store.describe();
    }

    @Override
    public void close() {
        LeakGuard.close(store, handle);
        leakGuard.clear();
    }
}
