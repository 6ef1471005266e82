package dev.caskwright.replica;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed.Moment;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Retry;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.HidingView;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/** A replica as a store: each call goes to the copy that is the current one. */
final class ReplicaEngine extends HidingView implements StorageEngine, Backups {
    private final ReadReplica replica;

    ReplicaEngine(ReadReplica replica) {
        this.replica = replica;
    }

    @Override
    protected boolean isHidden(byte[] key) {
        return Position.isKey(key);
    }

    @Override
    protected <R> @Nullable R readCurrent(Read<R> read) throws IOException {
        while (true) {
            HeldCopy copy = replica.requireCopy();
            try {
                return read.of(copy.engine());
            } catch (EngineClosedException e) {
                if (replica.requireCopy() == copy) {
                    throw e;
                }
                // Another copy has taken its place meanwhile; that happens once in a long time.
            }
        }
    }

    /** Returns the current copy, held for the caller. */
    private HeldCopy hold() throws IOException {
        while (true) {
            HeldCopy copy = replica.requireCopy();
            if (copy.hold()) {
                return copy;
            }
        }
    }

    @Override
    protected Cursor open(Opening opening) throws IOException {
        HeldCopy copy = hold();
        Cursor cursor;
        try {
            cursor = opening.of(copy.engine());
        } catch (IOException | RuntimeException | Error e) {
            copy.release();
            throw e;
        }
        return new Cursor() {
            private final AtomicBoolean isClosed = new AtomicBoolean();

            @Override
            public @Nullable Entry next() throws IOException {
                return cursor.next();
            }

            @Override
            public void close() {
                if (!isClosed.getAndSet(true)) {
                    cursor.close();
                    copy.release();
                }
            }
        };
    }

    @Override
    protected boolean isOrdered() {
        try {
            return replica.requireCopy().engine().facet(OrderedView.class).isPresent();
        } catch (EngineClosedException e) {
            return false;
        }
    }

    @Override
    public Snapshot snapshot() throws IOException {
        HeldCopy copy = hold();
        try {
            Snapshot snapshot = copy.engine().snapshot();
            return new CopySnapshot(copy, snapshot, Position.read(snapshot, copy.which()));
        } catch (IOException | RuntimeException | Error e) {
            copy.release();
            throw e;
        }
    }

    @Override
    public long size() throws IOException {
        Long size = readCurrent(view -> {
            StorageEngine engine = (StorageEngine) view;
            return engine.size() - (engine.contains(Position.key()) ? 1 : 0);
        });
        return size == null ? 0 : size;
    }

    /** Has what was taken of the source survive a power loss here. */
    @Override
    public void sync() throws IOException {
        readCurrent(view -> {
            ((StorageEngine) view).sync();
            return null;
        });
    }

    /** Writes a backup of the replica's store: a store of its own, with the replica's record in it, which means nothing there. */
    @Override
    public CopyReport backup(Path target) throws IOException {
        return copy(backups -> backups.backup(target));
    }

    @Override
    public CopyReport checkpoint(Path target) throws IOException {
        return copy(backups -> backups.checkpoint(target));
    }

    /** A way to copy a store. */
    @FunctionalInterface
    private interface Copying {
        CopyReport by(Backups backups) throws IOException;
    }

    private CopyReport copy(Copying copying) throws IOException {
        HeldCopy copy = hold();
        try {
            return copying.by(copy.engine().require(Backups.class));
        } finally {
            copy.release();
        }
    }

    @Override
    public EngineStats stats() {
        try {
            HeldCopy copy = replica.requireCopy();
            EngineStats own = copy.engine().stats();
            ReplicaStats figures = replica.stats();
            long keys = own.keys() - (copy.engine().contains(Position.key()) ? 1 : 0);
            EngineStats stats = EngineStats.of(keys, figures.sourceVersion(), own.snapshots());
            for (Record group : own.groups()) {
                stats = stats.with(group);
            }
            return stats.with(figures);
        } catch (IOException e) {
            return EngineStats.of(0, 0, 0); // the replica is closed
        }
    }

    @Override
    public @Nullable Throwable health() {
        try {
            return replica.requireCopy().engine().health();
        } catch (EngineClosedException e) {
            return null;
        }
    }

    @Override
    public List<Retry> retries() {
        List<Retry> all = new ArrayList<>(replica.retries());
        try {
            all.addAll(replica.requireCopy().engine().retries());
        } catch (EngineClosedException e) {
            return List.of();
        }
        return all;
    }

    @Override
    public String describe() {
        try {
            return replica.requireCopy().engine().describe() + ", a replica";
        } catch (EngineClosedException e) {
            return "a closed replica";
        }
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        throw refusal("put");
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        throw refusal("delete");
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        throw refusal("write");
    }

    private EngineException refusal(String call) throws EngineClosedException {
        replica.requireCopy();
        return new EngineException(
                ErrorCode.READ_ONLY,
                Outcome.NOT_APPLIED,
                "a replica is read only: call=" + call + "; write to its source",
                null);
    }

    /** Does nothing: the replica is closed by whoever opened it. */
    @Override
    public void close() {}

    /** A snapshot of a copy, which it keeps. */
    private static final class CopySnapshot extends HidingView implements Snapshot {
        private final HeldCopy copy;
        private final Snapshot snapshot;
        private final Moment moment;
        private final AtomicBoolean isClosed = new AtomicBoolean();

        CopySnapshot(HeldCopy copy, Snapshot snapshot, Moment moment) {
            this.copy = copy;
            this.snapshot = snapshot;
            this.moment = moment;
        }

        @Override
        protected boolean isHidden(byte[] key) {
            return Position.isKey(key);
        }

        @Override
        protected <R> @Nullable R readCurrent(Read<R> read) throws IOException {
            return read.of(snapshot);
        }

        @Override
        protected boolean isOrdered() {
            return snapshot.facet(OrderedView.class).isPresent();
        }

        @Override
        public long version() {
            return moment.version();
        }

        @Override
        public void close() {
            if (!isClosed.getAndSet(true)) {
                snapshot.close();
                copy.release();
            }
        }
    }
}
