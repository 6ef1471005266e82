package dev.caskwright.server;

import dev.caskwright.server.command.Call;
import dev.caskwright.server.command.Dispatcher;
import dev.caskwright.server.command.GroupErrors;
import dev.caskwright.server.command.Host;
import dev.caskwright.server.command.Link;
import dev.caskwright.server.command.Proposal;
import dev.caskwright.server.command.Session;
import dev.caskwright.server.command.Shard;
import dev.caskwright.server.replication.Replication;
import dev.caskwright.server.replication.ReplicationException;
import dev.caskwright.server.resp.ProtocolException;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.resp.RequestLimits;
import dev.caskwright.server.resp.RequestParser;
import dev.caskwright.server.store.AppendFsync;
import dev.caskwright.server.store.Gate;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelFutureListener;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelInboundHandlerAdapter;
import io.netty.channel.ChannelOutboundBuffer;
import io.netty.util.concurrent.ScheduledFuture;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * One client's connection. All requests of a read run one after another, and their replies are sent with one write; or they are
 * held, in order, until the force that they depend on.
 *
 * <p>Nothing is read while a worker runs a command of the connection, while replies that wait for the client or for a force are
 * many, and while a pause of the clients lasts. So a client that does not read, or sends without waiting, takes a bounded amount
 * of memory. For the thread of the event loop, but for the methods of {@link Link}.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails closes the channel, and ends in channelInactive
final class Connection extends ChannelInboundHandlerAdapter implements Link {
    private static final Logger LOG = LoggerFactory.getLogger(Connection.class);

    /** Replies of one turn, and replies that are held, beyond which no further request is run. */
    private static final long MUCH_OUTPUT = 1 << 20;

    /** Messages to other clients beyond which no further request is run before these have gone. */
    private static final int MANY_PUSHES = 1_000;

    /** How often a request that looks at keys is tried. */
    private static final int LOOKS = 64;

    /** The list of databases has not been read in this turn. */
    private static final long NEVER = -1;

    /** It has, while there may have been changes. */
    private static final long SOMETIME = 1;

    /** What a message that waits for the event loop takes, roughly, beside its bytes, which all who get it share. */
    private static final long PUSH_BYTES = 160;

    private static final int LAST_REPLIES_SECONDS = 30;
    private static final int SMALLEST_INPUT = 512;

    private final Host host;
    private final Gate gate;
    private final Budget budget;
    private final Loop loop;
    private final Channel channel;
    private final Session session;
    private final Call call;
    private final RequestParser parser;
    private final Request request = new Request();
    private RequestLimits limits;
    private long replyLimit;
    private int configVersion;
    private @Nullable ChannelHandlerContext context;

    /** What came and was not run: a part of a request, or requests that wait. Empty when there is nothing. */
    private byte[] input = {};

    private int inputFrom;
    private int inputTo;

    private final Deque<Batch> output = new ArrayDeque<>();
    private long outputBytes;

    /** What the channel had not sent when it was last asked, and whether it will tell when it has. */
    private long unsentBytes;

    private boolean isUnsentTold;

    /** What other threads see of the two. */
    private volatile long shownInputBytes;

    private volatile long shownOutputBytes;

    /** After how many changes of the store of a group this turn has read the list of databases. */
    private long lookedAt;

    /** The last request has not wholly come. */
    private boolean needsMore;

    private boolean isWithWorker;
    private boolean isWorkSilent;
    private boolean isWaitSilent;
    private Call.@Nullable Waiting waiting;
    private @Nullable ScheduledFuture<?> timeout;
    private boolean isPaused;

    /** Whether the server is a member of a group. */
    private final boolean isInGroup;

    /** The group that what is gathered is for. */
    private @Nullable Shard proposed;

    /** The group that the last barrier was of, and that the list of databases was read of. */
    private @Nullable Shard looked;

    /** What is gathered for the group in this turn, or null. */
    private @Nullable Proposal proposal;

    private boolean isWithGroup;

    /** What the group was asked for a reply, or null. */
    private @Nullable CompletableFuture<Integer> asked;

    /** How many bytes have come since the beginning, and how many of them belong to requests that have been run. */
    private long receivedBytes;

    private long runBytes;

    /** Requests that lie before this many bytes came before the last barrier began, which has ended: they may look. */
    private long barrierBytes;

