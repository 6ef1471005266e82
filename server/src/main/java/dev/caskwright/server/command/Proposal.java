package dev.caskwright.server.command;

import dev.caskwright.server.command.CommandLog.Input;
import dev.caskwright.server.command.CommandLog.Output;
import dev.caskwright.server.command.CommandLog.Watch;
import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * Commands of one connection that are proposed to the group together, and the replies between them that are ready already. For one
 * thread, under the keyspace's lock.
 */
public final class Proposal {
    /** More commands than this are for another proposal. */
    private static final int MAX_COMMANDS = 1_024;

    /** As are commands of more bytes, if there is one already. */
    private static final int MAX_BYTES = 256 << 10;

    private final int protocol;
    private final Output commands = new Output();
    private final List<Slot> slots = new ArrayList<>();
    private int logged;
    private boolean isFull;
    private boolean isEmptying;

    /**
     * A reply, in its place.
     *
     * @param ready the reply, or null if it comes from the log
     * @param failure the error that is the reply, or null
     * @param queue the transaction that it is the reply to, or null
     * @param key the first key of the command, or null
     */
    @SuppressWarnings("ArrayRecordComponent") // not compared
    private record Slot(
            byte @Nullable [] ready,
            @Nullable String failure,
            boolean isSilent,
            boolean isWatch,
            @Nullable List<Session.Queued> queue,
            byte @Nullable [] key) {}

    /** Makes an empty proposal of a client that talks this version of the protocol. */
    public Proposal(int protocol) {
        this.protocol = protocol;
    }

    /** Returns whether the request may be added. */
    public boolean hasRoomFor(Request request) {
        return !isFull
                && slots.size() < MAX_COMMANDS
                && (commands.size() == 0 || commands.size() + request.totalBytes() <= MAX_BYTES);
    }

    /** Returns whether there is anything for the group to do. */
    public boolean isForTheGroup() {
        return logged > 0;
    }

    /** Returns what is proposed. */
    public byte[] toBytes() {
        Output output = new Output();
        output.single(CommandLog.FORMAT);
        output.single(protocol);
        output.number(logged);
        output.raw(commands.toBytes());
        return output.toBytes();
    }

    /** Adds a reply that is there. */
    public void addReady(byte[] reply) {
        slots.add(new Slot(reply, null, false, false, null, null));
    }

    void addFailure(String message, boolean isSilent) {
        slots.add(new Slot(null, message, isSilent, false, null, null));
    }

    void addCommand(int database, Request request, boolean isSilent, byte @Nullable [] key) {
        begin(CommandLog.COMMAND, database);
        commands.request(request);
        isEmptying |= request.is(0, "FLUSHDB") || request.is(0, "FLUSHALL");
        slots.add(new Slot(null, null, isSilent, false, null, key));
    }

    void addWatch(int database, Request request, boolean isSilent) {
        begin(CommandLog.WATCH, database);
        commands.request(request);
        slots.add(new Slot(null, null, isSilent, true, null, request.bytes(1)));
        // A transaction of the same read is proposed with what the watch returns.
        isFull = true;
    }

    void addTransaction(int database, List<Watch> watches, List<Session.Queued> queue, boolean isSilent) {
        begin(CommandLog.TRANSACTION, database);
        commands.watches(watches);
        commands.number(queue.size());
        byte[] key = null;
        for (Session.Queued queued : queue) {
            commands.request(queued.request());
            key = key == null ? Dispatcher.firstKey(queued.command(), queued.request()) : key;
            isEmptying |= queued.command().name().startsWith("FLUSH");
            // What comes behind it may be for the database that it selects.
            isFull |= queued.command().name().equals("SELECT");
        }
        slots.add(new Slot(null, null, isSilent, false, queue, key));
    }

    /** Returns the proposal that removes a part of what is left of an emptied database. Its only reply says that it was executed. */
    static byte[] cleaning(Keyspace.Leftovers leftovers) {
        Output output = new Output();
        output.single(CommandLog.FORMAT);
        output.single(2);
        output.number(1);
        output.single(CommandLog.CLEAN);
        output.number(0);
        output.single(leftovers.slot());
        output.number(leftovers.keys().size());
        leftovers.keys().forEach(output::bytes);
        return output.toBytes();
    }

    private void begin(byte kind, int database) {
        commands.single(kind);
        commands.number(database);
        logged++;
    }

    /** Writes all replies, of which {@code replies} has those from the log. */
    public void answer(Call call, byte[] replies, Reply reply) {
        try {
            answer(call, new Input(replies), reply);
            if (isEmptying) {
                call.host().clean();
            }
        } catch (IOException e) {
            throw new IllegalStateException("the replies from the log cannot be read", e);
        }
    }

    private void answer(Call call, Input input, Reply reply) throws IOException {
        for (Slot slot : slots) {
            byte[] ready = slot.ready();
            if (ready != null) {
                reply.raw(ready);
            } else if (slot.failure() != null) {
                fail(call, slot, slot.failure(), reply);
            } else if (slot.isWatch()) {
                watched(call, slot, input.bytes(), reply);
            } else {
                byte[] bytes = input.bytes();
                executed(call, slot, bytes);
                if (!slot.isSilent()) {
                    reply.raw(bytes);
                }
            }
        }
    }

    private static void watched(Call call, Slot slot, byte[] bytes, Reply reply) throws IOException {
        Input input = new Input(bytes);
        if (!call.session().watchInGroup(input.watches())) {
            fail(call, slot, "ERR " + CommandException.NO_MEMORY, reply);
        } else if (!slot.isSilent()) {
            reply.ok();
        }
    }

    private static void executed(Call call, Slot slot, byte[] bytes) throws IOException {
        List<Session.Queued> queue = slot.queue();
        boolean isAborted = bytes.length > 1 && (bytes[0] == '_' || bytes[1] == '-');
        if (queue != null && !isAborted) {
            for (Session.Queued queued : queue) {
                Dispatcher.selectLike(call, queued);
            }
        }
        if (bytes.length > 0 && bytes[0] == '-') {
            int end = 1;
            while (end < bytes.length && bytes[end] != '\r') {
                end++;
            }
            call.host()
                    .statistics()
                    .failed(new String(bytes, 1, end - 1, java.nio.charset.StandardCharsets.ISO_8859_1));
        }
    }

    private static void fail(Call call, Slot slot, String message, Reply reply) {
        if (slot.isSilent()) {
            call.host().statistics().failed(message);
        } else {
            Dispatcher.fail(call, reply, message);
        }
    }

    /** Writes all replies: the ready ones, and for each that was to come from the log the error. */
    public void fail(Call call, Throwable problem, Reply reply) {
        for (Slot slot : slots) {
            byte[] ready = slot.ready();
            if (ready != null) {
                reply.raw(ready);
            } else {
                String failure = slot.failure();
                fail(call, slot, failure == null ? GroupErrors.ofChange(problem, slot.key()) : failure, reply);
            }
        }
    }
}
