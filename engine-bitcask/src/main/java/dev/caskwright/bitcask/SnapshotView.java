package dev.caskwright.bitcask;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.spi.OrderedKeyIndex;
import java.io.IOException;
import java.lang.ref.Cleaner;
import java.nio.ByteBuffer;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A snapshot as its user holds it. One that is dropped without being closed is reported to the log and closed. */
final class SnapshotView implements Snapshot {
    private static final Cleaner CLEANER = Cleaner.create();

    private final Store store;
    private final Reads reads;
    private final Snapshots.Handle handle;
    private final Cleaner.Cleanable leakGuard;

    SnapshotView(Store store, Reads reads, Snapshots.Handle handle) {
        this.store = store;
        this.reads = reads;
        this.handle = handle;
        this.leakGuard = CLEANER.register(this, new LeakGuard(store, handle));
    }

    /** Closes a snapshot that became unreachable. Must not refer to the view. */
    private record LeakGuard(Store store, Snapshots.Handle handle) implements Runnable {
        @Override
        public void run() {
            if (!handle.closed && !store.isClosed()) {
                logger().warn("a snapshot was not closed and is closed now: version={}", handle.version);
                closeHandle(store, handle);
            }
        }
    }

    private static void closeHandle(Store store, Snapshots.Handle handle) {
        try {
            store.snapshots.close(handle);
        } catch (IOException e) {
            // The snapshot is closed; files that could not be removed are leftovers, which the next opening removes.
            logger().warn("files kept for a snapshot could not be removed", e);
        }
    }

    private Snapshots.Handle open() throws EngineClosedException {
        if (handle.closed) {
            throw new EngineClosedException("the snapshot is closed: version=" + handle.version);
        }
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
    public Optional<OrderedView> ordered() {
        return store.index instanceof OrderedKeyIndex index
                ? Optional.of(new Ordered(store, index, handle))
                : Optional.empty();
    }

    @Override
    public void close() {
        closeHandle(store, handle);
        leakGuard.clean();
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(SnapshotView.class);
    }
}
