package dev.caskwright.raft;

import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.raft.EntryCodec.Command;
import dev.caskwright.raft.EntryCodec.Decoded;
import java.io.IOException;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.apache.ratis.proto.RaftProtos.LogEntryProto;
import org.apache.ratis.proto.RaftProtos.RaftConfigurationProto;
import org.apache.ratis.proto.RaftProtos.RoleInfoProto;
import org.apache.ratis.proto.RaftProtos.StateMachineLogEntryProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftGroupMemberId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.statemachine.SnapshotInfo;
import org.apache.ratis.statemachine.TransactionContext;
import org.apache.ratis.statemachine.impl.BaseStateMachine;
import org.apache.ratis.statemachine.impl.FileListSnapshotInfo;
import org.apache.ratis.util.LifeCycle;
import org.jspecify.annotations.Nullable;

/**
 * Raft's state machine: the store. Ratis calls {@link #applyTransaction} by one thread, in the order of the log; each entry is one
 * batch, written at {@code WRITE}, with the entry's index in it. There is no force: what a power loss takes from the store, Raft's
 * log still has, since it has forced the entry before it was agreed on. A snapshot in Raft's sense is a force of the store, after
 * which the log before it may go.
 *
 * <p>The index that counts is the one in the store. The one in memory also counts entries without commands, and what a crash would
 * take; it is for Ratis' waiting only.
 */
final class StoreMachine extends BaseStateMachine {
    /** What the node does for the machine. */
    interface Owner {
        /** A command of this member is about to come into the log. */
        void accepted(long callId);

        /** Commands of this member have been applied. */
        void applied(long callId, List<Result> results);

        /** So many bytes of the log have been applied. */
        void grown(long bytes);

        /** Who leads, or who is in the group, has changed. */
        void changed();

        /** Returns the term that the log has an entry of this index from; -1 if it has none. */
        long termOf(long index);

        /** Something has failed that this member cannot go on after. */
        void failed(Throwable failure);

        /** Raft has closed the member, on its own accord or since it was asked to. */
        void closed(boolean wasRemoved);

        /** Answers a question of another member. */
        CompletableFuture<Message> answer(Message question);

        /** Copies the store of the leader into {@link NodeFiles#incoming}. */
        CompletableFuture<TermIndex> fetch(String leader);
    }

    private final UUID group;
    private final ClientId self;
    private final NodeFiles files;
    private final StoreOpener opener;
    private final Map<Byte, Applier> appliers;
    private final ReplicaClock clock;
    private final Owner owner;
    private final LocalView view = new LocalView();
    private final Object storeLock = new Object();
    private @Nullable BitcaskEngine store; // under storeLock; null while it is being replaced
    private @Nullable Overlay overlay;
    private volatile Applied applied;
    private volatile long lastChange;
    private volatile boolean isRemoved;
    private volatile @Nullable IllegalStateException failure; // of an entry or a copy; nothing behind it is applied

    /** Odd while the store changes, or is replaced. */
    private final AtomicLong changes = new AtomicLong(1);

    private volatile TermIndex snapshot = NOTHING;
    private volatile TermIndex copied = NOTHING;
    private volatile long keptFrom = -1;

    private static final TermIndex NOTHING = TermIndex.valueOf(0, -1);

    StoreMachine(
            UUID group,
            ClientId self,
            NodeFiles files,
            StoreOpener opener,
            Map<Byte, Applier> appliers,
            ReplicaClock clock,
            Owner owner) {
        this.group = group;
        this.self = self;
        this.files = files;
        this.opener = opener;
        this.appliers = appliers;
        this.clock = clock;
        this.owner = owner;
        this.applied = Applied.nothing(group);
    }

