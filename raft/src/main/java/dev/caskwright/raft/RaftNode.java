package dev.caskwright.raft;

import dev.caskwright.api.Durability;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.raft.EntryCodec.Command;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.ServerSocket;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Collections;
import java.util.Comparator;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Objects;
import java.util.UUID;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.ThreadFactory;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReference;
import java.util.function.Function;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.stream.Stream;
import org.apache.ratis.conf.Parameters;
import org.apache.ratis.conf.RaftProperties;
import org.apache.ratis.proto.RaftProtos.CommitInfoProto;
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftClientReply;
import org.apache.ratis.protocol.RaftClientRequest;
import org.apache.ratis.protocol.RaftGroup;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeer;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.rpc.CallId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.server.storage.RaftStorage;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
import org.apache.ratis.util.ExitUtils;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * A member of a group of processes that keep a store alike. Commands go to any member; the group agrees on their order, and each
 * member applies them to a store of its own. While a majority of the members is up and can reach each other, the group answers.
 *
 * <p><b>Commands.</b> {@link #submit} returns once a majority has the command on disk and this member, or the leader, has applied
 * it. Each takes effect once or not at all. If the leader is lost meanwhile, nobody may know which: the future ends with a {@link
 * RaftException} that says so, and nothing is tried again by itself.
 *
 * <p><b>Reads.</b> {@link #store} shows what this member has applied, which may be stale. A read that begins after a {@link
 * #barrier} has ended shows whatever had been acknowledged, to anybody, when the barrier was asked for.
 *
 * <p><b>Failures.</b> A member whose disk fails, or that cannot apply an entry, stops: {@link RaftState#failure} says why, its
 * calls fail, and the others go on. It is closed and opened anew once the cause is gone.
 *
 * <p>Safe for any number of threads. What depends on a future of {@link #submit} runs in the thread that applies entries, and what
 * depends on one of {@link #barrier} may: it must be short, and neither wait nor close the node.
 */
public final class RaftNode implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(RaftNode.class);

    static {
        // A port that is taken would end the process otherwise.
        ExitUtils.disableSystemExit();
    }

    private static final Pattern SEGMENT = Pattern.compile("log_(?:inprogress_)?(\\d{1,18})(?:-\\d+)?");

    /** The most bytes of the replies to commands that were forwarded together: a message of gRPC has 64 MiB. */
    private static final int MOST_REPLY_BYTES = 60 << 20;

    private static final long CLOSING_NANOS = TimeUnit.SECONDS.toNanos(1);
    private static final long WORKERS_SECONDS = 30;

    private final UUID group;
    private final RaftGroupId groupId;
    private final RaftMember self;
    private final ClientId client = ClientId.randomId();
    private final RaftNodeBuilder options;
    private final NodeFiles files;
    private final ReplicaClock replicaClock = new ReplicaClock();
    private final EntryClock entryClock;
    private final StoreMachine machine;
    private final WriteQueue queue;
    private final ReadBarrier barrier;
    private final ScheduledExecutorService timer;
    private final ExecutorService reads; // where barriers are asked for
    private final ExecutorService workers;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();
    private final AtomicBoolean isClosed = new AtomicBoolean();
    private final AtomicLong grownBytes = new AtomicLong();
    private final AtomicBoolean isSnapshotAsked = new AtomicBoolean();
    private final AtomicLong lastEntryMillis = new AtomicLong();
    private final Lookout lookout;
    private volatile long lastAppendNanos = System.nanoTime();
    private volatile @Nullable NodeLock lock;
    private volatile @Nullable RaftServer server;
    private volatile @Nullable Peers peers;
    private volatile @Nullable Administration administration;
    private volatile @Nullable SnapshotServer snapshots;

    private RaftNode(RaftNodeBuilder options, UUID group, RaftMember self) {
        this.options = options;
        this.group = group;
        this.groupId = RaftGroupId.valueOf(group);
        this.self = self;
        this.files = new NodeFiles(options.directory, options.steps);
        long timeoutNanos = options.requestTimeout.toNanos();
        this.entryClock = new EntryClock(options.clock, System::nanoTime);
        this.timer = Executors.newSingleThreadScheduledExecutor(threads("timer"));
        this.reads =
                Executors.newCachedThreadPool(threads("read")); // who is told of a barrier may wait for another one
        this.workers = Executors.newCachedThreadPool(threads("work"));
        this.queue = new WriteQueue(self.id(), new Log(), options.maxCommandBytes, timeoutNanos);
        this.barrier = new ReadBarrier(this::askForReadIndex, reads, timer, timeoutNanos);
        Map<Byte, Applier> appliers = new HashMap<>(options.appliers);
        appliers.put(ReplicatedEngine.KIND, new EngineCommands());
        this.lookout = new Lookout(self, new Others(), entryClock, options.clock);
        this.machine =
                new StoreMachine(group, client, files, this::openStore, appliers, replicaClock, new MachineOwner());
    }

    private ThreadFactory threads(String purpose) {
        return task -> {
            Thread thread = new Thread(task, "caskwright-raft-" + purpose + "-" + self.id());
            thread.setDaemon(true);
            return thread;
        };
    }

    /** Returns a builder of the member that has this directory, which is missing, empty, or that member's. */
    public static RaftNodeBuilder builder(Path directory) {
        return new RaftNodeBuilder(directory);
    }

    static RaftNode open(RaftNodeBuilder options, UUID group, String id) throws IOException {
        RaftMember self = options.members.stream()
                .filter(member -> member.id().equals(id))
                .findFirst()
                .orElseThrow();
        RaftNode node = new RaftNode(options, group, self);
        try {
            node.start();
            return node;
        } catch (IOException | RuntimeException | Error e) {
            try {
                node.close();
            } catch (IOException | RuntimeException closing) {
                e.addSuppressed(closing);
            }
            throw e;
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the timer ends with the node
    private void start() throws IOException {
        checkPort();
        lock = files.claim(group, self.id());
        machine.open();
        snapshots = new SnapshotServer(files.outgoing(), machine::checkpoint);
        lastEntryMillis.set(machine.applied().timeMillis());
        Path groupLog = files.log().resolve(group.toString());
        boolean isKnown = Files.exists(groupLog.resolve("current").resolve("raft-meta"));
        checkLog(groupLog, isKnown);
        RaftProperties properties = RatisSettings.properties(options, files, self);
        Parameters parameters = RatisSettings.parameters(options.tls, self.id());
        List<RaftPeer> all = options.members.stream().map(Peers::peer).toList();
        RaftGroup first = options.isJoining ? RaftGroup.valueOf(groupId) : RaftGroup.valueOf(groupId, all);
        try {
            RaftServer started = RaftServer.newBuilder()
                    .setServerId(RaftPeerId.valueOf(self.id()))
                    .setGroup(first)
                    .setOption(isKnown ? RaftStorage.StartupOption.RECOVER : RaftStorage.StartupOption.FORMAT)
                    .setStateMachine(machine)
                    .setProperties(properties)
                    .setParameters(parameters)
                    .build();
            server = started;
            Peers others =
                    new Peers(groupId, this::knownPeers, properties, parameters, options.requestTimeout.toMillis());
            peers = others;
            administration = new Administration(started, others, client, groupId, self, workers);
            started.start();
        } catch (IOException | RuntimeException e) {
            throw cannotStart(e);
        }
        queue.start();
        long tickMillis = options.tick.toMillis();
        timer.scheduleWithFixedDelay(this::tick, tickMillis, tickMillis, TimeUnit.MILLISECONDS);
        timer.scheduleWithFixedDelay(this::lookAround, 0, Lookout.PERIOD_MILLIS, TimeUnit.MILLISECONDS);
    }

    /** Refuses an address that cannot be listened on, before anything is touched. */
    private void checkPort() throws IOException {
        try (ServerSocket probe = new ServerSocket()) {
            probe.setReuseAddress(true);
            probe.bind(new InetSocketAddress(self.host(), self.port()));
        } catch (IOException e) {
            throw new IOException("the member cannot listen: address=" + self.address() + ": " + e.getMessage(), e);
        }
    }

    /** Returns an error that begins with the first cause: Ratis wraps it several times. */
    private IOException cannotStart(Exception failure) {
        Throwable cause = failure;
        while (cause.getCause() != null) {
            cause = cause.getCause();
        }
        return new IOException(
                "raft cannot be started: directory=" + files.log() + ", address=" + self.address() + ": " + cause,
                failure);
    }

    /** Refuses a directory of which a part is missing: going on with it could lose votes or entries. */
    private void checkLog(Path groupLog, boolean isKnown) throws IOException {
        long applied = machine.applied().index();
        long first = firstInLog(groupLog.resolve("current"));
        if (first != Long.MAX_VALUE && first > applied + 1) {
            throw new UnsupportedFormatException(
                    "raft's log begins behind the store, so entries are missing: directory="
                            + options.directory + ", first entry=" + first + ", applied=" + applied
                            + "; take the member out of the group,"
                            + " and add it again with an empty directory and another id");
        }
        // A crash may have come between the directory of a log and its first vote.
        if (!isKnown && (applied >= 0 || first != Long.MAX_VALUE)) {
            throw new UnsupportedFormatException("the store has entries, but raft's log is missing: directory="
                    + options.directory + ", index=" + applied
                    + "; take the member out of the group, and add it again with"
                    + " an empty directory and another id");
        }
        if (!isKnown) {
            NodeFiles.deleteAll(groupLog);
        }
    }

    /** Returns the index of the first entry that is in a file of the log, or the greatest number if there is none. */
    private static long firstInLog(Path current) throws IOException {
        long first = Long.MAX_VALUE;
        if (Files.isDirectory(current)) {
            try (Stream<Path> segments = Files.list(current)) {
                for (Path segment : segments.toList()) {
                    Matcher name = SEGMENT.matcher(segment.getFileName().toString());
                    if (name.matches()) {
                        first = Math.min(first, Long.parseLong(name.group(1)));
                    }
                }
            }
        }
        return first;
    }

    private BitcaskEngine openStore(Path directory) throws IOException {
        EngineBuilder builder = options.store.apply(BitcaskEngine.builder(directory));
        // What was told of expiry is told anew from the log: a note of it may have survived a power loss that the end
        // of the
        // store's log has not.
        return builder.clock(replicaClock)
                .durability(Durability.WRITE)
                .forgetToldExpiries(true)
                .open();
    }

    /** Returns which member this is. */
    public RaftMember self() {
        return self;
    }

    /**
     * Has the group run a command, once. Waits only while very many commands wait already, and for the request time-out at most;
     * {@link #hasRoom} tells before.
     *
     * @param kind which {@link Applier} runs it: one that was given to the builder
     * @param command its bytes, which are not changed from now on
     * @return the applier's reply. The future fails with a {@link CommandFailedException} if the command could not be done, and
     *     with a {@link RaftException} if the group did not answer in time: its outcome says whether it may have been applied
     * @throws IllegalArgumentException if there is no applier of that kind, or the command is longer than {@link
     *     RaftNodeBuilder#maxCommandBytes} allows
     */
    public CompletableFuture<byte[]> submit(int kind, byte[] command) {
        if (kind != ReplicatedEngine.KIND && !options.appliers.containsKey((byte) kind)) {
            throw new IllegalArgumentException("there is no applier of that kind: kind=" + kind + ", known="
                    + options.appliers.keySet() + "; give one to the builder of every member");
        }
        return queue.submit((byte) kind, Objects.requireNonNull(command, "command"), false);
    }

    /** Returns whether {@link #submit} would take a command without waiting. */
    public boolean hasRoom() {
        return queue.hasRoom();
    }

    /**
     * Returns a future that ends when this member has applied whatever had been acknowledged anywhere at the time of this call:
     * reads of {@link #store} that begin then are linearizable. Reads that come together share a barrier. It works at every member;
     * at the leader, while it is sure to lead, it costs no message. It fails with a {@link RaftException} if no leader answered in
     * time.
     */
    public CompletableFuture<Void> barrier() {
        return barrier.join();
    }

    /** Returns what this member has applied. It may be stale; see {@link #barrier}. */
    public ReadView store() {
        return machine.view();
    }

    /**
     * Returns how often a change of {@link #store} has begun or ended: odd while an entry is being written, or the store replaced.
     * Reads between two calls that return the same even number show one moment.
     */
    public long changes() {
        return machine.changes();
    }

    LocalView local() {
        return machine.view();
    }

    long timeoutMillis() {
        return options.requestTimeout.toMillis();
    }

    /** Returns what this member knows of itself and the group. */
    public RaftState state() {
        Applied applied = machine.applied();
        RaftServer.Division division = division();
        if (division == null) {
            return new RaftState(
                    self.id(),
                    Role.STOPPED,
                    applied.term(),
                    null,
                    options.members,
                    applied.index(),
                    applied.index(),
                    machine.durableIndex(),
                    applied.timeMillis(),
                    List.of(),
                    lookout.warnings(),
                    failure.get());
        }
        DivisionInfo info = division.getInfo();
        RaftPeerId leader = info.getLeaderId();
        long committed = division.getRaftLog().getLastCommittedIndex();
        return new RaftState(
                self.id(),
                role(division),
                info.getCurrentTerm(),
                leader == null ? null : leader.toString(),
                members(division),
                machine.getLastAppliedTermIndex().getIndex(),
                committed,
                machine.durableIndex(),
                applied.timeMillis(),
                lags(division, committed),
                lookout.warnings(),
                failure.get());
    }

    private Role role(RaftServer.Division division) {
        DivisionInfo info = division.getInfo();
        if (failure.get() != null || !info.isAlive()) {
            return Role.STOPPED;
        }
        if (division.getRaftConf().getPeer(division.getId()) == null) {
            return Role.STARTING;
        }
        if (info.isLeader()) {
            return info.isLeaderReady() ? Role.LEADER : Role.CANDIDATE;
        }
        return info.isCandidate() ? Role.CANDIDATE : info.isFollower() ? Role.FOLLOWER : Role.STARTING;
    }

    private static List<RaftMember> members(RaftServer.Division division) {
        return division.getRaftConf().getAllPeers().stream()
                .map(Peers::member)
                .sorted(Comparator.comparing(RaftMember::id))
                .toList();
    }

    private List<RaftState.Lag> lags(RaftServer.Division division, long committed) {
        List<RaftState.Lag> lags = new ArrayList<>();
        if (division.getInfo().isLeader()) {
            for (CommitInfoProto info : division.getCommitInfos()) {
                String id = info.getServer().getId().toStringUtf8();
                if (!id.equals(self.id())) {
                    lags.add(new RaftState.Lag(id, Math.max(0, committed - info.getCommitIndex())));
                }
            }
            lags.sort(Comparator.comparing(RaftState.Lag::id));
        }
        return lags;
    }

    /**
     * Gives the lead to another member, at the leader only. Commands that come meanwhile wait, or are told not to have been applied.
     *
     * @param member its id
     * @return a future that ends when it leads; it fails with an {@link IOException} if it does not in time
     */
    public CompletableFuture<Void> transferLeadership(String member, Duration timeout) {
        return administer(group -> group.transfer(member, timeout));
    }

    /**
     * Sets who is in the group, at the leader only, whoever is in it now; {@link #addMember} and {@link #removeMember} change it by
     * one member. Members that are new must be open, with {@link RaftNodeBuilder#joining}; they are brought up to the others before
     * they count. One that is left out stops taking part, and may be closed once the future has ended.
     *
     * @return a future that ends when a majority of the old and of the new members knows; it fails with an {@link IOException} if
     *     that was not so in time, and then the group has the old members, or tries on
     */
    public CompletableFuture<Void> setMembers(List<RaftMember> members) {
        return administer(group -> group.set(members));
    }

    /**
     * Adds a member, at the leader only: one that is open, with {@link RaftNodeBuilder#joining}. It is asked first who it is.
     *
     * @return as {@link #setMembers}; it also fails if a member of that name or at that address is there, if the new one does not
     *     answer as one of this group that waits to be taken in, or if somebody else changes the members meanwhile
     */
    public CompletableFuture<Void> addMember(RaftMember added) {
        return administer(group -> group.add(added, hello()));
    }

    /**
     * Removes a member, at the leader only. It stops taking part, and may be closed once the future has ended. If it is the leader,
     * another one is elected.
     *
     * @return as {@link #setMembers}; it also fails if there is no member of that name or no other one, or if somebody else changes
     *     the members meanwhile
     */
    public CompletableFuture<Void> removeMember(String id) {
        return administer(group -> group.remove(id, hello()));
    }

    /**
     * Returns what a member says of itself, {@link RaftNodeBuilder#about}; empty if it says nothing, or has not been asked yet.
     */
    public String about(String member) {
        return member.equals(self.id()) ? options.about : lookout.about(member);
    }

    /**
     * Waits until other members have whatever had been acknowledged, to anybody, at the time of this call. They are asked: a member
     * counts if it knows what it has on disk to be agreed on.
     *
     * @param wanted how many other members are waited for
     * @param longest for how long; a zero for as long as it takes. Cancelling the future ends it, too
     * @return how many there are then, or more; at least half of the members, rounded down, since a majority has it. The future
     *     fails with a {@link RaftException} if no leader answers
     */
    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    public CompletableFuture<Integer> copies(int wanted, Duration longest) {
        CompletableFuture<Integer> copies = new CompletableFuture<>();
        barrier().whenComplete((done, failed) -> {
            if (failed != null) {
                copies.completeExceptionally(failed);
                return;
            }
            long index = machine.getLastAppliedTermIndex().getIndex();
            new CopyCount(copies, wanted, index, this::otherMembers, new Others(), timer).begin(longest.toNanos());
        });
        return copies;
    }

    private List<RaftMember> otherMembers() {
        return hello().members().stream()
                .filter(member -> !member.id().equals(self.id()))
                .toList();
    }

    /**
     * Forces the store now, after which the log before the force before this one is given back.
     *
     * @return the index up to which the store survives a power loss without the log
     */
    public CompletableFuture<Long> snapshot() {
        grownBytes.set(0);
        return administer(group -> group.snapshot(options.requestTimeout)).thenApply(done -> machine.durableIndex());
    }

    private CompletableFuture<Void> administer(Function<Administration, CompletableFuture<Void>> request) {
        Administration now = administration;
        return now == null ? CompletableFuture.failedFuture(new IOException("the node is closed")) : request.apply(now);
    }

    private RaftServer.@Nullable Division division() {
        RaftServer running = server;
        if (running == null) {
            return null;
        }
        try {
            return running.getDivision(groupId);
        } catch (IOException e) {
            return null; // the group is being closed, and its members are not known any more
        }
    }

    private Iterable<RaftPeer> knownPeers() {
        RaftServer.Division division = division();
        List<RaftPeer> all = new ArrayList<>();
        if (division != null) {
            all.addAll(division.getRaftConf().getAllPeers());
        }
        for (RaftMember member : options.members) {
            if (all.stream().noneMatch(peer -> peer.getId().toString().equals(member.id()))) {
                all.add(Peers.peer(member));
            }
        }
        return all;
    }

    private CompletableFuture<?> askForReadIndex() {
        RaftServer running = server;
        if (running == null) {
            return CompletableFuture.failedFuture(new IOException("the node is closed"));
        }
        RaftClientRequest request = RaftClientRequest.newBuilder()
                .setClientId(client)
                .setServerId(running.getId())
                .setGroupId(groupId)
                .setCallId(CallId.getAndIncrement())
                .setMessage(Message.EMPTY)
                .setType(RaftClientRequest.readRequestType())
                .build();
        return checked(running, request);
    }

    /** Hands a request to this member's own server; the future fails if the reply is a refusal. */
    private static CompletableFuture<RaftClientReply> checked(RaftServer running, RaftClientRequest request) {
        CompletableFuture<RaftClientReply> reply;
        try {
            reply = running.submitClientRequestAsync(request);
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        }
        return reply.thenApply(answer -> {
            if (!answer.isSuccess()) {
                throw new CompletionException(answer.getException());
            }
            return answer;
        });
    }

    /** The way of commands into the log. */
    private final class Log implements WriteQueue.Way {
        @Override
        public WriteQueue.Leader leader() {
            RaftServer.Division division = division();
            if (division == null) {
                return WriteQueue.Leader.NOWHERE;
            }
            DivisionInfo info = division.getInfo();
            if (info.isLeader()) {
                // One whose clock may be off all the time times no entries before it has been compared.
                return info.isLeaderReady() && entryClock.isCompared()
                        ? WriteQueue.Leader.HERE
                        : WriteQueue.Leader.NOWHERE;
            }
            RaftPeerId leader = info.getLeaderId();
            return leader == null || leader.equals(division.getId())
                    ? WriteQueue.Leader.NOWHERE
                    : WriteQueue.Leader.ELSEWHERE;
        }

        @Override
        public CompletableFuture<?> append(long callId, List<Command> commands) {
            RaftServer running = server;
            if (running == null) {
                return CompletableFuture.failedFuture(new IOException("the node is closed"));
            }
            long time = lastEntryMillis.updateAndGet(
                    last -> Math.max(Math.max(last, machine.applied().timeMillis()), entryClock.millis()));
            lastAppendNanos = System.nanoTime();
            RaftClientRequest request = RaftClientRequest.newBuilder()
                    .setClientId(client)
                    .setServerId(running.getId())
                    .setGroupId(groupId)
                    .setCallId(callId)
                    .setMessage(Message.valueOf(UnsafeByteOperations.unsafeWrap(EntryCodec.encode(time, commands))))
                    .setType(RaftClientRequest.writeRequestType())
                    .build();
            return checked(running, request);
        }

        @Override
        public CompletableFuture<List<Result>> forward(List<Command> commands) {
            RaftServer.Division division = division();
            RaftPeerId leader = division == null ? null : division.getInfo().getLeaderId();
            Peers others = peers;
            if (leader == null || others == null) {
                return CompletableFuture.completedFuture(
                        refused(commands.size(), new IOException("no leader is known")));
            }
            return others.ask(leader.toString(), Peers.FORWARD, ByteBuffer.wrap(EntryCodec.encode(0, commands)))
                    .thenApply(answer -> {
                        try {
                            return Result.decode(answer);
                        } catch (UnsupportedFormatException e) {
                            throw new CompletionException(e);
                        }
                    })
                    .exceptionally(failed -> {
                        Throwable cause = failed instanceof CompletionException ? failed.getCause() : failed;
                        if (cause instanceof Peers.RefusedException) {
                            return refused(commands.size(), cause);
                        }
                        throw failed instanceof CompletionException known ? known : new CompletionException(failed);
                    });
        }

        private List<Result> refused(int count, Throwable why) {
            Result result = Result.of(CompletableFuture.failedFuture(
                    RaftException.notApplied("the leader did not take the command: " + why.getMessage(), why)));
            return Collections.nCopies(count, result);
        }
    }

    /** What the state machine needs of the node. */
    private final class MachineOwner implements StoreMachine.Owner {
        @Override
        public void accepted(long callId) {
            queue.accepted(callId);
        }

        @Override
        public void applied(long callId, List<Result> results) {
            queue.applied(callId, results);
        }

        @Override
        @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
        public void grown(long bytes) {
            if (grownBytes.addAndGet(bytes) >= options.snapshotEveryBytes
                    && isSnapshotAsked.compareAndSet(false, true)) {
                work(() -> snapshot().whenComplete((index, failed) -> {
                    isSnapshotAsked.set(false);
                    if (failed != null) {
                        LOG.warn("the store could not be forced, will try again: {}", failed.toString());
                    }
                }));
            }
        }

        @Override
        public void changed() {
            queue.leaderChanged();
            lookSoon();
        }

        @Override
        public long termOf(long index) {
            RaftServer.Division division = division();
            TermIndex logged = division == null ? null : division.getRaftLog().getTermIndex(index);
            return logged == null ? -1 : logged.getTerm();
        }

        @Override
        public void failed(Throwable cause) {
            fail(cause);
        }

        @Override
        public void closed(boolean wasRemoved) {
            if (!isClosed.get()) {
                fail(new IOException(
                        wasRemoved
                                ? "the member was removed from its group"
                                : "raft has stopped the member, and logged why; its disk may be full, or damaged"));
            }
        }

        @Override
        public CompletableFuture<Message> answer(Message question) {
            return answerQuestion(question.getContent().asReadOnlyByteBuffer());
        }

        @Override
        public CompletableFuture<TermIndex> fetch(String leader) {
            CompletableFuture<TermIndex> end = new CompletableFuture<>();
            work(() -> {
                try {
                    SnapshotFetch fetch = new SnapshotFetch(group, files, options.steps, isClosed::get);
                    Applied copied = fetch.fetch(
                            (what, body) -> askNow(leader, what, body),
                            machine.applied().index());
                    end.complete(TermIndex.valueOf(copied.term(), copied.index()));
                } catch (IOException | RuntimeException | Error e) {
                    if (!isClosed.get()) {
                        lookout.warn("this member is too far behind, and could not copy the store of " + leader
                                + ", will try again: " + e);
                    }
                    end.completeExceptionally(e);
                }
            });
            return end;
        }
    }

    private void work(Runnable task) {
        try {
            workers.execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("the node is being closed, and does not begin more work");
        }
    }

    private ByteBuffer askNow(String member, byte what, ByteBuffer body) throws IOException {
        Peers others = peers;
        if (others == null) {
            throw new IOException("the node is closed");
        }
        try {
            return others.ask(member, what, body).join();
        } catch (CompletionException e) {
            throw SnapshotFetch.asIo(e);
        }
    }

    /** Answers a question of another member; see {@link Peers}. */
    private CompletableFuture<Message> answerQuestion(ByteBuffer question) {
        try {
            byte what = question.get();
            return switch (what) {
                case Peers.HELLO -> {
                    lookout.askedBy(Hello.of(question));
                    yield CompletableFuture.completedFuture(Peers.answerOf(ByteBuffer.wrap(hello().toBytes())));
                }
                case Peers.FORWARD -> forwarded(question);
                case Peers.CHECKPOINT, Peers.CHUNK, Peers.RELEASE ->
                    CompletableFuture.supplyAsync(() -> handOut(what, question), workers);
                default ->
                    CompletableFuture.completedFuture(
                            Peers.answerOf(new IOException("this version does not know the question: what=" + what)));
            };
        } catch (IOException | RuntimeException e) {
            return CompletableFuture.completedFuture(Peers.answerOf(e));
        }
    }

    /** Returns what this member says of itself. */
    private Hello hello() {
        RaftServer.Division division = division();
        return new Hello(
                options.clock.millis(),
                division == null ? -1 : division.getRaftLog().getLastCommittedIndex(),
                self.id(),
                options.about,
                division == null ? options.members : members(division));
    }

    private CompletableFuture<Message> forwarded(ByteBuffer question) throws IOException {
        List<CompletableFuture<byte[]>> futures = new ArrayList<>();
        for (Command command : EntryCodec.decode(question).commands()) {
            try {
                futures.add(queue.submit(command.kind(), command.bytes(), true));
            } catch (IllegalArgumentException e) { // longer than this member allows
                futures.add(
                        CompletableFuture.failedFuture(RaftException.notApplied(String.valueOf(e.getMessage()), e)));
            }
        }
        return CompletableFuture.allOf(futures.toArray(CompletableFuture[]::new))
                .handle((all, failed) -> {
                    List<Result> results = new ArrayList<>(futures.size());
                    for (CompletableFuture<byte[]> future : futures) {
                        results.add(Result.of(future));
                    }
                    return Peers.answerOf(ByteBuffer.wrap(Result.encode(results, MOST_REPLY_BYTES)));
                });
    }

    private Message handOut(byte what, ByteBuffer question) {
        SnapshotServer source = snapshots;
        try {
            if (source == null) {
                throw new IOException("the node is being opened");
            }
            return Peers.answerOf(
                    switch (what) {
                        case Peers.CHECKPOINT -> source.checkpoint();
                        case Peers.CHUNK -> source.chunk(question);
                        default -> source.release(question);
                    });
        } catch (IOException | RuntimeException e) {
            return Peers.answerOf(e);
        }
    }

    /** Gives up what waits too long, and logs the time while it matters and nothing else does. */
    @SuppressWarnings("FutureReturnValueIgnored") // a tick that fails is followed by another
    private void tick() {
        try {
            queue.expire();
            Applied applied = machine.applied();
            boolean isLeader = isRaftLeader();
            if (lookout.isSoonDue(isLeader)) {
                lookout.look();
            }
            boolean isQuiet = System.nanoTime() - lastAppendNanos >= options.tick.toNanos();
            if (isQuiet && isLeader && applied.timeMillis() < applied.greatestExpiry() && state().isLeader()) {
                queue.submit(ReplicatedEngine.KIND, EngineCommands.TICK, true);
            }
        } catch (RuntimeException e) {
            LOG.warn("a tick failed, the next one comes", e);
        }
    }

    private boolean isRaftLeader() {
        RaftServer.Division division = division();
        return division != null && division.getInfo().isLeader();
    }

    /** Looks at the other members, and at what they copied. */
    private void lookAround() {
        try {
            lookout.look();
            SnapshotServer source = snapshots;
            if (source != null) {
                source.expire();
            }
        } catch (IOException e) {
            LOG.warn("a checkpoint that nobody needs could not be deleted, will try again: {}", e.toString());
        } catch (RuntimeException e) {
            LOG.warn("a look at the other members failed, the next one comes", e);
        }
    }

    /** Looks at the other members now: who leads, or who they are, has changed. */
    private void lookSoon() {
        try {
            timer.execute(this::lookAround);
        } catch (RejectedExecutionException e) {
            LOG.debug("the node is being closed, and looks at nobody any more");
        }
    }

    /** The other members, for whoever asks them. */
    private final class Others implements Lookout.Group {
        @Override
        public Hello self() {
            return hello();
        }

        @Override
        public CompletableFuture<ByteBuffer> ask(RaftMember member, byte[] hello) {
            Peers others = peers;
            return others == null
                    ? CompletableFuture.failedFuture(new IOException("the node is being opened"))
                    : others.ask(Peers.peer(member), Peers.HELLO, ByteBuffer.wrap(hello));
        }

        @Override
        public void compared() {
            queue.leaderChanged();
        }
    }

    private void fail(Throwable cause) {
        if (!failure.compareAndSet(null, cause)) {
            return;
        }
        LOG.error("member {} stops: {}", self.id(), cause.toString(), cause);
        queue.close(cause);
        barrier.close(cause);
        // Ratis closes its server for an entry that cannot be applied; after a failed log or swap it would go on.
        RaftServer running = server;
        if (running != null) {
            work(() -> {
                try {
                    running.close();
                } catch (IOException e) {
                    LOG.warn("raft could not be closed", e);
                }
            });
        }
    }

    /**
     * Leaves the group for now: whatever was acknowledged stays so. Commands that are under way have a second to end, and fail as
     * unknown then; those that wait fail as not applied. The others take this member for dead until it is opened again. Closing
     * twice is fine.
     */
    @Override
    public void close() throws IOException {
        if (!isClosed.compareAndSet(false, true)) {
            return;
        }
        IOException closing = new IOException("the node is closed");
        queue.close(closing, Math.min(CLOSING_NANOS, options.requestTimeout.toNanos()));
        barrier.close(closing);
        timer.shutdownNow();
        reads.shutdown();
        RaftServer running = server;
        Peers others = peers;
        IOException first = null;
        try {
            if (running != null) {
                running.close();
            }
            if (others != null) {
                others.close();
            }
        } catch (IOException e) {
            first = e;
        } finally {
            workers.shutdown();
            awaitWorkers();
            machine.close();
            NodeLock held = lock;
            if (held != null) {
                held.close();
            }
        }
        if (first != null) {
            throw first;
        }
    }

    /** Waits for a copy under way to end: it must not go on beside another node of this directory. */
    private void awaitWorkers() {
        try {
            if (!workers.awaitTermination(WORKERS_SECONDS, TimeUnit.SECONDS)) {
                LOG.error(
                        "{}: work goes on after the node was closed; do not open its directory in this process",
                        self.id());
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    /** Returns whether the node is closed, or is being closed. */
    boolean isClosed() {
        return isClosed.get();
    }

    /** Opens a snapshot of the store. */
    StoreMachine.Opened snapshotOfStore() throws IOException {
        return machine.openSnapshot();
    }

    /** Returns the index of the last entry that changed the store. */
    long lastChange() {
        return machine.lastChange();
    }
}
