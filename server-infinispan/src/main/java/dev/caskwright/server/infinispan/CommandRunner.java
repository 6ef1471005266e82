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

    private final Keys keys;
    private final InstantSource clock;
    private final Replay replay;
    private final long maxFetchedBytes;
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
    private long fetchedBytes;
    private final Deque<Work> ready = new ArrayDeque<>();

    /**
     * Makes a runner, which must be started.
     *
     * @param own where the server's own records are, which the server reads, too
     * @param maxFetchedBytes how much of values may be read by commands under way
     */
    CommandRunner(Keys keys, InstantSource clock, Replay replay, Map<ByteBuffer, byte[]> own, long maxFetchedBytes) {
        this.keys = keys;
        this.clock = clock;
        this.replay = replay;
        this.own = own;
        this.maxFetchedBytes = maxFetchedBytes;
        view = new CacheView(claims, own);
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
        Work work = new Work(commands);
        tasks.add(() -> attempt(work));
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
                    attempt(next);
                }
            } catch (InterruptedException e) {
                LOG.debug("nobody interrupts this thread", e);
            } catch (RuntimeException e) {
                LOG.error("commands failed in a way that nobody foresaw, and get no reply", e);
            }
        }
    }

    private void attempt(Work work) {
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
        List<CompletableFuture<byte @Nullable []>> values = new ArrayList<>(work.missing.size());
        for (ByteBuffer name : work.missing) {
            CompletableFuture<byte @Nullable []> value;
            try {
                value = keys.get(bytes(name));
            } catch (RuntimeException e) {
                value = CompletableFuture.failedFuture(e);
            }
            values.add(value);
        }
        List<ByteBuffer> names = List.copyOf(work.missing);
        whenAll(values, () -> fetched(work, names, values));
    }

    private void fetched(Work work, List<ByteBuffer> names, List<CompletableFuture<byte @Nullable []>> values) {
        for (int i = 0; i < names.size(); i++) {
            try {
                byte[] value = values.get(i).join();
                work.known.put(names.get(i), value);
                long length = value == null ? 0 : value.length;
                work.fetchedBytes += length;
                fetchedBytes += length;
            } catch (RuntimeException e) {
                end(work, new ReplicationException(Kind.NO_QUORUM, null, message(e), e), null);
                return;
            }
        }
        if (fetchedBytes > maxFetchedBytes) {
            String message = "the values that commands under way read exceed maxmemory-clients";
            end(work, new ReplicationException(Kind.BUSY, null, message, null), null);
            return;
        }
        ready.add(work);
    }

    /** Runs a task in the runner's thread once all are done. */
    private void whenAll(List<? extends CompletableFuture<?>> all, Runnable task) {
        CompletableFuture.allOf(all.toArray(CompletableFuture[]::new))
                .whenComplete((nothing, problem) -> tasks.add(task));
    }

    private void write(Work work, byte[] replies) {
        List<CompletableFuture<Boolean>> writes = new ArrayList<>(work.changes.size());
        work.changes.forEach((name, change) -> {
            try {
                CompletableFuture<Boolean> write = write(work, name, change);
                if (write != null) {
                    writes.add(write);
                }
            } catch (RuntimeException e) {
                writes.add(CompletableFuture.failedFuture(e));
            }
        });
        whenAll(writes, () -> written(work, writes, replies));
    }

    private @Nullable CompletableFuture<Boolean> write(Work work, ByteBuffer name, Work.Change change) {
        byte[] key = bytes(name);
        byte[] stored = change.stored();
        byte[] before = work.known.get(name);
        if (stored == null) {
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
            work.known.clear();
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
        release(work);
        works.decrementAndGet();
        if (problem == null) {
            work.replies.complete(replies);
        } else {
            work.replies.completeExceptionally(problem);
        }
        if (isClosed) {
            tasks.add(() -> {}); // the thread may be about to end
        }
    }

    /** Gives up the claims of a work, and has who waits for them try. */
    private void release(Work work) {
        work.claimed.forEach(claims::remove);
        work.claimed.clear();
        work.known.clear();
        fetchedBytes -= work.fetchedBytes;
        work.fetchedBytes = 0;
        Work next = work.waiting.poll();
        if (next != null) {
            // The others wait for it: most want the same key.
            next.waiting.addAll(work.waiting);
            work.waiting.clear();
            ready.add(next);
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
