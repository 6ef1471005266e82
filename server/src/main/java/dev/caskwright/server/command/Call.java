package dev.caskwright.server.command;

import dev.caskwright.server.resp.Reply;
import dev.caskwright.server.resp.Request;
import dev.caskwright.server.store.Data;
import dev.caskwright.server.store.Keyspace;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.function.BiConsumer;
import org.jspecify.annotations.Nullable;

/** One command that runs: who sent it, its arguments, where the reply goes. Used again for the next; for one thread. */
public final class Call {
    private static final long MILLIS_PER_SECOND = 1000;

    private final Host host;
    private final Session session;
    private Request request;
    private Reply reply;
    private Command command;
    private Keyspace keyspace;
    private boolean isInTransaction;
    private boolean isClosing;
    private boolean isSilent;
    private int pushed;
    private @Nullable Deferred deferred;
    private @Nullable Waiting waiting;
    private @Nullable Asked asked;
    private @Nullable Throwable problem;

    /** What is done in a worker, since it may take long: without the lock, and without a look at the session. */
    @FunctionalInterface
    public interface Deferred {
        /** Writes one reply. */
        void run(Reply reply) throws IOException;
    }

    /**
     * A reply that waits for a force.
     *
     * @param change the number of the change that must be durable
     * @param timeoutMillis how long to wait, or 0 for as long as it takes
     */
    public record Waiting(long change, long timeoutMillis) {}

    /**
     * A reply that waits for the group.
     *
     * @param answer what the group is waited for; cancelled if the client goes
     * @param reply makes the reply of the answer
     */
    public record Asked(CompletableFuture<Integer> answer, BiConsumer<Integer, Reply> reply) {}

    Call(Host host, Session session, Command command, Request request, Reply reply) {
        this.host = host;
        keyspace = host.keyspace();
        this.session = session;
        this.command = command;
        this.request = request;
        this.reply = reply;
    }

    void next(Command nextCommand, Request nextRequest, Reply nextReply) {
        command = nextCommand;
        request = nextRequest;
        reply = nextReply;
    }

    Host host() {
        return host;
    }

    Session session() {
        return session;
    }

    Request request() {
        return request;
    }

    Reply reply() {
        return reply;
    }

    Command command() {
        return command;
    }

    int count() {
        return request.count();
    }

    Keyspace keyspace() {
        return keyspace;
    }

    /** Sets what the keys of the request at hand are in. */
    void use(Keyspace of) {
        keyspace = of;
    }

    /** Returns what commands that name no keys look at: the client's database, in all stores that this server has a part of. */
    List<Keyspace.Part> parts() {
        return host.ledKeyspaces().stream()
                .map(each -> new Keyspace.Part(each, each.slot(session.database())))
                .toList();
    }

    Data data() {
        return keyspace.data();
    }

    /** Returns an argument as a key: with the byte of its database before it. */
    byte[] key(int i) {
        return key(i, session.database());
    }

    byte[] key(int i, int database) {
        if (request.length(i) > Keyspace.MAX_KEY_LENGTH) {
            throw new CommandException("ERR key is longer than " + Keyspace.MAX_KEY_LENGTH + " bytes");
        }
        return request.prefixed(keyspace.slot(database), i);
    }

    /** Returns an argument as a stored string: with the byte of its type before it. */
    byte[] string(int i) {
        return request.prefixed(Keyspace.STRING, i);
    }

    /** Stores a value in the client's database. */
    void put(byte[] key, byte[] stored, long expiresAtMillis) throws IOException {
        put(session.database(), key, stored, expiresAtMillis);
    }

    void put(int database, byte[] key, byte[] stored, long expiresAtMillis) throws IOException {
        host.keyspace().use(database, expiresAtMillis != Data.NEVER, stored.length);
        data().put(key, stored, expiresAtMillis);
    }

    /** Makes a key of the client's database that is there expire at a moment, or never. */
    void expire(byte[] key, long expiresAtMillis) throws IOException {
        host.keyspace().use(session.database(), expiresAtMillis != Data.NEVER, 0);
        data().expire(key, expiresAtMillis);
    }

    /** Returns the string under the key, with the byte of its type, or null. */
    byte @Nullable [] stringAt(byte[] key) throws IOException {
        byte[] stored = data().get(key);
        if (stored != null && stored[0] != Keyspace.STRING) {
            throw CommandException.wrongType();
        }
        return stored;
    }

    Data.@Nullable Stored stringEntry(byte[] key) throws IOException {
        Data.Stored stored = data().entry(key);
        if (stored != null && stored.type() != Keyspace.STRING) {
            throw CommandException.wrongType();
        }
        return stored;
    }

    /** Writes a stored string, or its absence. */
    void replyStored(byte @Nullable [] stored) {
        if (stored == null) {
            reply.nil();
        } else {
            reply.bulk(stored, 1, stored.length - 1);
        }
    }

