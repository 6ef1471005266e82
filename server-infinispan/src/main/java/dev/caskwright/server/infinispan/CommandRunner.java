package dev.caskwright.server.infinispan;

import dev.caskwright.api.Entry;
import dev.caskwright.server.replication.Replay;
import dev.caskwright.server.replication.ReplicationException;
import dev.caskwright.server.replication.ReplicationException.Kind;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.security.SecureRandom;
import java.time.InstantSource;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Executes commands over the keys of a cluster, in one thread that never waits for them. What commands look at is read from the
 * cache, by many at once; then they are executed in memory; then what they have changed is written, and their replies are given when
 * all owners have it. Commands that touch the same keys follow each other, so that nobody sees what is not written, and none is lost.
 *
 * <p>That holds among the clients of this node. Since owners change, another node may execute commands on the same key for a moment.
 * So what depends on what was read is written only if that is still there, and the client is told if it is not.
 *
 * <p>Safe for any number of threads.
 */
final class CommandRunner implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(CommandRunner.class);

    /** More waiting commands than this are refused. */
    private static final int MAX_WORKS = 100_000;

    /**
     * For so long after an entry has expired the cache keeps it, so that what replaces it can name it. That it has expired is judged
     * by its own time.
     */
    private static final long KEPT_MILLIS = 1_000;

    private static final long FOREVER = -1;

    /**
     * So often a command is executed again because its key is not as it was read. Each time another node has done something, unless
     * owners of the key do not agree on what it is: then that would go on for ever.
     */
    private static final int MAX_REPEATS = 100;

    /** So many values are asked for at once before their length can be guessed, and so many times more each time. */
    private static final int FIRST_VALUES = 16;

    private static final int MORE_VALUES = 4;

    private final Keys keys;
    private final InstantSource clock;
    private final Replay replay;
    private final Budget budget;
    private final Map<ByteBuffer, Work> claims = new HashMap<>();
    private final Map<ByteBuffer, byte[]> own;
    private final CacheView view;
    private final LinkedBlockingQueue<Runnable> tasks = new LinkedBlockingQueue<>();
    private final AtomicInteger works = new AtomicInteger();
    private final Thread thread = new Thread(this::runTasks, "caskwright-cache");
    private volatile boolean isClosed;

    // For the thread.
    private long index;
    private long lastWrite = new SecureRandom().nextLong();
    private final Deque<Work> ready = new ArrayDeque<>();

    /**
     * Makes a runner, which must be started.
     *
     * @param own where the server's own records are, which the server reads, too
     * @param maxValueBytes how much of values commands under way may have read, and change
     */
    CommandRunner(Keys keys, InstantSource clock, Replay replay, Map<ByteBuffer, byte[]> own, long maxValueBytes) {
        this.keys = keys;
        this.clock = clock;
        this.replay = replay;
        this.own = own;
        budget = new Budget(maxValueBytes);
        view = new CacheView(claims, own, budget);
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Executes commands; completes with their replies once what they have changed is written. */
    CompletableFuture<byte[]> run(byte[] commands) {
        if (isClosed) {
            return failed(Kind.NO_QUORUM, "this node ends", null);
        }
        if (works.incrementAndGet() > MAX_WORKS) {
            works.decrementAndGet();
            return failed(Kind.BUSY, "too many commands wait", null);
        }
        if (isClosed) { // since it was counted: otherwise the thread is there until it has ended
            works.decrementAndGet();
            tasks.add(() -> {});
            return failed(Kind.NO_QUORUM, "this node ends", null);
        }
        Work work = new Work(commands);
        tasks.add(() -> step(work, this::attempt));
        return work.replies;
    }

    /** Forgets what is watched: owners have changed, and others may have changed what clients of this node watch. */
    void ownersChanged() {
        tasks.add(() -> {
            own.clear();
            replay.reset();
        });
    }

    private static <T> CompletableFuture<T> failed(Kind kind, String message, @Nullable Throwable cause) {
        return CompletableFuture.failedFuture(new ReplicationException(kind, null, message, cause));
    }

    private void runTasks() {
        while (!isClosed || works.get() > 0) {
            try {
                tasks.take().run();
                for (Work next = ready.poll(); next != null; next = ready.poll()) {
                    step(next, this::attempt);
                }
            } catch (InterruptedException e) {
                LOG.debug("nobody interrupts this thread", e);
            } catch (RuntimeException | Error e) {
                LOG.error("something failed in a way that nobody foresaw", e); // others go on
            }
        }
    }

    /** Does the next thing for a work. Whatever that throws, want of memory too, ends the work, and nothing else. */
    private void step(Work work, Consumer<Work> next) {
        try {
            next.accept(work);
        } catch (RuntimeException | Error e) {
            replay.reset();
            end(work, new ReplicationException(Kind.UNKNOWN, null, "internal error: " + message(e), e), null);
            LOG.error("commands failed in a way that nobody foresaw", e);
        }
    }

    private void attempt(Work work) {
        forgetChanges(work);
        work.begin(clock.millis());
        if (work.known.isEmpty()) {
            work.topology = keys.topology();
        }
        byte[] replies;
        try {
            view.show(work);
            replies = replay.apply(view, work.commands, ++index, work.millis);
        } catch (IOException | RuntimeException | Error e) {
            replay.reset();
            LOG.error("commands failed in a way that nobody foresaw", e);
            end(work, new ReplicationException(Kind.REFUSED, null, "internal error: " + e.getMessage(), e), null);
            return;
        }
        if (!work.isWhole()) {
            if (!work.ownChanges.isEmpty()) {
                replay.reset(); // it remembers what it has not done
            }
            awaitOrFetch(work);
            return;
        }
        work.ownChanges.forEach((name, value) -> {
            if (value == null) {
                own.remove(name);
            } else {
                own.put(name, value);
            }
        });
        if (work.changes.isEmpty()) {
            end(work, null, replies);
        } else {
            write(work, replies);
        }
    }

    private void awaitOrFetch(Work work) {
        forgetChanges(work);
        Work blocker = work.blocker;
        if (blocker == null) {
            fetch(work);
            return;
        }
        // Who waits has no claims: so nobody waits for who waits.
        release(work);
        blocker.waiting.add(work);
    }

    private void fetch(Work work) {
        fetch(work, List.copyOf(work.missing), 0, FIRST_VALUES);
    }

    /** Reads values from a place on, so many at once as there is room for if they are not longer than those before. */
    private void fetch(Work work, List<ByteBuffer> missing, int from, int most) {
        long room = work.longest == 0 ? most : Math.max(1, budget.left() / work.longest);
        List<ByteBuffer> names =
                missing.subList(from, from + (int) Math.min(missing.size() - from, Math.min(most, room)));
        List<CompletableFuture<byte @Nullable []>> values = new ArrayList<>(names.size());
        for (ByteBuffer name : names) {
            CompletableFuture<byte @Nullable []> value;
            try {
                value = keys.get(bytes(name));
            } catch (RuntimeException | Error e) {
                value = CompletableFuture.failedFuture(e);
            }
            values.add(value);
        }
        whenAll(values, work, done -> {
            if (fetched(work, names, values)) {
                int next = from + names.size();
                if (next < missing.size()) {
                    fetch(work, missing, next, Math.min(most, missing.size()) * MORE_VALUES);
                } else {
                    ready.add(work);
                }
            }
        });
    }

    /** Takes note of values; returns false if the work has ended, since they cannot be had. */
    private boolean fetched(Work work, List<ByteBuffer> names, List<CompletableFuture<byte @Nullable []>> values) {
        boolean isRoom = true;
        for (int i = 0; i < names.size(); i++) {
            try {
                byte[] value = values.get(i).join();
                work.known.put(names.get(i), value);
                long length = value == null ? 0 : value.length;
                work.longest = Math.max(work.longest, length);
                isRoom = isRoom && budget.take(length);
                work.fetchedBytes += isRoom ? length : 0;
            } catch (RuntimeException e) {
                end(work, new ReplicationException(Kind.NO_QUORUM, null, message(e), e), null);
                return false;
            }
        }
        if (!isRoom) {
            String message = "the values that commands under way read exceed maxmemory-clients";
            end(work, new ReplicationException(Kind.BUSY, null, message, null), null);
        }
        return isRoom;
    }

    /** Does the next thing for a work in the runner's thread once all are done. */
    private void whenAll(List<? extends CompletableFuture<?>> all, Work work, Consumer<Work> next) {
        CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                .whenComplete((nothing, problem) -> tasks.add(() -> step(work, next)));
    }

    private void write(Work work, byte[] replies) {
        List<CompletableFuture<Boolean>> writes = new ArrayList<>(work.changes.size());
        work.changes.forEach((name, change) -> {
            try {
                CompletableFuture<Boolean> write = write(work, name, change);
                if (write != null) {
                    writes.add(write);
                }
            } catch (RuntimeException | Error e) {
                writes.add(CompletableFuture.failedFuture(e)); // the others are under way: their end is waited for
            }
        });
        whenAll(writes, work, done -> written(work, writes, replies));
    }

    private @Nullable CompletableFuture<Boolean> write(Work work, ByteBuffer name, Work.Change change) {
        byte[] key = bytes(name);
        byte[] stored = change.stored();
        byte[] before = work.known.get(name);
        if (stored == null) {
            if (!work.known.containsKey(name)) {
                return keys.remove(key); // it was set before, without a look
            }
            return before == null ? null : keys.remove(key, before);
        }
        byte[] value = CacheValue.of(stored, change.expiresAtMillis(), ++lastWrite);
        long lifespan = lifespan(work, change);
        return work.known.containsKey(name)
                ? keys.replace(key, before, value, lifespan)
                : keys.put(key, value, lifespan);
    }

    private static long lifespan(Work work, Work.Change change) {
        long expiry = change.expiresAtMillis();
        if (expiry == Entry.NEVER || expiry - work.millis > Long.MAX_VALUE / 4) {
            return FOREVER;
        }
        return Math.max(0, expiry - work.millis) + KEPT_MILLIS;
    }

    private void written(Work work, List<CompletableFuture<Boolean>> writes, byte[] replies) {
        Throwable problem = null;
        boolean hasChanged = false;
        for (CompletableFuture<Boolean> write : writes) {
            try {
                hasChanged |= !write.join();
            } catch (RuntimeException e) {
                problem = e;
            }
        }
        if (problem != null) {
            end(work, new ReplicationException(Kind.UNKNOWN, null, message(problem), problem), null);
        } else if (!hasChanged) {
            end(work, null, replies);
        } else if (writes.size() == 1 && work.topology == keys.topology()) {
            // Nothing was written. An entry whose time had come is gone, or another node was a moment ahead.
            if (++work.repeats > MAX_REPEATS) {
                String message = "the key changes again and again while it is written";
                end(work, new ReplicationException(Kind.BUSY, null, message, null), null);
                return;
            }
            forgetValues(work);
            ready.add(work);
        } else {
            String message = "the owners of a key changed while it was written";
            end(work, new ReplicationException(Kind.UNKNOWN, null, message, null), null);
        }
    }

    private static String message(Throwable problem) {
        Throwable cause = problem.getCause() == null ? problem : problem.getCause();
        return String.valueOf(cause.getMessage()).replace('\r', ' ').replace('\n', ' ');
    }

    private void end(Work work, @Nullable ReplicationException problem, byte @Nullable [] replies) {
        if (work.hasEnded) {
            return;
        }
        work.hasEnded = true;
        works.decrementAndGet();
        try {
            forgetChanges(work);
            release(work);
        } finally {
            if (problem == null) {
                work.replies.complete(replies);
            } else {
                work.replies.completeExceptionally(problem);
            }
        }
        if (isClosed) {
            tasks.add(() -> {}); // the thread may be about to end
        }
    }

    private void forgetValues(Work work) {
        work.known.clear();
        budget.give(work.fetchedBytes);
        work.fetchedBytes = 0;
    }

    private void forgetChanges(Work work) {
        work.changes.clear();
        budget.give(work.changedBytes);
        work.changedBytes = 0;
    }

    /** Gives up the claims of a work, and has who waits for them try. */
    private void release(Work work) {
        work.claimed.forEach(claims::remove);
        work.claimed.clear();
        forgetValues(work);
        Work next = work.waiting.peek();
        if (next != null) {
            ready.add(next);
            work.waiting.remove();
            // The others wait for it: most want the same key. Nobody waits for it yet, since it has had no claims.
            Deque<Work> others = work.waiting;
            work.waiting = next.waiting;
            next.waiting = others;
        }
    }

    private static byte[] bytes(ByteBuffer name) {
        byte[] key = new byte[name.remaining()];
        name.duplicate().get(key);
        return key;
    }

    /** Lets the commands under way end, and refuses others. */
    @Override
    public void close() {
        isClosed = true;
        tasks.add(() -> {});
        boolean wasInterrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                wasInterrupted = true;
            }
        }
        if (wasInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
