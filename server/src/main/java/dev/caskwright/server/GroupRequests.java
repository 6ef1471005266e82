package dev.caskwright.server;

import dev.caskwright.server.command.Call;
import dev.caskwright.server.command.Dispatcher;
import dev.caskwright.server.command.GroupErrors;
import dev.caskwright.server.command.Host;
import dev.caskwright.server.command.Proposal;
import dev.caskwright.server.command.Session;
import dev.caskwright.server.command.Shard;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationException;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import io.netty.buffer.ByteBuf;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * What becomes of a client's requests if the server is a member of a group: changes that come together are one proposal, what looks
 * at the store waits for a barrier, and what the group is asked is waited for. Meanwhile the connection runs nothing else. For the
 * thread of the event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // of the group's answers, whose ends are handled
final class GroupRequests {
    private static final Logger LOG = LoggerFactory.getLogger(GroupRequests.class);

    /** How often a request that looks at keys is tried. */
    private static final int LOOKS = 64;

    /** The list of databases has not been read in this turn. */
    private static final long NEVER = -1;

    /** It has, while there may have been changes. */
    private static final long SOMETIME = 1;

    private final Connection connection;
    private final Host host;
    private final Budget budget;
    private final Loop loop;
    private final Session session;
    private final Call call;
    private final Request request;

    /** What is gathered for a group in this turn, or null, and for which group. */
    private @Nullable Proposal proposal;

    private @Nullable Shard proposed;

    /** The group that the last barrier was of, and that the list of databases was read of. */
    private @Nullable Shard looked;

    /** After how many changes of the store of a group this turn has read the list of databases. */
    private long lookedAt;

    /** Requests that lie before this many bytes came before the last barrier began, which has ended: they may look. */
    private long barrierBytes;

    /** What requests that may look are answered, or null if the barrier was passed. */
    private @Nullable String barrierFailure;

    /** What the group was asked for a reply, or null. */
    private @Nullable CompletableFuture<Integer> asked;

    private boolean isWaiting;

    GroupRequests(
            Connection connection, Host host, Budget budget, Loop loop, Session session, Call call, Request request) {
        this.connection = connection;
        this.host = host;
        this.budget = budget;
        this.loop = loop;
        this.session = session;
        this.call = call;
        this.request = request;
    }

    /** Returns whether the group is waited for. */
    boolean isWaiting() {
        return isWaiting;
    }

    /** Begins a turn, in which requests run one after another. */
    void begin() {
        lookedAt = NEVER;
    }

    /**
     * Runs the request, or adds it to what is proposed in this turn; returns false if neither can be now.
     *
     * @param end how many bytes had come when the request had, since the beginning
     * @param received how many have come by now
     */
    boolean run(Reply reply, Batch batch, long end, long received) {
        Shard shard = Dispatcher.shard(call, request);
        Proposal gathered = proposal;
        switch (Dispatcher.route(call, request)) {
            case LOG -> {
                return addToProposal(shard, reply);
            }
            case LOOK -> {
                if (gathered != null) {
                    return Dispatcher.mayBeLogged(call, request) && addToProposal(shard, reply);
                }
                return mayLook(shard, end, received) && look(shard, reply, batch);
            }
            default -> {
                if (gathered == null) {
                    connection.runOne(reply, batch);
                    return true;
                }
                if (!Dispatcher.mayRunBeside(call, request) || !gathered.hasRoomFor(request)) {
                    return false;
                }
                gathered.addReady(runApart(batch));
                return true;
            }
        }
    }

    /** Ends the turn: what was gathered is proposed. */
    void end() {
        Proposal whole = proposal;
        Shard shard = proposed;
        if (whole != null && shard != null) {
            proposal = null;
            propose(shard.replication(), whole);
        }
    }

    private boolean addToProposal(Shard shard, Reply reply) {
        if (proposal == null) {
            proposal = new Proposal(session.protocol());
            proposed = shard;
        } else if (!shard.equals(proposed) || !proposal.hasRoomFor(request)) {
            return false;
        }
        Dispatcher.propose(call, request, reply, proposal);
        return true;
    }

    /** Runs the request, and returns its reply instead of sending it. */
    private byte[] runApart(Batch batch) {
        Reply reply = loop.reply();
        reply.drain();
        List<ByteBuf> before = batch.chunks();
        List<ByteBuf> own = new ArrayList<>();
        reply.begin(own, session.protocol());
        Dispatcher.run(call, request, reply);
        reply.drain();
        byte[] bytes = new byte[(int) reply.written()];
        int position = 0;
        for (ByteBuf chunk : own) {
            int length = chunk.readableBytes();
            chunk.readBytes(bytes, position, length);
            position += length;
            chunk.release();
        }
        reply.begin(before, session.protocol());
        return bytes;
    }