    /** Opens the store, after putting a whole copy in its place if there is one. */
    void open() throws IOException {
        files.finishSwap();
        // Below what the store has reached, until the store itself says how far it is: nothing expires too early.
        clock.set(files.timeReached());
        BitcaskEngine opened = opener.open(files.store());
        try {
            Applied found = Applied.read(opened);
            if (found == null && opened.size() > 0) {
                throw new UnsupportedFormatException("the store has keys that no member of a group wrote: directory="
                        + files.store() + "; begin with an empty directory, and load them as commands");
            }
            Applied now = found == null ? Applied.nothing(group) : found;
            if (!now.group().equals(group)) {
                throw new UnsupportedFormatException("the store belongs to another group: directory=" + files.store()
                        + ", its group=" + now.group() + ", asked for group=" + group);
            }
            // A kill may have left the end of the store's log in memory only, and Ratis takes this index for a durable
            // one.
            opened.sync();
            synchronized (storeLock) {
                store = opened;
                overlay = new Overlay(opened);
            }
            clock.set(now.timeMillis());
            applied = now;
            lastChange = Math.max(0, now.index()); // or before it, which nothing tells any more
            snapshot = TermIndex.valueOf(now.term(), now.index());
            keptFrom = now.index();
            setLastAppliedTermIndex(snapshot);
            view.set(opened);
            changes.incrementAndGet();
        } catch (IOException | RuntimeException | Error e) {
            try {
                opened.close();
            } catch (IOException | RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    /** Returns the index of the last entry that changed the store, or 0; the last entry of all if that was before it was opened. */
    long lastChange() {
        return lastChange;
    }

    /** Returns a number that is odd while the store changes, and another one after each change. */
    long changes() {
        VarHandle.acquireFence(); // what was read before is read before
        return changes.get();
    }

    /** A snapshot of the store, and the index of the last entry that changed it. */
    record Opened(Snapshot snapshot, long lastChange) {}

    /** Opens a snapshot; waits while the store is being replaced. */
    Opened openSnapshot() throws IOException {
        while (true) {
            StorageEngine engine = view.engine();
            synchronized (storeLock) {
                if (engine == store) {
                    return new Opened(engine.snapshot(), lastChange);
                }
            }
        }
    }

    LocalView view() {
        return view;
    }

    Applied applied() {
        return applied;
    }

    /** Returns the index up to which the store survives a power loss by itself. */
    long durableIndex() {
        // Looked at first: entries of Raft's own, which change no store, may come behind the last one that did.
        long last = getLastAppliedTermIndex().getIndex();
        long durable = snapshot.getIndex();
        return applied.index() == durable ? Math.max(durable, last) : durable;
    }

    @Override
    public void initialize(RaftServer raftServer, RaftGroupId raftGroupId, RaftStorage storage) throws IOException {
        super.initialize(raftServer, raftGroupId, storage);
        getLifeCycle().startAndTransition(() -> {}, IOException.class);
    }

    @Override
    public TransactionContext startTransaction(RaftClientRequest request) throws IOException {
        if (!request.getClientId().equals(self)) {
            throw new IOException("entries come from members only: client=" + request.getClientId());
        }
        owner.accepted(request.getCallId());
        return TransactionContext.newBuilder()
                .setStateMachine(this)
                .setClientRequest(request)
                .build();
    }

    @Override
    public CompletableFuture<Message> applyTransaction(TransactionContext trx) {
        IllegalStateException earlier = failure;
        if (earlier != null) {
            return CompletableFuture.failedFuture(earlier);
        }
        LogEntryProto entry = trx.getLogEntry();
        StateMachineLogEntryProto logged = entry.getStateMachineLogEntry();
        try {
            List<Result> results =
                    apply(entry.getTerm(), entry.getIndex(), logged.getLogData().asReadOnlyByteBuffer());
            updateLastAppliedTermIndex(entry.getTerm(), entry.getIndex());
            if (logged.getClientId().equals(self.toByteString())) {
                owner.applied(logged.getCallId(), results);
            }
            owner.grown(logged.getLogData().size());
            return CompletableFuture.completedFuture(Message.EMPTY);
        } catch (IOException | RuntimeException | Error e) {
            // It is not thrown: who closes the member at the same time would wait for ever for entries
            // that Ratis (StateMachineUpdater) does not apply any more.
            IllegalStateException failed = new IllegalStateException(
                    "the entry cannot be applied: index=" + entry.getIndex() + ", term=" + entry.getTerm() + ": "
                            + e.getMessage(),
                    e);
            failure = failed;
            owner.failed(failed);
            return CompletableFuture.failedFuture(failed);
        }
    }

    /** Notes an entry of Raft's own. */
    @Override
    public void notifyTermIndexUpdated(long term, long index) {
        if (failure == null) {
            super.notifyTermIndexUpdated(term, index);
        }
    }

    private List<Result> apply(long term, long index, ByteBuffer data) throws IOException {
        synchronized (storeLock) {
            BitcaskEngine engine = store;
            Overlay over = overlay;
            Applied before = applied;
            if (engine == null || over == null || index <= before.index()) {
                // It is in the store already, or in the copy that is about to take the store's place.
                return List.of();
            }
            checkHistory(before, term);
            Decoded entry = EntryCodec.decode(data);
            long time = Math.max(before.timeMillis(), entry.timeMillis());
            over.begin(index, time, before.greatestExpiry());
            List<Result> results = new ArrayList<>(entry.commands().size());
            for (Command command : entry.commands()) {
                results.add(run(over, command));
            }
            Applied after = new Applied(group, term, index, time, over.greatestExpiry());
            WriteBatch batch = new WriteBatch();
            over.addTo(batch);
            batch.put(Applied.key(), after.toBytes());
            changes.incrementAndGet();
            try {
                engine.write(batch, WriteOptions.WRITE);
            } finally {
                changes.incrementAndGet();
            }
            applied = after;
            if (batch.size() > 1) {
                lastChange = index;
            }
            clock.set(time); // after the write: see ReplicaClock
            return results;
        }
    }

    /**
     * Refuses to go on if the log has another entry where this store has one: then the two are of histories that differ, as when
     * members were begun with lists of members of which each had a majority of its own, or a store was put in the place of another.
     */
    private void checkHistory(Applied before, long term) throws UnsupportedFormatException {
        if (before.index() < 0 || before.term() == term) {
            return; // of the same leader
        }
        long logged = owner.termOf(before.index());
        if (logged >= 0 && logged != before.term()) {
            throw new UnsupportedFormatException("the store has an entry that the log has not: index=" + before.index()
                    + ", term in the store=" + before.term() + ", term in the log=" + logged
                    + "; this member was part of another history: take it out of the group, and add it again with an empty"
                    + " directory and another id");
        }
    }

    private Result run(Overlay over, Command command) throws IOException {
        Applier applier = appliers.get(command.kind());
        if (applier == null) {
            throw new UnsupportedFormatException(
                    "the entry has a command of a kind that this member has no applier for: kind=" + command.kind()
                            + ", known=" + appliers.keySet() + "; give all members the same appliers");
        }
        try {
            over.beginCommand();
            byte[] reply = applier.apply(over, command.bytes());
            over.requireStore();
            over.keep(reply.length);
            return Result.done(reply);
        } catch (CommandFailedException | RuntimeException e) {
            over.requireStore();
            over.forget();
            String message = e instanceof CommandFailedException ? e.getMessage() : e.toString();
            return Result.commandFailed(String.valueOf(message));
        }
    }

    /** Forces the store, and returns from where on the log is not needed any more. */
    @Override
    public long takeSnapshot() throws IOException {
        try {
            return forceStore();
        } catch (RuntimeException e) {
            throw new IOException("the store could not be forced: " + e, e); // Ratis goes on after this one
        }
    }

    private long forceStore() throws IOException {
        synchronized (storeLock) {
            BitcaskEngine engine = store;
            if (engine == null) {
                return -1;
            }
            Applied durable = Applied.read(engine);
            if (durable == null) {
                return -1;
            }
            engine.sync(); // all that was read is durable now, and perhaps more
            files.noteTime(durable.timeMillis());
            // The log goes back to the snapshot before this one: so a member that was away for a little while needs no
            // copy.
            long keep = keptFrom;
            keptFrom = durable.index();
            snapshot = TermIndex.valueOf(durable.term(), durable.index());
            return keep;
        }
    }

    @Override
    public @Nullable SnapshotInfo getLatestSnapshot() {
        TermIndex copy = copied;
        TermIndex latest = snapshot;
        if (failure != null && copy.getIndex() > latest.getIndex()) {
            // It could not be opened. Ratis goes on from it to its end, where nothing is applied any more.
            latest = copy;
        }
        return latest.getIndex() < 0 ? null : new FileListSnapshotInfo(List.of(), latest.getTerm(), latest.getIndex());
    }

    /** Makes a checkpoint of the store for another member. */
    void checkpoint(java.nio.file.Path target) throws IOException {
        BitcaskEngine engine;
        synchronized (storeLock) {
            engine = store;
        }
        if (engine == null) {
            throw new IOException("the store is being replaced by a copy of another member's");
        }
        engine.checkpoint(target);
    }

    @Override
    public CompletableFuture<Message> query(Message request) {
        return CompletableFuture.completedFuture(Message.EMPTY);
    }

    @Override
    public CompletableFuture<Message> queryStale(Message request, long minIndex) {
        return owner.answer(request);
    }

    @Override
    public void notifyLeaderChanged(RaftGroupMemberId groupMemberId, RaftPeerId newLeaderId) {
        owner.changed();
    }

    @Override
    public void notifyLeaderReady() {
        owner.changed();
    }

    @Override
    public void notifyConfigurationChanged(long term, long index, RaftConfigurationProto newRaftConfiguration) {
        owner.changed();
    }

    @Override
    public void notifyLogFailed(Throwable cause, @Nullable LogEntryProto failedEntry) {
        owner.failed(new IOException("raft's log failed: " + cause.getMessage(), cause));
    }

    @Override
    public CompletableFuture<TermIndex> notifyInstallSnapshotFromLeader(
            RoleInfoProto roleInfo, TermIndex firstTermIndexInLog) {
        String leader =
                roleInfo.getFollowerInfo().getLeaderInfo().getId().getId().toStringUtf8();
        return owner.fetch(leader).thenApply(fetched -> copied = fetched);
    }

    /** Closes the store, for a copy that is whole to take its place. */
    @Override
    public void pause() {
        LifeCycle.State state = getLifeCycleState();
        if (state == LifeCycle.State.PAUSED) {
            return;
        }
        getLifeCycle().transition(LifeCycle.State.PAUSING);
        closeStore();
        getLifeCycle().transition(LifeCycle.State.PAUSED);
    }

    /** Opens the store again, in whose place a copy is put. */
    @Override
    public void reinitialize() {
        try {
            open();
        } catch (IOException | RuntimeException | Error e) {
            // It is not thrown, for who closes the member at the same time; see applyTransaction.
            IllegalStateException failed = new IllegalStateException(
                    "the copy of another member's store cannot be opened: " + e.getMessage(), e);
            failure = failed;
            owner.failed(failed);
        }
        getLifeCycle().transition(LifeCycle.State.STARTING);
        getLifeCycle().transition(LifeCycle.State.RUNNING);
    }

    private void closeStore() {
        BitcaskEngine engine;
        synchronized (storeLock) {
            engine = store;
            store = null;
            overlay = null;
            view.set(null);
            if (engine != null) {
                changes.incrementAndGet();
            }
        }
        if (engine != null) {
            try {
                engine.close();
            } catch (IOException e) {
                owner.failed(e);
            }
        }
    }

    /** Only told of a group whose members have gone on without this one, if the whole server goes on. */
    @Override
    public void notifyServerShutdown(RoleInfoProto roleInfo, boolean allServer) {
        isRemoved |= !allServer;
    }

    /** Closes the store for good. */
    @Override
    public void close() {
        owner.closed(isRemoved);
        closeStore();
        view.close();
    }
}
