package dev.caskwright.raft;

import dev.caskwright.raft.EntryCodec.Command;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Iterator;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;

/**
 * Commands on their way into the log. Whatever waits when an entry can be sent goes into it together, as with a group commit: an
 * entry passes some ten threads and a force on each member, so what counts is how many commands share that. One thread sends, so
 * commands reach the log in the order in which they were submitted.
 *
 * <p>Of small entries two are under way at once, of full ones eight. The second small one goes once it has as many commands as the
 * first: by then half of those who wait for replies are in each, where one that went at once would have but the first of them, and
 * cost as much. A member that does not lead sends one at a time to the
 * leader, so that no two overtake each other. The bounds are below Ratis' own, beyond which it would refuse.
 */
final class WriteQueue {
    /** The most commands of an entry. */
    static final int MOST_COMMANDS = 4_096;

    /** The most bytes of an entry of several commands; a longer command has one of its own. */
    static final int MOST_BYTES = 1 << 20;

    /** The most entries under way. */
    static final int MOST_IN_FLIGHT = 8;

    private static final int SMALL_IN_FLIGHT = 2;

    /** The most bytes under way, unless it is one command that is longer. */
    static final long MOST_BYTES_IN_FLIGHT = 48L << 20;

    /** Above either of these, submitting waits. */
    private static final int MOST_WAITING = 64 << 10;

    private static final long MOST_WAITING_BYTES = 64L << 20;
    private static final long LOOK_AGAIN_NANOS = TimeUnit.MILLISECONDS.toNanos(20);

    /** How entries leave. */
    interface Way {
        /** Returns where entries go now. */
        Leader leader();

        /** Appends an entry to this member's log, as its leader. The future ends when Raft has no more to say. */
        CompletableFuture<?> append(long callId, List<Command> commands);

        /** Sends commands to the leader, which says what became of each. */
        CompletableFuture<List<Result>> forward(List<Command> commands);
    }

    /** Where the leader is. */
    enum Leader {
        HERE,
        ELSEWHERE,
        NOWHERE
    }

    private static final class Waiting {
        final Command command;
        final boolean isForwarded;
        final long deadlineNanos;
        final CompletableFuture<byte[]> future = new CompletableFuture<>();

        Waiting(Command command, boolean isForwarded, long deadlineNanos) {
            this.command = command;
            this.isForwarded = isForwarded;
            this.deadlineNanos = deadlineNanos;
        }
    }

    /** An entry under way. */
    private static final class Sent {
        final List<Waiting> commands;
        final long bytes;
        /** Whether it may have come into the log. */
        volatile boolean isAccepted;

        Sent(List<Waiting> commands, long bytes) {
            this.commands = commands;
            this.bytes = bytes;
        }

        List<Command> encodable() {
            List<Command> all = new ArrayList<>(commands.size());
            for (Waiting waiting : commands) {
                all.add(waiting.command);
            }
            return all;
        }
    }

    private final Way way;
    private final int mostCommandBytes;
    private final long timeoutNanos;
    private final ReentrantLock lock = new ReentrantLock();
    private final Condition changed = lock.newCondition();
    private final ArrayDeque<Waiting> queue = new ArrayDeque<>();
    private final Map<Long, Sent> inFlight = new ConcurrentHashMap<>();
    private final Thread sender;
    private long queuedBytes;
    private int flying;
    private long flyingBytes;
    private int flyingCommands;
    private long lastCallId;
    private @Nullable Throwable closed;

    WriteQueue(String name, Way way, int mostCommandBytes, long timeoutNanos) {
        this.way = way;
        this.mostCommandBytes = mostCommandBytes;
        this.timeoutNanos = timeoutNanos;
        sender = new Thread(this::send, "caskwright-raft-send-" + name);
        sender.setDaemon(true);
    }

    void start() {
        sender.start();
    }

    /** Returns whether {@link #submit} would take a command at once. */
    boolean hasRoom() {
        lock.lock();
        try {
            return !isFull();
        } finally {
            lock.unlock();
        }
    }

    private boolean isFull() {
        return queue.size() >= MOST_WAITING || queuedBytes >= MOST_WAITING_BYTES;
    }