    /** What requests that may look are answered, or null if the barrier was passed. */
    private @Nullable String barrierFailure;

    private boolean isClosing;
    private boolean isEnding;
    private boolean isClosed;

    /** A message could not wait. For any thread. */
    private volatile boolean isCutOff;

    Connection(Host host, Budget budget, Loop loop, Channel channel, long id) {
        this.host = host;
        this.budget = budget;
        this.loop = loop;
        this.channel = channel;
        gate = host.keyspace().gate();
        isInGroup = host.replication() != null;
        configVersion = host.config().version();
        limits = limits();
        replyLimit = replyLimit();
        session = new Session(id, this, host, host.keyspace().nowMillis());
        parser = new RequestParser(session.isAuthenticated() ? limits : RequestLimits.UNAUTHENTICATED);
        call = Dispatcher.callOf(host, session, loop.reply());
    }

    private RequestLimits limits() {
        return new RequestLimits(
                1 << 20, host.config().maxArgumentBytes(), host.config().number("client-query-buffer-limit"));
    }

    private long replyLimit() {
        return Math.min(host.config().number("client-output-limit-normal"), budget.limit());
    }

    /** Takes what CONFIG SET has changed. */
    private void refresh() {
        if (configVersion != host.config().version()) {
            configVersion = host.config().version();
            limits = limits();
            replyLimit = replyLimit();
            if (session.isAuthenticated()) {
                parser.limits(limits);
            }
        }
    }

    Session session() {
        return session;
    }

    @Override
    public void handlerAdded(ChannelHandlerContext ctx) {
        context = ctx;
    }

    @Override
    public void channelRead(ChannelHandlerContext ctx, Object message) {
        ByteBuf bytes = (ByteBuf) message;
        try {
            int count = bytes.readableBytes();
            host.statistics().received(count);
            receivedBytes += count;
            if (isClosing) {
                return; // nobody waits for an answer
            }
            if (inputTo > inputFrom) {
                if (append(bytes, count)) {
                    runWhatCame();
                }
                return;
            }
            byte[] shared = loop.input(count);
            bytes.readBytes(shared, 0, count);
            int from = run(shared, 0, count);
            if (from < count && !isClosing) {
                keep(shared, from, count);
            }
        } finally {
            bytes.release();
        }
    }

    /** Keeps what was not run. */
    private void keep(byte[] bytes, int from, int to) {
        if (reserve(Math.max(SMALLEST_INPUT, to - from))) {
            System.arraycopy(bytes, from, input, 0, to - from);
            inputFrom = 0;
            inputTo = to - from;
        }
    }

    /** Puts bytes behind those that are kept; returns false if that is too much. */
    private boolean append(ByteBuf bytes, int count) {
        int kept = inputTo - inputFrom;
        if (input.length - inputTo < count) {
            byte[] old = input;
            int from = inputFrom;
            if (input.length - kept < count) {
                long wanted = Math.max((long) kept + count, Math.min(2L * input.length, Integer.MAX_VALUE - 8));
                if (wanted > Integer.MAX_VALUE - 8 || !reserve((int) wanted)) {
                    return false;
                }
            }
            System.arraycopy(old, from, input, 0, kept);
            inputFrom = 0;
            inputTo = kept;
        }
        bytes.readBytes(input, inputTo, count);
        inputTo += count;
        return true;
    }

    /** Makes the array for what is kept so long; returns false, and closes the connection, if that is too much. */
    private boolean reserve(int length) {
        long more = (long) length - input.length;
        if (more <= 0 && input.length > 0) {
            return true;
        }
        if (!budget.take(more)) {
            host.statistics().closedForLimit();
            LOG.warn("closed a connection: requests and replies under way would exceed maxmemory-clients");
            endWith("ERR the limit of memory for requests under way is reached (maxmemory-clients)");
            return false;
        }
        try {
            input = Arrays.copyOf(input, length);
        } catch (OutOfMemoryError e) {
            budget.giveBack(more);
            LOG.error("out of memory for a request", e);
            endWith("OOM the server is out of memory");
            return false;
        }
        return true;
    }

    private void dropInput() {
        budget.giveBack(input.length);
        input = new byte[0];
        inputFrom = 0;
        inputTo = 0;
    }

