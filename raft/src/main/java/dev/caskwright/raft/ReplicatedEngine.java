package dev.caskwright.raft;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.EntryVisitor;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Facet;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.HidingView;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Objects;
import java.util.Optional;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;

/**
 * A group of members as a store. Every write is on the disks of a majority when it returns, whatever its {@link
 * dev.caskwright.api.Durability}; every read is linearizable, at whichever member. Calls wait for the network; from many threads
 * they share entries and barriers.
 *
 * <p>It holds {@link ConditionalWrites}, {@link Expiry} and {@link Backups}, and an {@link OrderedView} if the index of this
 * member's store is ordered. Snapshots, cursors and backups are of this member's store, as of a moment after the call began. Entries
 * have no versions: those of the members differ. Expiry goes by the time of the log: see {@link RaftNodeBuilder#tick}.
 *
 * <p>A write that the group did not confirm ends with a {@link RaftException}, whose outcome tells whether it may have been applied.
 * The key 0xFF followed by "raft" is the node's own.
 *
 * <p>Closing the engine leaves the node open, unless it is {@link #owning}.
 */
public final class ReplicatedEngine implements StorageEngine, ConditionalWrites, Expiry, Backups {
    /** The kind of the commands of this engine. */
    public static final byte KIND = 0;

    private final RaftNode node;
    private final boolean isOwner;
    private final AtomicBoolean isClosed = new AtomicBoolean();

    /** Makes a store of a member. Several of one member are the same store. */
    public ReplicatedEngine(RaftNode node) {
        this(node, false);
    }

    private ReplicatedEngine(RaftNode node, boolean isOwner) {
        this.node = Objects.requireNonNull(node, "node");
        this.isOwner = isOwner;
    }

    /** Makes the store of a member that is closed with it: for whoever wants a {@link StorageEngine} and nothing else. */
    public static ReplicatedEngine owning(RaftNode node) {
        return new ReplicatedEngine(node, true);
    }

    @Override
    public void put(byte[] key, byte[] value, WriteOptions options) throws IOException {
        run(EngineCommands.put(checked(key), value, options));
    }

    @Override
    public boolean delete(byte[] key, WriteOptions options) throws IOException {
        return isYes(run(EngineCommands.delete(checked(key))));
    }

    @Override
    public void write(WriteBatch batch, WriteOptions options) throws IOException {
        if (batch.size() == 0) {
            checkOpen();
            return;
        }
        run(EngineCommands.batch(batch));
    }

    @Override
    public boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException {
        return isYes(run(EngineCommands.putIfAbsent(checked(key), value, options)));
    }

    @Override
    public boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException {
        return isYes(run(EngineCommands.replace(checked(key), expected, value, options)));
    }

    @Override
    public boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException {
        return isYes(run(EngineCommands.deleteIf(checked(key), expected)));
    }

    @Override
    public boolean expire(byte[] key, WriteOptions options) throws IOException {
        return isYes(run(EngineCommands.expire(checked(key), options)));
    }

    @Override
    public byte @Nullable [] get(byte[] key) throws IOException {
        return current().get(checked(key));
    }

    @Override
    public int get(byte[] key, ByteBuffer target) throws IOException {
        return current().get(checked(key), target);
    }

    @Override
    public boolean contains(byte[] key) throws IOException {
        return current().contains(checked(key));
    }

    @Override
    public byte[] @Nullable [] getAll(byte[]... keys) throws IOException {
        return current().getAll(keys);
    }

    @Override
    public @Nullable Entry entry(byte[] key) throws IOException {
        return current().entry(checked(key));
    }

    @Override
    public void visit(EntryVisitor visitor) throws IOException {
        current().visit(visitor);
    }

    @Override
    public Cursor cursor() throws IOException {
        return current().cursor();
    }

    /** Opens a snapshot of this member's store. One that is open when a copy takes that store's place refuses from then on. */
    @Override
    public Snapshot snapshot() throws IOException {
        current();
        return new HiddenSnapshot(node.snapshotOfStore());
    }

    @Override
    public <F extends Facet> Optional<F> facet(Class<F> kind) {
        if (kind == OrderedView.class && node.local().isOrdered()) {
            OrderedView ordered = this::range;
            return Optional.of(kind.cast(ordered));
        }
        return StorageEngine.super.facet(kind);
    }

    private Cursor range(Range range) throws IOException {
        return current().ordered().range(range);
    }