    /**
     * Adds a command. Waits while too much waits already.
     *
     * @param isForwarded whether it came from another member: then it goes no further than into this member's log
     */
    CompletableFuture<byte[]> submit(byte kind, byte[] bytes, boolean isForwarded) {
        if (bytes.length > mostCommandBytes) {
            throw new IllegalArgumentException("the command is too long: length=" + bytes.length + ", allowed="
                    + mostCommandBytes + "; raise maxCommandBytes on all members");
        }
        long deadline = System.nanoTime() + timeoutNanos;
        Waiting waiting = new Waiting(new Command(kind, bytes), isForwarded, deadline);
        lock.lock();
        try {
            while (isFull() && closed == null) {
                long left = deadline - System.nanoTime();
                if (left <= 0) {
                    waiting.future.completeExceptionally(RaftException.notApplied(
                            "too many commands wait: commands=" + queue.size() + ", bytes=" + queuedBytes, null));
                    return waiting.future;
                }
                try {
                    changed.awaitNanos(left);
                } catch (InterruptedException e) {
                    Thread.currentThread().interrupt();
                    waiting.future.completeExceptionally(
                            RaftException.notApplied("the thread was interrupted while too many commands waited", e));
                    return waiting.future;
                }
            }
            if (closed != null) {
                waiting.future.completeExceptionally(RaftException.notApplied("the node takes no commands", closed));
                return waiting.future;
            }
            queue.add(waiting);
            queuedBytes += waiting.command.encodedBytes();
            if (queue.size() == 1 || isSendable()) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        return waiting.future;
    }

    /** Lets the sender look again where the leader is. */
    void leaderChanged() {
        lock.lock();
        try {
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    /** Notes that an entry is about to come into this member's log. */
    void accepted(long callId) {
        Sent sent = inFlight.get(callId);
        if (sent != null) {
            sent.isAccepted = true;
        }
    }

    /** Ends the commands of an entry of this member's, which has been applied. */
    void applied(long callId, List<Result> results) {
        Sent sent = inFlight.get(callId);
        if (sent == null) {
            return; // it was given up before, as unknown
        }
        for (int i = 0; i < results.size(); i++) {
            results.get(i).complete(sent.commands.get(i).future);
        }
    }

    /** Gives up commands that have waited for too long. */
    void expire() {
        long now = System.nanoTime();
        List<Waiting> late = new ArrayList<>();
        lock.lock();
        try {
            for (Iterator<Waiting> all = queue.iterator(); all.hasNext(); ) {
                Waiting waiting = all.next();
                if (now - waiting.deadlineNanos < 0) {
                    break; // those behind it came later
                }
                all.remove();
                queuedBytes -= waiting.command.encodedBytes();
                late.add(waiting);
            }
            if (!late.isEmpty()) {
                changed.signalAll();
            }
        } finally {
            lock.unlock();
        }
        for (Waiting waiting : late) {
            waiting.future.completeExceptionally(RaftException.notApplied(
                    "no leader took the command in time: millis=" + TimeUnit.NANOSECONDS.toMillis(timeoutNanos)
                            + "; a majority of the members must be up and reach each other",
                    null));
        }
        for (Sent sent : inFlight.values()) {
            if (now - sent.commands.get(0).deadlineNanos >= 0) {
                failAll(
                        sent,
                        RaftException.unknown(
                                "the group did not confirm the command in time, it may or may not be applied: millis="
                                        + TimeUnit.NANOSECONDS.toMillis(timeoutNanos),
                                null));
            }
        }
    }

    /** Refuses what comes from now on, and ends what waits or is under way. */
    void close(Throwable cause) {
        close(cause, 0);
    }

    /** Refuses what comes from now on, ends what waits, and leaves what is under way some time to end by itself. */
    void close(Throwable cause, long patienceNanos) {
        List<Waiting> left;
        lock.lock();
        try {
            if (closed != null) {
                return;
            }
            closed = cause;
            left = new ArrayList<>(queue);
            queue.clear();
            queuedBytes = 0;
            changed.signalAll();
        } finally {
            lock.unlock();
        }
        for (Waiting waiting : left) {
            waiting.future.completeExceptionally(RaftException.notApplied("the node takes no commands", cause));
        }
        awaitLanding(patienceNanos);
        for (Sent sent : inFlight.values()) {
            failAll(sent, RaftException.unknown("the node stopped before the command was confirmed", cause));
        }
    }

    private void awaitLanding(long patienceNanos) {
        long end = System.nanoTime() + patienceNanos;
        lock.lock();
        try {
            for (long left = patienceNanos; flying > 0 && left > 0; left = end - System.nanoTime()) {
                changed.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        } finally {
            lock.unlock();
        }
    }

    private void send() {
        while (true) {
            Sent sent;
            Leader leader;
            lock.lock();
            try {
                leader = awaitWay();
                if (leader == null) {
                    return;
                }
                sent = take(leader);
                flying++;
                flyingBytes += sent.bytes;
                flyingCommands += sent.commands.size();
            } finally {
                lock.unlock();
            }
            if (leader == Leader.HERE) {
                append(sent);
            } else {
                forward(sent);
            }
        }
    }

    /** Waits until something can be sent; returns where to, or null if the queue is closed. */
    private @Nullable Leader awaitWay() {
        while (closed == null) {
            try {
                if (!isSendable()) {
                    changed.await();
                    continue;
                }
                Leader leader = way.leader();
                if (leader == Leader.HERE || (leader == Leader.ELSEWHERE && flying == 0)) {
                    return leader;
                }
                changed.awaitNanos(LOOK_AGAIN_NANOS);
            } catch (InterruptedException e) {
                // Nobody has a reason to interrupt this thread: it ends when the queue is closed, which the loop looks
                // at.
            }
        }
        return null;
    }

    /** Returns whether the next entry may go; a second small one waits until it has as many commands as the first, see above. */
    private boolean isSendable() {
        if (queue.isEmpty()) {
            return false;
        }
        boolean isFullEntry = queue.size() >= MOST_COMMANDS || queuedBytes >= MOST_BYTES;
        long next = Math.max(queue.getFirst().command.encodedBytes(), Math.min(queuedBytes, MOST_BYTES));
        return flying == 0
                || (isFullEntry
                        ? flying < MOST_IN_FLIGHT && flyingBytes + next <= MOST_BYTES_IN_FLIGHT
                        : flying < SMALL_IN_FLIGHT && queue.size() >= flyingCommands);
    }

    private Sent take(Leader leader) {
        List<Waiting> commands = new ArrayList<>(Math.min(queue.size(), MOST_COMMANDS));
        long taken = queuedBytes;
        long bytes = EntryCodec.HEADER_BYTES;
        while (!queue.isEmpty() && commands.size() < MOST_COMMANDS) {
            Waiting next = queue.getFirst();
            bytes += next.command.encodedBytes();
            if (bytes > MOST_BYTES && !commands.isEmpty()) {
                break;
            }
            queue.removeFirst();
            queuedBytes -= next.command.encodedBytes();
            if (next.isForwarded && leader == Leader.ELSEWHERE) {
                // Forwarded once, never in a ring.
                next.future.completeExceptionally(
                        RaftException.notApplied("the member that the command was forwarded to leads no longer", null));
            } else {
                commands.add(next);
            }
        }
        changed.signalAll(); // there is room
        return new Sent(commands, taken - queuedBytes);
    }

    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    private void append(Sent sent) {
        long callId = ++lastCallId;
        inFlight.put(callId, sent);
        CompletableFuture<?> end;
        try {
            end = way.append(callId, sent.encodable());
        } catch (RuntimeException e) {
            end = CompletableFuture.failedFuture(e);
        }
        end.whenComplete((reply, failure) -> {
            if (failure != null) {
                failAll(
                        sent,
                        sent.isAccepted
                                ? RaftException.unknown(
                                        "the leader was lost while the command was on its way, it may or may not be"
                                                + " applied",
                                        failure)
                                : RaftException.notApplied("this member does not lead any more", failure));
            }
            landed(callId, sent);
        });
    }

    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    private void forward(Sent sent) {
        if (sent.commands.isEmpty()) {
            landed(0, sent);
            return;
        }
        long callId = ++lastCallId;
        inFlight.put(callId, sent);
        CompletableFuture<List<Result>> end;
        try {
            end = way.forward(sent.encodable());
        } catch (RuntimeException e) {
            end = CompletableFuture.failedFuture(e);
        }
        end.whenComplete((results, failure) -> {
            if (failure == null && results.size() == sent.commands.size()) {
                for (int i = 0; i < results.size(); i++) {
                    results.get(i).complete(sent.commands.get(i).future);
                }
            } else {
                failAll(
                        sent,
                        RaftException.unknown(
                                "the leader did not answer a command that was forwarded to it, it may or may not be"
                                        + " applied",
                                failure));
            }
            landed(callId, sent);
        });
    }

    private void landed(long callId, Sent sent) {
        inFlight.remove(callId);
        lock.lock();
        try {
            flying--;
            flyingBytes -= sent.bytes;
            flyingCommands -= sent.commands.size();
            changed.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private static void failAll(Sent sent, RaftException failure) {
        for (Waiting waiting : sent.commands) {
            waiting.future.completeExceptionally(failure);
        }
    }
}
