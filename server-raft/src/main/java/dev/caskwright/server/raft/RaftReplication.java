package dev.caskwright.server.raft;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.raft.CommandFailedException;
import dev.caskwright.raft.Overlay;
import dev.caskwright.raft.RaftMember;
import dev.caskwright.raft.RaftNode;
import dev.caskwright.raft.RaftNodeBuilder;
import dev.caskwright.raft.RaftState;
import dev.caskwright.server.config.ServerConfig;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationException;
import dev.caskwright.server.replication.ReplicationException.Kind;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** A server's view of its {@link RaftNode}. */
final class RaftReplication implements Replication {
    private static final Logger LOG = LoggerFactory.getLogger(RaftReplication.class);

    /** The kind of the commands that are executed as a server executes them. */
    private static final int KIND = 1;

    private static final long MOST_WAIT_MILLIS = Duration.ofDays(1).toMillis();

    private static final Duration TRANSFER_PATIENCE = Duration.ofSeconds(10);

    private final ServerConfig config;
    private final Replay replay;
    private final Map<String, RaftPeer> peers = new ConcurrentHashMap<>();
    /** Whether it is one of several groups of its servers: then each member executes what it leads, and nothing else. */
    private final boolean isShard;

    /** For the thread that applies. */
    private @Nullable ReplayView view;

    private volatile @Nullable RaftNode node;
    private volatile @Nullable LocalStore store;

    RaftReplication(List<RaftPeer> configured, ServerConfig config, Replay replay, boolean isShard) {
        this.config = config;
        this.replay = replay;
        this.isShard = isShard;
        configured.forEach(peer -> peers.put(peer.member().id(), peer));
    }

    /** Has a member execute what is proposed here. */
    RaftNodeBuilder applyTo(RaftNodeBuilder builder) {
        return builder.applier(KIND, this::apply);
    }

    /** Takes the node, which has been opened. */
    RaftReplication over(RaftNode opened) {
        store = new LocalStore(opened);
        node = opened;
        return this;
    }

    /** Returns the node, which has been opened. */
    RaftNode node() {
        RaftNode opened = node;
        if (opened == null) {
            throw new IllegalStateException("the member is being opened");
        }
        return opened;
    }

    /** Executes a command of the log; entries may come while the node is being opened. */
    private byte[] apply(Overlay overlay, byte[] command) throws IOException {
        ReplayView now = view;
        if (now == null || !now.isOver(overlay)) {
            // The first entry, or the first after a copy of another member's store took the place of this one's.
            replay.reset();
            now = new ReplayView(overlay);
            view = now;
        }
        boolean isDone = false;
        try {
            byte[] replies = replay.apply(now, command, overlay.index(), overlay.timeMillis());
            isDone = true;
            return replies;
        } finally {
            if (!isDone) {
                // What the command did is forgotten, and what is remembered of it is, too.
                view = null;
            }
        }
    }

    @Override
    public CompletableFuture<byte[]> propose(byte[] commands) {
        if (isShard
                ? !self().equals(node().leader())
                : !config.option("follower-proxy").isYes() && !isLeader()) {
            return failed(Kind.NOT_LEADER, "this member does not lead", null);
        }
        if (!node().hasRoom()) {
            return failed(Kind.BUSY, "too many commands wait", null);
        }
        CompletableFuture<byte[]> replies;
        try {
            replies = node().submit(KIND, commands);
        } catch (IllegalArgumentException e) {
            return failed(Kind.REFUSED, String.valueOf(e.getMessage()), e);
        }
        return replies.exceptionallyCompose(problem -> CompletableFuture.failedFuture(asException(problem)));
    }

    @Override
    public CompletableFuture<Void> barrier() {
        return node().barrier().exceptionallyCompose(problem -> CompletableFuture.failedFuture(asException(problem)));
    }

    @Override
    @SuppressWarnings("FutureReturnValueIgnored") // its end is that of what is returned
    public CompletableFuture<Integer> copies(int wanted, long timeoutMillis) {
        Duration longest = Duration.ofMillis(Math.min(timeoutMillis, MOST_WAIT_MILLIS));
        CompletableFuture<Integer> counted = node().copies(wanted, longest);
        CompletableFuture<Integer> copies =
                counted.exceptionallyCompose(problem -> CompletableFuture.failedFuture(asException(problem)));
        copies.whenComplete((count, problem) -> counted.cancel(false)); // whoever gives up here has it given up there
        return copies;
    }

    private <T> CompletableFuture<T> failed(Kind kind, String message, @Nullable Throwable cause) {
        return CompletableFuture.failedFuture(new ReplicationException(kind, leaderAddress(), message, cause));
    }

    private ReplicationException asException(Throwable problem) {
        Throwable cause = problem;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        String message = String.valueOf(cause.getMessage());
        if (cause instanceof CommandFailedException) {
            return new ReplicationException(Kind.REFUSED, null, message, cause);
        }
        boolean isNotApplied = cause instanceof EngineException known && known.outcome() == Outcome.NOT_APPLIED;
        return new ReplicationException(isNotApplied ? Kind.NO_QUORUM : Kind.UNKNOWN, null, message, cause);
    }