    private void runWhatCame() {
        if (inputTo > inputFrom && !isClosing) {
            inputFrom = run(input, inputFrom, inputTo);
        }
        if (inputTo == inputFrom && input.length > 0) {
            dropInput();
        }
    }

    /** Runs all requests that have come, as far as they may run now; returns where the rest begins. */
    private int run(byte[] data, int start, int end) {
        int from = start;
        Batch batch = new Batch();
        Reply reply = loop.reply();
        reply.begin(batch.chunks(), session.protocol());
        refresh();
        reply.limit(replyLimit);
        boolean isDependent = false;
        int pushed = 0;
        int lookedTo = isInGroup || !session.isAuthenticated() ? Integer.MAX_VALUE : start;
        ReentrantLock lock = host.keyspace().lock();
        lock.lock();
        try {
            gate.takeDependence();
            needsMore = false;
            lookedAt = NEVER;
            session.active(host.keyspace().nowMillis());
            while (mayRun() && reply.written() < MUCH_OUTPUT && pushed < MANY_PUSHES) {
                if (from >= lookedTo) {
                    lookedTo = loop.lookAhead().read(call, data, from, end);
                }
                int next = parser.parse(data, from, end, request);
                if (next == RequestParser.INCOMPLETE) {
                    needsMore = true;
                    break;
                }
                if (request.count() > 0) {
                    if (isToWait()) {
                        break;
                    }
                    if (!isInGroup) {
                        isDependent |= runOne(reply, batch);
                    } else if (!runInGroup(Dispatcher.shard(call, request), reply, batch, runBytes + next - start)) {
                        break;
                    }
                    pushed += call.takePushed();
                }
                from = next;
            }
        } catch (ProtocolException e) {
            Dispatcher.fail(call, reply, "ERR " + e.getMessage());
            isClosing = true;
        } finally {
            host.keyspace().ahead().forget();
            reply.drain();
            batch.complete(isDependent ? gate.lastChange() : 0);
            lock.unlock();
        }
        runBytes += from - start;
        if (!batch.isEmpty()) {
            enqueue(batch);
        }
        if (proposal != null && proposed != null) {
            propose(proposed.replication(), proposal);
        }
        return isClosing ? end : from;
    }