    long integer(int i) {
        if (!request.isInteger(i)) {
            throw CommandException.notAnInteger();
        }
        return request.integer(i);
    }

    long integer(int i, long least, long greatest, String problem) {
        if (!request.isInteger(i)) {
            throw CommandException.notAnInteger();
        }
        long value = request.integer(i);
        if (value < least || value > greatest) {
            throw new CommandException(problem);
        }
        return value;
    }

    int database(int i) {
        long number = integer(i);
        if (number < 0 || number >= host.keyspace().databases()) {
            throw new CommandException("ERR DB index is out of range");
        }
        return (int) number;
    }

    /** Returns an argument that is a time from now or since 1970 as a moment: milliseconds since 1970. */
    long moment(int i, boolean isSeconds, boolean isFromNow) {
        long value = integer(i);
        if (isSeconds) {
            if (value > Long.MAX_VALUE / MILLIS_PER_SECOND || value < Long.MIN_VALUE / MILLIS_PER_SECOND) {
                throw CommandException.invalidExpireTime(this);
            }
            value *= MILLIS_PER_SECOND;
        }
        if (isFromNow) {
            long now = nowMillis();
            if (value > Long.MAX_VALUE - now) {
                throw CommandException.invalidExpireTime(this);
            }
            value += now;
        }
        return value;
    }

    long nowMillis() {
        return host.keyspace().nowMillis();
    }

    /** Makes sure that a string of this length may be stored. */
    void checkLength(long length) {
        if (length > host.config().maxArgumentBytes()) {
            throw new CommandException("ERR string exceeds maximum allowed size (proto-max-bulk-len)");
        }
    }

    /** Runs several changes so that all are made or none. */
    void atomically(Changing changing) throws IOException {
        Keyspace keyspace = host.keyspace();
        if (keyspace.isCollecting()) {
            changing.run();
            return;
        }
        keyspace.begin();
        try {
            changing.run();
            keyspace.commit();
        } finally {
            keyspace.discard();
        }
    }

    /** Makes changes. */
    @FunctionalInterface
    interface Changing {
        void run() throws IOException;
    }

    /** Has a worker do the rest and write the reply; within a transaction it is done at once. */
    void defer(Deferred rest) throws IOException {
        if (isInTransaction) {
            rest.run(reply);
        } else {
            deferred = rest;
        }
    }

    /** Waits for the force of all changes so far, then replies. Within a transaction nothing waits. */
    void awaitForce(long timeoutMillis) {
        waiting = new Waiting(host.keyspace().gate().lastChange(), timeoutMillis);
    }

    /** Waits for an answer of the group, then replies. */
    void ask(CompletableFuture<Integer> answer, BiConsumer<Integer, Reply> answered) {
        asked = new Asked(answer, answered);
    }

    /** Returns what the connection waits for the group for, or null; forgets it. */
    public @Nullable Asked takeAsked() {
        Asked taken = asked;
        asked = null;
        return taken;
    }

    boolean isInTransaction() {
        return isInTransaction;
    }

    void inTransaction(boolean is) {
        isInTransaction = is;
    }

    /** Returns whether the reply to this call is not to be sent. */
    public boolean isSilent() {
        return isSilent;
    }

    void silent(boolean is) {
        isSilent = is;
    }

    /** Notes that messages were sent to clients. */
    void pushed(int count) {
        pushed += count;
    }

    /** Returns how many messages were sent to clients since the last call; forgets it. */
    public int takePushed() {
        int taken = pushed;
        pushed = 0;
        return taken;
    }

    /** Closes the connection once the reply is sent. */
    void close() {
        isClosing = true;
    }

    /** Returns whether the connection is to be closed. */
    public boolean isClosing() {
        return isClosing;
    }

    /** Returns what a worker is to do before the next command of the connection, or null; forgets it. */
    public @Nullable Deferred takeDeferred() {
        Deferred taken = deferred;
        deferred = null;
        return taken;
    }

    /** Notes that the store, or the process, failed under the call. */
    void problem(Throwable next) {
        problem = next;
    }

    /** Returns what failed under the calls since the last time that this was asked, or null. */
    @Nullable Throwable takeProblem() {
        Throwable taken = problem;
        problem = null;
        return taken;
    }

    /** Returns what the connection waits for, or null; forgets it. */
    public @Nullable Waiting takeWaiting() {
        Waiting taken = waiting;
        waiting = null;
        return taken;
    }

    /** Returns a part of a stored string: from {@code start} to {@code end}, counted as Redis does. */
    static byte[] range(byte[] stored, long start, long end) {
        long length = stored.length - 1L;
        long from = start < 0 ? Math.max(0, length + start) : start;
        long to = end < 0 ? Math.max(0, length + end) : Math.min(end, length - 1);
        if (from > to || length == 0 || (start < 0 && end < 0 && start > end)) {
            return new byte[0];
        }
        return Arrays.copyOfRange(stored, (int) from + 1, (int) to + 2);
    }
}