    @Override
    public long changes() {
        return node().changes();
    }

    @Override
    public StorageEngine store() {
        LocalStore opened = store;
        if (opened == null) {
            throw new IllegalStateException("the member is being opened");
        }
        return opened;
    }

    @Override
    public String id() {
        return self();
    }

    private String self() {
        return node().self().id();
    }

    @Override
    public boolean isLeader() {
        return node().isLeader();
    }

    @Override
    public @Nullable String leaderAddress() {
        String leader = node().leader();
        String address = leader == null ? "" : clientAddress(leader);
        return address.isEmpty() ? null : address;
    }

    /**
     * Returns the id of the member that clients are sent to: the leader that is known, or null. Once this member has stopped it knows
     * none, but the others go on: then it is the next one, which sends clients on to the leader.
     */
    @Nullable String guide() {
        RaftState state = node().state();
        if (state.failure() == null) {
            return state.leader();
        }
        List<String> others = new ArrayList<>();
        for (RaftMember member : state.members()) {
            if (!member.id().equals(state.id()) && !clientAddress(member.id()).isEmpty()) {
                others.add(member.id());
            }
        }
        for (String id : others) {
            if (id.compareTo(state.id()) > 0) {
                return id;
            }
        }
        return others.isEmpty() ? null : others.get(0);
    }

    /** Returns where clients reach a member: what it says itself, or what is configured here; empty if that is not known. */
    String clientAddress(String id) {
        String said = node().about(id);
        RaftPeer peer = peers.get(id);
        return said.isEmpty() && peer != null ? peer.clientAddress() : said;
    }

    @Override
    public Map<String, String> figures() {
        RaftState state = node().state();
        Map<String, String> figures = new LinkedHashMap<>();
        figures.put("raft_id", state.id());
        figures.put("raft_role", state.role().name().toLowerCase(java.util.Locale.ROOT));
        figures.put("raft_term", Long.toString(state.term()));
        figures.put("raft_leader", state.leader() == null ? "" : state.leader());
        figures.put("raft_members", Integer.toString(state.members().size()));
        figures.put("raft_committed_index", Long.toString(state.committed()));
        figures.put("raft_applied_index", Long.toString(state.applied()));
        figures.put("raft_durable_index", Long.toString(state.durable()));
        figures.put("raft_lag_entries", Long.toString(state.lag()));
        figures.put("raft_time_millis", Long.toString(state.timeMillis()));
        for (RaftState.Lag lag : state.lags()) {
            figures.put("raft_lag_entries_of_" + lag.id(), Long.toString(lag.entries()));
        }
        figures.put("raft_warnings", oneLine(String.join("; ", state.warnings())));
        Throwable failure = state.failure();
        figures.put("raft_failure", failure == null ? "" : oneLine(failure.toString()));
        return figures;
    }

    private static String oneLine(String text) {
        return text.replace('\r', ' ').replace('\n', ' ');
    }

    @Override
    public List<Member> members() {
        RaftState state = node().state();
        List<Member> members = new ArrayList<>();
        for (RaftMember member : state.members()) {
            long lag = -1;
            for (RaftState.Lag known : state.lags()) {
                lag = known.id().equals(member.id()) ? known.entries() : lag;
            }
            if (member.id().equals(state.id())) {
                lag = state.lag();
            }
            members.add(new Member(
                    member.id(),
                    member.address(),
                    clientAddress(member.id()),
                    state.leader() == null ? "unknown" : member.id().equals(state.leader()) ? "leader" : "follower",
                    lag));
        }
        return members;
    }

    /** Refuses what only a leader can do. */
    private <T> @Nullable CompletableFuture<T> refusedUnlessLeader() {
        if (isLeader()) {
            return null;
        }
        String leader = leaderAddress();
        return failed(
                Kind.NOT_LEADER,
                "only the leader can do this; " + (leader == null ? "none is known" : "it is at " + leader),
                null);
    }

    @Override
    public CompletableFuture<Void> add(String member) {
        RaftPeer peer = RaftPeer.parse(member);
        CompletableFuture<Void> refusal = refusedUnlessLeader();
        if (refusal != null) {
            return refusal;
        }
        return node().addMember(peer.member())
                .thenRun(() -> peers.put(peer.member().id(), peer));
    }

    @Override
    public CompletableFuture<Void> remove(String id) {
        CompletableFuture<Void> refusal = refusedUnlessLeader();
        if (refusal != null) {
            return refusal;
        }
        return node().removeMember(id);
    }

    @Override
    public CompletableFuture<Void> transfer(String id) {
        CompletableFuture<Void> refusal = refusedUnlessLeader();
        if (refusal != null) {
            return refusal;
        }
        if (node().state().members().stream().noneMatch(member -> member.id().equals(id))) {
            return failed(Kind.REFUSED, "there is no member of this name: " + id, null);
        }
        return node().transferLeadership(id, TRANSFER_PATIENCE);
    }

    @Override
    public CompletableFuture<Long> snapshot() {
        return node().snapshot();
    }

    @Override
    public void close() {
        try {
            store().close();
            node().close();
        } catch (IOException e) {
            LOG.error("the member could not be closed in order", e);
        }
    }
}