    /** Runs the request, or adds it to what is proposed in this turn; returns false if neither can be now. */
    private boolean runInGroup(Shard shard, Reply reply, Batch batch, long end) {
        Proposal gathered = proposal;
        switch (Dispatcher.route(call, request)) {
            case LOG -> {
                return addToProposal(shard, reply);
            }
            case LOOK -> {
                if (gathered != null) {
                    return Dispatcher.mayBeLogged(call, request) && addToProposal(shard, reply);
                }
                return mayLook(shard, end) && look(shard, reply, batch);
            }
            default -> {
                if (gathered == null) {
                    runOne(reply, batch);
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
    private boolean mayLook(Shard shard, long end) {
        if (end <= barrierBytes && shard.equals(looked)) {
            return true;
        }
        if (!shard.equals(looked)) {
            looked = shard;
            lookedAt = NEVER;
        }
        Replication members = shard.replication();
        barrierFailure = null;
        barrierBytes = receivedBytes;
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
        isWithGroup = true;
        barrier.whenComplete((nothing, problem) -> inLoop(() -> {
            isWithGroup = false;
            barrierFailure = problem == null ? null : GroupErrors.ofRead(problem);
            resumeInLoop();
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
        runOne(reply, batch);
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
            runOne(reply, batch);
            if (members.changes() == before) {
                return true;
            }
            reply.truncate(mark);
        }
        return addToProposal(shard, reply);
    }

    private void propose(Replication members, Proposal whole) {
        proposal = null;
        isWithGroup = true;
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
        isWithGroup = false;
        if (isClosed) {
            return;
        }
        enqueue(reply -> {
            if (problem != null || replies == null) {
                whole.fail(call, problem == null ? new IllegalStateException("no replies") : problem, reply);
            } else {
                whole.answer(call, replies, reply);
            }
        });
        resumeInLoop();
    }

    /** Replies, to the request that is being run, what the group answers. */
    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    private void askGroup(Call.Asked question) {
        isWithGroup = true;
        asked = question.answer();
        boolean isQuiet = call.isSilent();
        question.answer()
                .whenComplete((answer, problem) -> inLoop(() -> {
                    isWithGroup = false;
                    asked = null;
                    if (isClosed) {
                        return;
                    }
                    if (!isQuiet && !question.answer().isCancelled()) {
                        enqueue(reply -> {
                            if (problem == null) {
                                question.reply().accept(answer, reply);
                            } else {
                                Dispatcher.fail(call, reply, GroupErrors.ofRead(problem));
                            }
                        });
                    }
                    resumeInLoop();
                }));
    }

    private void inLoop(Runnable task) {
        try {
            loop.eventLoop().execute(task);
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop ended while the group worked", e);
        }
    }

    private boolean mayRun() {
        return !isWithWorker
                && !isWithGroup
                && waiting == null
                && !isPaused
                && !isClosing
                && channel.isWritable()
                && outputBytes < MUCH_OUTPUT;
    }

    private boolean isToWait() {
        long pause = Dispatcher.pauseMillis(call, request);
        if (pause == 0) {
            return false;
        }
        isPaused = true;
        loop.eventLoop().schedule(this::resumeInLoop, pause, TimeUnit.MILLISECONDS);
        return true;
    }

    /** Runs the request; returns whether its reply depends on a change that is not durable. */
    private boolean runOne(Reply reply, Batch batch) {
        boolean wasAuthenticated = session.isAuthenticated();
        Dispatcher.run(call, request, reply);
        boolean isDependent = gate.takeDependence();
        if (gate.policy() == AppendFsync.ALWAYS) {
            batch.mark(reply.written(), isDependent);
        }
        if (session.isAuthenticated() != wasAuthenticated) {
            parser.limits(session.isAuthenticated() ? limits : RequestLimits.UNAUTHENTICATED);
        }
        isClosing |= call.isClosing();
        Call.Deferred deferred = call.takeDeferred();
        if (deferred != null) {
            handToWorker(deferred, reply);
        }
        Call.Asked question = call.takeAsked();
        if (question != null) {
            askGroup(question);
        }
        waiting = call.takeWaiting();
        isWaitSilent = call.isSilent();
        if (waiting != null && waiting.timeoutMillis() > 0) {
            timeout = loop.eventLoop().schedule(this::timedOut, waiting.timeoutMillis(), TimeUnit.MILLISECONDS);
        }
        return isDependent;
    }

    private void handToWorker(Call.Deferred deferred, Reply reply) {
        int protocol = session.protocol();
        long limit = replyLimit;
        isWithWorker = true;
        isWorkSilent = call.isSilent();
        try {
            host.workers().execute(() -> work(deferred, protocol, limit));
        } catch (RejectedExecutionException e) {
            isWithWorker = false;
            if (!isWorkSilent) {
                Dispatcher.fail(call, reply, "BUSY too many slow commands wait; try again later");
            }
        }
    }

    /** In a worker. */
    private void work(Call.Deferred deferred, int protocol, long limit) {
        Batch batch = new Batch();
        Reply reply = new Reply(channel.alloc(), batch.chunks());
        reply.begin(batch.chunks(), protocol);
        reply.limit(limit);
        String failure = Dispatcher.runDeferred(call, deferred, reply);
        if (failure != null) {
            reply.truncate(0);
            reply.error(failure);
        }
        reply.drain();
        try {
            loop.eventLoop().execute(() -> worked(batch));
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop ended while a worker worked", e);
            batch.release();
        }
    }

    private void worked(Batch batch) {
        isWithWorker = false;
        isClosing |= call.isClosing();
        if (isClosed || isWorkSilent) {
            batch.release();
            goOn();
            return;
        }
        ReentrantLock lock = host.keyspace().lock();
        lock.lock();
        try {
            // What the worker read may have been written by then, but is no newer.
            gate.takeDependence();
            gate.readEverything();
            boolean isDependent = gate.takeDependence();
            batch.complete(isDependent ? gate.lastChange() : 0);
            batch.mark(batch.bytes(), isDependent);
        } finally {
            lock.unlock();
        }
        enqueue(batch);
        goOn();
    }

    private void enqueue(Batch batch) {
        if (batch.bytes() > 0 && !takeForOutput(batch.bytes())) {
            batch.release();
            overLimit("requests and replies under way would exceed maxmemory-clients");
            return;
        }
        output.addLast(batch);
        outputBytes += batch.bytes();
    }

    private boolean takeForOutput(long bytes) {
        return session.isSubscriber() ? budget.takeForMessages(bytes) : budget.take(bytes);
    }

    @Override
    public void channelReadComplete(ChannelHandlerContext ctx) {
        goOn();
    }

    /** Sends what may go, runs what may run, and reads on if there is room for more. */
    private void goOn() {
        if (isClosed) {
            return;
        }
        send();
        shownInputBytes = (long) inputTo - inputFrom;
        shownOutputBytes = outputBytes;
        boolean mayRun = mayRun();
        if (mayRun && inputTo > inputFrom && !needsMore) {
            // Another turn, so that other connections have theirs.
            loop.eventLoop().execute(this::resumeInLoop);
        }
        channel.config().setAutoRead(mayRun);
        if (isClosing && !isEnding) {
            isEnding = true;
            // Not for longer: a client that does not read its last replies is not waited for.
            loop.eventLoop().schedule(() -> channel.close(), LAST_REPLIES_SECONDS, TimeUnit.SECONDS);
        }
    }

    private void send() {
        ChannelHandlerContext ctx = context;
        if (ctx == null) {
            return;
        }
        long durable = gate.durable();
        boolean hasWritten = false;
        for (Batch batch = output.peekFirst(); batch != null && batch.change() <= durable; batch = output.peekFirst()) {
            output.removeFirst();
            write(ctx, batch);
            hasWritten = true;
        }
        if (hasWritten) {
            ctx.flush();
        }
        if (!output.isEmpty() || waiting != null) {
            loop.awaitForce(this);
        } else if (isClosing && !isWithWorker && !isWithGroup) {
            ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
        checkOutput();
    }

    private void write(ChannelHandlerContext ctx, Batch batch) {
        outputBytes -= batch.bytes();
        budget.giveBack(batch.bytes());
        host.statistics().sent(batch.bytes());
        for (ByteBuf chunk : batch.chunks()) {
            ctx.write(chunk, ctx.voidPromise());
        }
    }

    private void checkOutput() {
        noteUnsent();
        String limit = session.isSubscriber() ? "client-output-limit-pubsub" : "client-output-limit-normal";
        if (outputBytes + unsentBytes > host.config().number(limit)) {
            overLimit("replies that the client does not read exceed " + limit);
        }
    }

    /** Counts what the channel has not sent among what all clients may take, until it has. */
    private void noteUnsent() {
        ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
        long now = unsent == null || isClosed ? 0 : unsent.totalPendingWriteBytes();
        long more = now - unsentBytes;
        if (more > 0 && !takeForOutput(more)) {
            overLimit("replies that clients do not read exceed maxmemory-clients");
            return;
        }
        if (more < 0) {
            budget.giveBack(-more);
        }
        unsentBytes = now;
        ChannelHandlerContext ctx = context;
        if (now > 0 && !isUnsentTold && ctx != null) {
            isUnsentTold = true;
            // In another task: while it is told, what was sent is still counted, and so is the empty buffer.
            ctx.writeAndFlush(Unpooled.EMPTY_BUFFER)
                    .addListener(sent -> loop.eventLoop().execute(() -> {
                        isUnsentTold = false;
                        noteUnsent();
                    }));
        }
    }

    private void overLimit(String why) {
        if (!isClosed) {
            host.statistics().closedForLimit();
            LOG.warn("closed a connection: {}", why);
            channel.close();
        }
    }

    /** A force has ended, well or not. */
    void forced() {
        if (isClosed) {
            return;
        }
        Throwable failure = gate.failure();
        long durable = gate.durable();
        if (failure != null) {
            for (Batch batch : output) {
                if (batch.change() > durable) {
                    outputBytes -= batch.bytes();
                    budget.giveBack(batch.bytes());
                    batch.fail(channel.alloc());
                    outputBytes += batch.bytes();
                    budget.take(batch.bytes());
                }
            }
        }
        Call.Waiting wait = waiting;
        if (wait != null && (wait.change() <= durable || failure != null)) {
            if (failure == null) {
                answerWait(1);
            } else {
                endWait();
                if (!isWaitSilent) {
                    enqueue(reply ->
                            Dispatcher.fail(call, reply, "IOERR the force failed; whether changes survive is unknown"));
                }
            }
        }
        resumeInLoop();
    }

    private void timedOut() {
        if (!isClosed && waiting != null) {
            answerWait(0);
            resumeInLoop();
        }
    }

    private void answerWait(int local) {
        endWait();
        if (!isWaitSilent) {
            enqueue(reply -> {
                reply.array(2);
                reply.integer(local);
                reply.integer(0);
            });
        }
    }

    private void endWait() {
        waiting = null;
        if (timeout != null) {
            timeout.cancel(false);
            timeout = null;
        }
    }

    private interface Writing {
        void to(Reply reply);
    }

    private void enqueue(Writing writing) {
        Batch batch = new Batch();
        Reply reply = loop.reply();
        reply.begin(batch.chunks(), session.protocol());
        ReentrantLock lock = host.keyspace().lock();
        lock.lock();
        try {
            writing.to(reply);
        } finally {
            lock.unlock();
        }
        reply.drain();
        batch.complete(0);
        enqueue(batch);
    }

    private void endWith(String error) {
        isClosing = true;
        enqueue(reply -> Dispatcher.fail(call, reply, error));
    }

    private void resumeInLoop() {
        if (isClosed) {
            return;
        }
        isPaused = false;
        if (mayRun()) {
            runWhatCame();
        }
        goOn();
    }

    @Override
    public void channelWritabilityChanged(ChannelHandlerContext ctx) {
        if (channel.isWritable()) {
            loop.eventLoop().execute(this::resumeInLoop);
        }
    }

    @Override
    public void channelInactive(ChannelHandlerContext ctx) {
        isClosed = true;
        isClosing = true;
        endWait();
        CompletableFuture<Integer> question = asked;
        if (question != null) {
            question.cancel(false);
        }
        loop.forget(this);
        for (Batch batch : output) {
            budget.giveBack(batch.bytes());
            batch.release();
        }
        output.clear();
        outputBytes = 0;
        noteUnsent();
        dropInput();
        ReentrantLock lock = host.keyspace().lock();
        lock.lock();
        try {
            session.closed(host);
        } finally {
            lock.unlock();
        }
    }

    @Override
    public void exceptionCaught(ChannelHandlerContext ctx, Throwable cause) {
        LOG.debug("a connection failed", cause);
        ctx.close();
    }

    /** Runs no further request; closes once the replies are sent. */
    void end() {
        loop.eventLoop().execute(() -> {
            isClosing = true;
            CompletableFuture<Integer> question = asked;
            if (question != null) {
                question.cancel(false); // it may be waited for without an end
            }
            goOn();
        });
    }

    @Override
    public void push(byte[] bytes) {
        if (!budget.takeForMessages(PUSH_BYTES)) {
            if (!isCutOff) {
                isCutOff = true;
                LOG.warn("closed a connection: messages that wait would exceed maxmemory-clients");
                host.statistics().closedForLimit();
                channel.close();
            }
            return;
        }
        loop.eventLoop().execute(() -> {
            budget.giveBack(PUSH_BYTES);
            if (!isClosed) {
                Batch batch = new Batch();
                batch.chunks().add(Unpooled.wrappedBuffer(bytes));
                batch.complete(0);
                enqueue(batch);
                goOn();
            }
        });
    }

    @Override
    public boolean hold(long bytes) {
        return budget.take(bytes);
    }

    @Override
    public void letGo(long bytes) {
        budget.giveBack(bytes);
    }

    @Override
    public void close(boolean gently) {
        if (gently) {
            end();
        } else {
            channel.close();
        }
    }

    @Override
    public String remoteAddress() {
        return text(channel.remoteAddress());
    }

    @Override
    public String localAddress() {
        return text(channel.localAddress());
    }

    private static String text(@Nullable SocketAddress address) {
        if (address instanceof InetSocketAddress inet && inet.getAddress() != null) {
            String host = inet.getAddress().getHostAddress();
            return (host.indexOf(':') >= 0 ? "[" + host + "]" : host) + ":" + inet.getPort();
        }
        return "?:0";
    }

    @Override
    public long inputBytes() {
        return shownInputBytes;
    }

    @Override
    public long outputBytes() {
        return shownOutputBytes;
    }

    @Override
    public void resume() {
        loop.eventLoop().execute(this::resumeInLoop);
    }
}