    /** Returns the number of keys of this member's store, without the node's own. */
    @Override
    public long size() throws IOException {
        if (isClosed.get()) {
            return 0;
        }
        current();
        StorageEngine engine = node.local().engine();
        return engine.size() - (engine.contains(Applied.key()) ? 1 : 0);
    }

    /** Does nothing: what has returned is on the disks of a majority. */
    @Override
    public void sync() throws IOException {
        checkOpen();
    }

    /** Writes a backup of this member's store. It opens as a store, with the node's own record in it. */
    @Override
    public CopyReport backup(Path target) throws IOException {
        current();
        return node.local().engine().require(Backups.class).backup(target);
    }

    @Override
    public CopyReport checkpoint(Path target) throws IOException {
        current();
        return node.local().engine().require(Backups.class).checkpoint(target);
    }

    /** Returns the index of the last entry of the log that changed something: all that has returned is on the disks of a majority. */
    @Override
    public long durableVersion() {
        return node.lastChange();
    }

    /**
     * Returns figures about this member's store, which also has the node's own record. The version of the last write is the index of
     * the last entry of the log that changed something; after the node was opened, of the last entry there was.
     */
    @Override
    public EngineStats stats() {
        if (isClosed.get()) {
            return EngineStats.of(0, 0, 0);
        }
        try {
            StorageEngine engine = node.local().engine();
            EngineStats own = engine.stats();
            EngineStats stats = EngineStats.of(
                    engine.contains(Applied.key()) ? own.keys() - 1 : own.keys(), node.lastChange(), own.snapshots());
            for (Record group : own.groups()) {
                stats = stats.with(group);
            }
            return stats;
        } catch (IOException e) {
            return EngineStats.of(0, 0, 0); // the node is closed
        }
    }

    /** Returns why this member has stopped, or null if it has not. */
    @Override
    public @Nullable Throwable health() {
        return node.state().failure();
    }

    @Override
    public String describe() {
        return "engine=ReplicatedEngine, member=" + node.self() + ", "
                + node.local().describe();
    }

    /** Refuses further calls. The node stays open, unless the engine owns it. */
    @Override
    public void close() throws IOException {
        isClosed.set(true);
        if (isOwner) {
            node.close();
        }
    }

    /** Returns the local store once it is not stale. */
    private ReadView current() throws IOException {
        checkOpen();
        await(node.barrier());
        return node.store();
    }

    private byte[] run(byte[] command) throws IOException {
        checkOpen();
        return await(node.submit(KIND, command));
    }

    private void checkOpen() throws EngineClosedException {
        if (isClosed.get()) {
            throw new EngineClosedException("the engine is closed");
        }
    }

    /** Waits for what the group says. An interrupt ends the wait, and leaves the outcome of a write unknown. */
    private <T> T await(CompletableFuture<T> future) throws IOException {
        try {
            return future.get();
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw RaftException.unknown("the thread was interrupted while it waited for the group", e);
        } catch (ExecutionException e) {
            Throwable cause = e.getCause();
            if (cause instanceof RaftException known) {
                if (known.outcome() == Outcome.NOT_APPLIED && node.isClosed()) {
                    throw new EngineClosedException("the node is closed");
                }
                // A new one, whose stack shows the caller; those of a barrier and of an entry share one.
                throw new RaftException(known.outcome(), String.valueOf(known.getMessage()), known);
            }
            if (cause instanceof CommandFailedException) {
                throw new IllegalStateException(cause.getMessage(), cause);
            }
            throw new EngineFailedException(Outcome.UNKNOWN, "the member failed: " + cause, cause == null ? e : cause);
        }
    }

    private static boolean isYes(byte[] reply) {
        return reply.length == 1 && reply[0] == 1;
    }

    private static byte[] checked(byte[] key) {
        if (key.length == 0 || key.length > MAX_KEY_LENGTH) {
            throw new IllegalArgumentException(
                    "key length out of range: length=" + key.length + ", allowed=1.." + MAX_KEY_LENGTH);
        }
        return key;
    }

    /** A snapshot of the store without the node's own record. */
    private static final class HiddenSnapshot extends HidingView implements Snapshot {
        private final Snapshot snapshot;
        private final long lastChange;

        HiddenSnapshot(StoreMachine.Opened opened) {
            snapshot = opened.snapshot();
            lastChange = opened.lastChange();
        }

        @Override
        protected boolean isHidden(byte[] key) {
            return Applied.isKey(key);
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
            return lastChange;
        }

        @Override
        public void close() {
            snapshot.close();
        }
    }
}
