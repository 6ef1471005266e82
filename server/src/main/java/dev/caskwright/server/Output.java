package dev.caskwright.server;

import dev.caskwright.server.command.Host;
import dev.caskwright.server.command.Session;
import io.netty.buffer.Unpooled;
import io.netty.channel.Channel;
import io.netty.channel.ChannelHandlerContext;
import io.netty.channel.ChannelOutboundBuffer;
import java.util.ArrayDeque;
import java.util.Deque;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The replies to a client that have not gone: those that are held for a force, and those that the channel has and could not send
 * yet. Closes the channel when they are too much. For the thread of the event loop.
 */
@SuppressWarnings("FutureReturnValueIgnored") // a write that fails closes the channel
final class Output {
    private static final Logger LOG = LoggerFactory.getLogger(Output.class);

    private final Host host;
    private final Budget budget;
    private final Loop loop;
    private final Channel channel;
    private final Session session;
    private final Deque<Batch> held = new ArrayDeque<>();
    private long heldBytes;

    /** What the channel had not sent when it was last asked, and whether it will tell when it has. */
    private long unsentBytes;

    private boolean isUnsentTold;
    private boolean isClosed;

    Output(Host host, Budget budget, Loop loop, Channel channel, Session session) {
        this.host = host;
        this.budget = budget;
        this.loop = loop;
        this.channel = channel;
        this.session = session;
    }

    /** Returns whether nothing is held. */
    boolean isEmpty() {
        return held.isEmpty();
    }

    /** Returns how many bytes are held. */
    long bytes() {
        return heldBytes;
    }

    /** Adds replies after all others. */
    void add(Batch batch) {
        if (batch.bytes() > 0 && !take(batch.bytes())) {
            batch.release();
            overLimit("requests and replies under way would exceed maxmemory-clients");
            return;
        }
        held.addLast(batch);
        heldBytes += batch.bytes();
    }

    private boolean take(long bytes) {
        return session.isSubscriber() ? budget.takeForMessages(bytes) : budget.take(bytes);
    }

    /** Sends what depends on no change after the {@code durable}th, in order. */
    void send(ChannelHandlerContext context, long durable) {
        boolean hasWritten = false;
        for (Batch batch = held.peekFirst(); batch != null && batch.change() <= durable; batch = held.peekFirst()) {
            held.removeFirst();
            write(context, batch);
            hasWritten = true;
        }
        if (hasWritten) {
            context.flush();
        }
    }

    private void write(ChannelHandlerContext context, Batch batch) {
        heldBytes -= batch.bytes();
        budget.giveBack(batch.bytes());
        host.statistics().sent(batch.bytes());
        for (int i = 0; i < batch.chunks().size(); i++) {
            context.write(batch.chunks().get(i), context.voidPromise());
        }
    }

    /** Replaces what depends on a change after the {@code durable}th by errors. */
    void failBeyond(long durable) {
        for (Batch batch : held) {
            if (batch.change() > durable) {
                heldBytes -= batch.bytes();
                budget.giveBack(batch.bytes());
                batch.fail(channel.alloc());
                heldBytes += batch.bytes();
                budget.take(batch.bytes());
            }
        }
    }

    /** Closes the channel if the client has left too much unread. */
    void check() {
        noteUnsent();
        String limit = session.isSubscriber() ? "client-output-limit-pubsub" : "client-output-limit-normal";
        if (heldBytes + unsentBytes > host.config().number(limit)) {
            overLimit("replies that the client does not read exceed " + limit);
        }
    }

    /** Counts what the channel has not sent among what all clients may take, until it has. */
    private void noteUnsent() {
        ChannelOutboundBuffer unsent = channel.unsafe().outboundBuffer();
        long now = unsent == null || isClosed ? 0 : unsent.totalPendingWriteBytes();
        long more = now - unsentBytes;
        if (more > 0 && !take(more)) {
            overLimit("replies that clients do not read exceed maxmemory-clients");
            return;
        }
        if (more < 0) {
            budget.giveBack(-more);
        }
        unsentBytes = now;
        if (now > 0 && !isUnsentTold) {
            isUnsentTold = true;
            // In another task: while it is told, what was sent is still counted, and so is the empty buffer.
            channel.writeAndFlush(Unpooled.EMPTY_BUFFER)
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

    /** Forgets all: the channel is closed. */
    void close() {
        isClosed = true;
        for (Batch batch : held) {
            budget.giveBack(batch.bytes());
            batch.release();
        }
        held.clear();
        heldBytes = 0;
        noteUnsent();
    }
}
