package dev.caskwright.raft;

import dev.caskwright.api.Durability;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.api.spi.io.SideLock;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.raft.EntryCodec.Command;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Collections;
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
import org.apache.ratis.protocol.ClientId;
import org.apache.ratis.protocol.Message;
import org.apache.ratis.protocol.RaftGroupId;
import org.apache.ratis.protocol.RaftPeerId;
import org.apache.ratis.server.DivisionInfo;
import org.apache.ratis.server.RaftServer;
import org.apache.ratis.server.protocol.TermIndex;
import org.apache.ratis.thirdparty.com.google.protobuf.UnsafeByteOperations;
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

    private static final Pattern SEGMENT = Pattern.compile("log_(?:inprogress_)?(\\d{1,18})(?:-\\d+)?");

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
    private final RaftHost host;
    private final RaftDivision division;
    private final Answers answers;
    private volatile @Nullable SideLock lock;
    private volatile @Nullable Peers peers;
    private volatile @Nullable Administration administration;

    RaftNode(RaftNodeBuilder options, UUID group, RaftMember self, RaftHost host) {
        this.options = options;
        this.host = host;
        this.group = group;
        this.groupId = RaftGroupId.valueOf(group);
        this.self = self;
        this.division = new RaftDivision(host, groupId, client, options.members);
        this.files = new NodeFiles(options.directory, options.steps);
        long timeoutNanos = options.requestTimeout.toNanos();
        this.entryClock = new EntryClock(options.clock, System::nanoTime);
        this.timer = Executors.newSingleThreadScheduledExecutor(threads("timer"));
        this.reads =
                Executors.newCachedThreadPool(threads("read")); // who is told of a barrier may wait for another one
        this.workers = Executors.newCachedThreadPool(threads("work"));
        this.queue = new WriteQueue(self.id(), new Log(), options.maxCommandBytes, timeoutNanos);
        this.barrier = new ReadBarrier(division::readIndex, reads, timer, timeoutNanos);
        Map<Byte, Applier> appliers = new HashMap<>(options.appliers);
        appliers.put(ReplicatedEngine.KIND, new EngineCommands());
        this.lookout = new Lookout(self, new Others(), entryClock, options.clock);
        this.answers = new Answers(lookout, this::hello, this::isKnown, queue, workers);
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
        RaftMember self = options.self(id);
        RaftHost host = new RaftHost(options, self);
        host.checkPort();
        RaftNode node = new RaftNode(options, group, self, host);
        try {
            host.build(List.of(node.prepare()));
            node.join();
            host.start();
            node.begin();
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

    /** Claims the directory and opens the store. */
    RaftHost.Part prepare() throws IOException {
        lock = files.claim(group, self.id());
        machine.open();
        answers.snapshots(new SnapshotServer(files.outgoing(), machine::checkpoint));
        lastEntryMillis.set(machine.applied().timeMillis());
        Path groupLog = files.log().resolve(group.toString());
        boolean isKnown = Files.exists(groupLog.resolve("current").resolve("raft-meta"));
        checkLog(groupLog, isKnown);
        return new RaftHost.Part(groupId, isKnown, machine, files);
    }

    /** Has what asks other members ready, once the server is built. */
    void join() throws IOException {
        RaftServer built = host.serverOrNull();
        if (built == null) {
            throw new IOException("the node is closed");
        }
        Peers others = new Peers(
                groupId, division::knownPeers, host.properties(), host.parameters(), options.requestTimeout.toMillis());
        peers = others;
        administration = new Administration(built, others, client, groupId, self, workers);
    }

    /** Takes commands, once the server has started. */
    @SuppressWarnings("FutureReturnValueIgnored") // the timer ends with the node
    void begin() {
        queue.start();
        long tickMillis = options.tick.toMillis();
        timer.scheduleWithFixedDelay(this::tick, tickMillis, tickMillis, TimeUnit.MILLISECONDS);
        timer.scheduleWithFixedDelay(this::lookAround, 0, Lookout.PERIOD_MILLIS, TimeUnit.MILLISECONDS);
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
            SideFiles.deleteTree(groupLog);
        }
        refuseOtherLogs(groupLog);
    }

    /** Refuses logs of other groups, which Ratis would take up, and have nobody to apply. */
    private void refuseOtherLogs(Path groupLog) throws IOException {
        if (!Files.isDirectory(files.log())) {
            return;
        }
        try (Stream<Path> logs = Files.list(files.log())) {
            for (Path log : logs.filter(Files::isDirectory).toList()) {
                if (isNameOfGroup(log) && !log.equals(groupLog)) {
                    throw new UnsupportedFormatException(
                            "a log of another group lies beside that of the member: directory=" + log
                                    + ", group of the member=" + group + "; move it away");
                }
            }
        }
    }

    private static boolean isNameOfGroup(Path log) {
        try {
            UUID.fromString(log.getFileName().toString());
            return true;
        } catch (IllegalArgumentException e) {
            return false; // as Ratis tells them from others, which it leaves alone
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
        // What was told of expiry is told anew from the log: a note of it may have survived a power loss
        // that the end of the store's log has not.
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
        if (!isKnown(kind)) {
            throw new IllegalArgumentException("there is no applier of that kind: kind=" + kind + ", known="
                    + options.appliers.keySet() + "; give one to the builder of every member");
        }
        return queue.submit((byte) kind, Objects.requireNonNull(command, "command"), false);
    }

    /** Returns whether this member has an applier for commands of a kind. */
    private boolean isKnown(int kind) {
        return kind == ReplicatedEngine.KIND || (kind == (byte) kind && options.appliers.containsKey((byte) kind));
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

    /** Returns whether this member leads the group, and is ready to. It may have ceased to when the call returns. */
    public boolean isLeader() {
        return failure.get() == null && division.role() == Role.LEADER;
    }

    /** Returns the id of the leader that this member knows of, or null; a member that has stopped knows of none. */
    public @Nullable String leader() {
        return failure.get() == null ? division.leader() : null;
    }

    /**
     * Returns whether this member leads and another one has answered it within the last election time-out, so that it may take the
     * lead; see {@link #transferLeadership}.
     */
    public boolean isAnswering(String member) {
        return division.silentMillis(member) < options.electionTimeout.toMillis();
    }

    /** Returns what this member knows of itself and the group. */
    public RaftState state() {
        Applied applied = machine.applied();
        DivisionInfo info = division.info();
        long committed = info == null ? applied.index() : division.committed();
        return new RaftState(
                self.id(),
                failure.get() == null ? division.role() : Role.STOPPED,
                info == null ? applied.term() : info.getCurrentTerm(),
                leader(),
                division.members(),
                info == null
                        ? applied.index()
                        : machine.getLastAppliedTermIndex().getIndex(),
                committed,
                machine.durableIndex(),
                applied.timeMillis(),
                division.lags(committed),
                lookout.warnings(),
                failure.get());
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

    /** The way of commands into the log. */
    private final class Log implements WriteQueue.Way {
        @Override
        public WriteQueue.Leader leader() {
            DivisionInfo info = division.info();
            if (info == null) {
                return WriteQueue.Leader.NOWHERE;
            }
            if (info.isLeader()) {
                // One whose clock may be off all the time times no entries before it has been compared.
                return info.isLeaderReady() && entryClock.isCompared()
                        ? WriteQueue.Leader.HERE
                        : WriteQueue.Leader.NOWHERE;
            }
            RaftPeerId leader = info.getLeaderId();
            return leader == null || leader.toString().equals(self.id())
                    ? WriteQueue.Leader.NOWHERE
                    : WriteQueue.Leader.ELSEWHERE;
        }

        @Override
        public CompletableFuture<?> append(long callId, List<Command> commands) {
            long time = lastEntryMillis.updateAndGet(
                    last -> Math.max(Math.max(last, machine.applied().timeMillis()), entryClock.millis()));
            lastAppendNanos = System.nanoTime();
            return division.append(
                    callId, Message.valueOf(UnsafeByteOperations.unsafeWrap(EntryCodec.encode(time, commands))));
        }

        @Override
        public CompletableFuture<List<Result>> forward(List<Command> commands) {
            String leader = division.leader();
            Peers others = peers;
            if (leader == null || others == null) {
                return CompletableFuture.completedFuture(
                        refused(commands.size(), new IOException("no leader is known")));
            }
            return others.ask(leader, Peers.FORWARD, ByteBuffer.wrap(EntryCodec.encode(0, commands)))
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
            options.changed.run();
        }

        @Override
        public long termOf(long index) {
            return division.termOf(index);
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
            return answers.to(question.getContent().asReadOnlyByteBuffer());
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

    /** Returns what this member says of itself. */
    private Hello hello() {
        return new Hello(options.clock.millis(), division.committed(), self.id(), options.about, division.members());
    }

    /** Gives up what waits too long, and logs the time while it matters and nothing else does. */
    @SuppressWarnings("FutureReturnValueIgnored") // a tick that fails is followed by another
    private void tick() {
        try {
            queue.expire();
            Applied applied = machine.applied();
            boolean isLeader = division.isLeader();
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

    /** Looks at the other members, and at what they copied. */
    private void lookAround() {
        try {
            lookout.look();
            answers.expire();
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
        // Ratis would go on.
        work(() -> {
            try {
                host.stop(groupId);
            } catch (IOException e) {
                LOG.warn("raft could not be closed", e);
            }
        });
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
        Peers others = peers;
        IOException first = null;
        try {
            host.leave(groupId);
            if (others != null) {
                others.close();
            }
        } catch (IOException e) {
            first = e;
        } finally {
            workers.shutdown();
            awaitWorkers();
            machine.close();
            SideLock held = lock;
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
