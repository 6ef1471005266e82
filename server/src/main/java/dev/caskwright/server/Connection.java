package dev.caskwright.server;

import dev.caskwright.server.command.Call;
import dev.caskwright.server.command.Dispatcher;
import dev.caskwright.server.command.Host;
import dev.caskwright.server.command.Link;
import dev.caskwright.server.command.Session;
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
import io.netty.util.concurrent.ScheduledFuture;
import java.net.InetSocketAddress;
import java.net.SocketAddress;
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

    /** What a message that waits for the event loop takes, roughly, beside its bytes, which all who get it share. */
    private static final long PUSH_BYTES = 160;

    private static final int LAST_REPLIES_SECONDS = 30;

    private final Host host;
    private final Gate gate;
    private final Budget budget;
    private final Loop loop;
    private final Channel channel;
    private final Session session;
    private final Call call;
    private final RequestParser parser;

    /** Whether the parser has the limits for a client who has said who it is. */
    private boolean isKnown;

    private final Request request = new Request();
    private RequestLimits limits;
    private long replyLimit;
    private int configVersion;
    private @Nullable ChannelHandlerContext context;

    private final Input input;
    private final Output output;

    /** What other threads see of the two. */
    private volatile long shownInputBytes;

    private volatile long shownOutputBytes;

    /** The last request has not wholly come. */
    private boolean needsMore;

    private boolean isWithWorker;
    private boolean isWorkSilent;
    private boolean isWaitSilent;
    private Call.@Nullable Waiting waiting;
    private @Nullable ScheduledFuture<?> timeout;
    private boolean isPaused;

    /** What runs requests if the server is a member of a group, or null. */
    private final @Nullable GroupRequests group;

    /** How many bytes have come since the beginning, and how many of them belong to requests that have been run. */
    private long receivedBytes;

    private long runBytes;

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
        configVersion = host.config().version();
        limits = limits();
        replyLimit = replyLimit();
        session = new Session(id, this, host, host.keyspace().nowMillis());
        isKnown = session.isAuthenticated();
        parser = new RequestParser(isKnown ? limits : RequestLimits.UNAUTHENTICATED);
        call = Dispatcher.callOf(host, session, loop.reply());
        input = new Input(budget, host.statistics());
        output = new Output(host, budget, loop, channel, session);
        group = host.replication() == null ? null : new GroupRequests(this, host, budget, loop, session, call, request);
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
            if (!input.isEmpty()) {
                String problem = input.append(bytes, count);
                if (problem != null) {
                    endWith(problem);
                } else {
                    runWhatCame();
                }
                return;
            }
            byte[] shared = loop.input(count);
            bytes.readBytes(shared, 0, count);
            int from = run(shared, 0, count);
            if (from < count && !isClosing) {
                String problem = input.keep(shared, from, count);
                if (problem != null) {
                    endWith(problem);
                }
            }
        } finally {
            bytes.release();
        }
    }

    private void runWhatCame() {
        if (!input.isEmpty() && !isClosing) {
            input.takenTo(run(input.bytes(), input.from(), input.to()));
        }
        if (input.isEmpty()) {
            input.drop();
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
        GroupRequests members = group;
        boolean isDependent = false;
        int pushed = 0;
        int lookedTo = members != null || !session.isAuthenticated() ? Integer.MAX_VALUE : start;
        ReentrantLock lock = host.keyspace().lock();
        lock.lock();
        try {
            gate.takeDependence();
            needsMore = false;
            if (members != null) {
                members.begin();
            }
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
                    if (members == null) {
                        isDependent |= runOne(reply, batch);
                    } else if (!members.run(reply, batch, runBytes + next - start, receivedBytes)) {
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
            output.add(batch);
        }
        if (members != null) {
            members.end();
        }
        return isClosing ? end : from;
    }

    private boolean mayRun() {
        return !isWithWorker
                && !isWithGroup()
                && waiting == null
                && !isPaused
                && !isClosing
                && channel.isWritable()
                && output.bytes() < MUCH_OUTPUT;
    }

    private boolean isWithGroup() {
        return group != null && group.isWaiting();
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
    boolean runOne(Reply reply, Batch batch) {
        Dispatcher.run(call, request, reply);
        return hasRun(reply, batch);
    }

    /** Does what the request that has run asks for; returns whether its reply depends on a change that is not durable. */
    boolean hasRun(Reply reply, Batch batch) {
        boolean isDependent = gate.takeDependence();
        if (gate.policy() == AppendFsync.ALWAYS) {
            batch.mark(reply.written(), isDependent);
        }
        if (session.isAuthenticated() != isKnown) {
            isKnown = session.isAuthenticated();
            parser.limits(isKnown ? limits : RequestLimits.UNAUTHENTICATED);
        }
        isClosing |= call.isClosing();
        Call.Deferred deferred = call.takeDeferred();
        if (deferred != null) {
            handToWorker(deferred, reply);
        }
        Call.Asked question = call.takeAsked();
        if (question != null && group != null) {
            group.ask(question);
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
        output.add(batch);
        goOn();
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
        shownInputBytes = input.length();
        shownOutputBytes = output.bytes();
        boolean mayRun = mayRun();
        if (mayRun && !input.isEmpty() && !needsMore) {
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
        output.send(ctx, gate.durable());
        if (isWaitingForForce()) {
            loop.awaitForce(this);
        } else if (isClosing && !isWithWorker && !isWithGroup()) {
            ctx.writeAndFlush(Unpooled.EMPTY_BUFFER).addListener(ChannelFutureListener.CLOSE);
        }
        output.check();
    }

    /** A force has ended, well or not. */
    void forced() {
        if (isClosed) {
            return;
        }
        Throwable failure = gate.failure();
        long durable = gate.durable();
        if (failure != null) {
            output.failBeyond(durable);
        }
        Call.Waiting wait = waiting;
        if (wait != null && (wait.change() <= durable || failure != null)) {
            if (failure == null) {
                answerWait(1);
            } else {
                endWait();
                if (!isWaitSilent) {
                    reply(reply ->
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
            reply(reply -> {
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

    /** Returns whether anything of the connection waits for a force. */
    boolean isWaitingForForce() {
        return !output.isEmpty() || waiting != null;
    }

    boolean isClosed() {
        return isClosed;
    }

    /** Writes a reply. */
    interface Writing {
        void to(Reply reply);
    }

    /** Adds a reply behind all others. */
    void reply(Writing writing) {
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
        output.add(batch);
    }

    private void endWith(String error) {
        isClosing = true;
        reply(reply -> Dispatcher.fail(call, reply, error));
    }

    /** Runs what waits, if it may. */
    void resumeInLoop() {
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
        if (group != null) {
            group.cancel();
        }
        loop.forget(this);
        output.close();
        input.drop();
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
            if (group != null) {
                group.cancel();
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
                output.add(batch);
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
