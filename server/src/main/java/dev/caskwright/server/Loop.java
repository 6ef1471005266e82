package dev.caskwright.server;

import dev.caskwright.server.command.LookAhead;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.store.Gate;
import io.netty.buffer.ByteBufAllocator;
import io.netty.channel.EventLoop;
import java.util.ArrayList;
import java.util.LinkedHashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.RejectedExecutionException;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** What the connections of one event loop share. For the thread of the loop, but for what says otherwise. */
final class Loop {
    private static final Logger LOG = LoggerFactory.getLogger(Loop.class);
    private static final int INPUT_BYTES = 64 << 10;

    private final EventLoop eventLoop;
    private final Gate gate;
    private final Reply reply;
    private final LookAhead lookAhead = new LookAhead();
    private byte[] input = new byte[INPUT_BYTES];
    private final Set<Connection> waiting = new LinkedHashSet<>();
    private boolean isAsking;

    Loop(EventLoop eventLoop, Gate gate, ByteBufAllocator allocator) {
        this.eventLoop = eventLoop;
        this.gate = gate;
        reply = new Reply(allocator, new ArrayList<>());
    }

    EventLoop eventLoop() {
        return eventLoop;
    }

    /** Returns the writer of replies, which a connection has while it runs its requests. */
    Reply reply() {
        return reply;
    }

    /** Returns what finds GETs before they run. */
    LookAhead lookAhead() {
        return lookAhead;
    }

    /** Returns an array of at least so many bytes for what was just read. */
    byte[] input(int length) {
        if (input.length < length) {
            input = new byte[length];
        }
        return input;
    }

    /** Tells the connection of the end of each force, until it waits for none, and asks for a force. */
    void awaitForce(Connection connection) {
        waiting.add(connection);
        if (!isAsking) {
            isAsking = true;
            // A task runs after all that has come in this turn was read: its changes share the force.
            eventLoop.execute(() -> {
                isAsking = false;
                gate.ask();
            });
        }
    }

    void forget(Connection connection) {
        waiting.remove(connection);
    }

    /** A force has ended. For any thread. */
    void forced() {
        try {
            eventLoop.execute(this::release);
        } catch (RejectedExecutionException e) {
            LOG.debug("the event loop has ended, and its connections with it", e);
        }
    }

    private void release() {
        List<Connection> all = List.copyOf(waiting);
        waiting.clear();
        for (Connection connection : all) {
            connection.forced();
        }
    }
}