    /** Returns whether a request that ends after so many bytes may look; if not, asks for a barrier. */
    private boolean mayLook(Shard shard, long end, long received) {
        if (end <= barrierBytes && shard.equals(looked)) {
            return true;
        }
        if (!shard.equals(looked)) {
            looked = shard;
            lookedAt = NEVER;
        }
        Replication members = shard.replication();
        barrierFailure = null;
        barrierBytes = received;
        String reads = host.config().text("replica-reads");
        if (reads.equals("stale")) {
            return true;
        }
        if (reads.equals("leader-only") && !members.isLeader()) {
            barrierFailure = Dispatcher.moved(call, request, members.leaderAddress());
            return true;
        }
        CompletableFuture<Void> barrier = members.barrier();
        if (barrier.isDone() && !barrier.isCompletedExceptionally()) {
            return true;
        }
        isWaiting = true;
        barrier.whenComplete((nothing, problem) -> inLoop(() -> {
            isWaiting = false;
            barrierFailure = problem == null ? null : GroupErrors.ofRead(problem);
            connection.resumeInLoop();
        }));
        return false;
    }

    private boolean look(Shard shard, Reply reply, Batch batch) {
        Replication members = shard.replication();
        String failure = barrierFailure;
        if (failure != null) {
            Dispatcher.fail(call, reply, failure);
            return true;
        }
        try {
            if (Dispatcher.looksAtKeys(call, request)) {
                return lookAtOneMoment(shard, reply, batch);
            }
            if (lookedAt == NEVER) {
                shard.reload();
                lookedAt = SOMETIME;
            }
        } catch (IOException e) {
            LOG.warn("the list of databases cannot be read: leader={}", members.leaderAddress(), e);
            Dispatcher.fail(call, reply, "IOERR the store cannot be read");
            return true;
        }
        connection.runOne(reply, batch);
        return true;
    }

    /**
     * Runs a request that looks at keys until no change came between its reads, that of the list of databases among them; if changes
     * come too often, it is logged like one.
     */
    private boolean lookAtOneMoment(Shard shard, Reply reply, Batch batch) throws IOException {
        Replication members = shard.replication();
        long mark = reply.written();
        for (int i = 0; i < LOOKS; i++) {
            long before = members.changes();
            if ((before & 1) != 0) {
                Thread.onSpinWait();
                continue;
            }
            if (lookedAt != before) {
                shard.reload();
                lookedAt = before;
            }
            Dispatcher.run(call, request, reply);
            if (members.changes() == before) {
                connection.hasRun(reply, batch);
                return true;
            }
            call.takeDeferred(); // what a worker would have done with what was read too soon
            reply.truncate(mark);
        }
        return addToProposal(shard, reply);
    }

    private void propose(Replication members, Proposal whole) {
        isWaiting = true;
        byte[] commands = whole.isForTheGroup() ? whole.toBytes() : new byte[0];
        CompletableFuture<byte[]> replies;
        if (commands.length == 0) {
            replies = CompletableFuture.completedFuture(commands);
        } else if (budget.take(commands.length)) {
            replies = members.propose(commands);
            replies.whenComplete((bytes, problem) -> budget.giveBack(commands.length));
        } else {
            replies = CompletableFuture.failedFuture(new ReplicationException(
                    ReplicationException.Kind.BUSY, null, "requests under way would exceed maxmemory-clients", null));
        }
        replies.whenComplete((bytes, problem) -> inLoop(() -> proposed(whole, bytes, problem)));
    }

    private void proposed(Proposal whole, byte @Nullable [] replies, @Nullable Throwable problem) {
        isWaiting = false;
        if (connection.isClosed()) {
            return;
        }
        connection.reply(reply -> {
            if (problem != null || replies == null) {
                whole.fail(call, problem == null ? new IllegalStateException("no replies") : problem, reply);
            } else {
                whole.answer(call, replies, reply);
            }
        });
        connection.resumeInLoop();
    }

    /** Replies, to the request that is being run, what the group answers. */
    void ask(Call.Asked question) {
        isWaiting = true;
        asked = question.answer();
        boolean isQuiet = call.isSilent();
        question.answer()
                .whenComplete((answer, problem) -> inLoop(() -> {
                    isWaiting = false;
                    asked = null;
                    if (connection.isClosed()) {
                        return;
                    }
                    if (!isQuiet && !question.answer().isCancelled()) {
                        connection.reply(reply -> {
                            if (problem == null) {
                                question.reply().accept(answer, reply);
                            } else {
                                Dispatcher.fail(call, reply, GroupErrors.ofRead(problem));
                            }
                        });
                    }
                    connection.resumeInLoop();
                }));
    }

    /** Waits no longer for what the group was asked: it may have no end. */
    void cancel() {
        CompletableFuture<Integer> question = asked;
        if (question != null) {
            question.cancel(false);
        }
    }

    private void inLoop(Runnable task) {
        try {
            loop.eventLoop().execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop ended while the group worked", e);
        }
    }
}
