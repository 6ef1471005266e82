package dev.caskwright.moss;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.LongAdder;
import java.util.concurrent.locks.LockSupport;

/*
 * Below three quarters of the limit a write costs nothing here. From there on each waits a little, more the fuller
 * memory is, so that the persister gets ahead before anybody has to stop. At the limit a write waits until there is
 * room or its deadline is over.
 */
/** Keeps what is not yet written within its limit, by making writers wait. */
final class Pressure {
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(1);

    private final Store store;
    private final long limit;
    private final long slowFrom;
    private final LongAdder slowed = new LongAdder();
    private final LongAdder stopped = new LongAdder();

    Pressure(Store store) {
        this.store = store;
        this.limit = store.settings.maxMemoryBytes();
        this.slowFrom = limit / 4 * 3;
    }

    /** Lets a write that finds memory nearly full wait a moment. Without the store's lock. */
    void slowDown(long bytes) {
        long used = store.dirtyBytes();
        if (used + bytes > slowFrom
                && used + bytes <= limit
                && store.stack().bottom.isPersistent()) {
            slowed.increment();
            LockSupport.parkNanos(LONGEST_PAUSE_NANOS * (used + bytes - slowFrom) / (limit - slowFrom));
        }
    }

    /**
     * Waits until there is room. Under the store's lock, so that no other write takes the room; it is given up while
     * this waits.
     *
     * @param isFreeing whether the write only deletes: then it may use an eighth more, so that a full store can be
     *     emptied
     * @param nanos how long to wait
     * @return how long may still be waited; the same if there was room at once
     */
    long awaitRoom(long bytes, boolean isFreeing, long nanos) throws IOException {
        if (bytes > limit) {
            throw new IllegalArgumentException("batch takes more memory than the store may use: bytes=" + bytes
                    + ", limit=" + limit + "; split it, or open the store with more maxMemoryBytes");
        }
        long most = isFreeing ? limit + limit / 8 : limit;
        if (store.dirtyBytes() + bytes <= most) {
            return nanos;
        }
        stopped.increment();
        long left = nanos;
        long merges = -1;
        try {
            while (store.dirtyBytes() + bytes > most) {
                store.ensureWritable();
                if (store.stack().bottom.isPersistent()) {
                    store.persister.want(store.version());
                } else if (merges < 0) {
                    merges = store.merger.wantAll();
                } else if (store.merger.done() >= merges) {
                    throw overloaded(bytes, "nothing more can be given back: delete keys, or");
                }
                if (left <= 0) {
                    throw overloaded(bytes, "the lower level is too slow" + store.persister.explain() + ":");
                }
                left = store.progress.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "interrupted while waiting for memory", e);
        }
        store.ensureWritable();
        return left;
    }

    private MossException overloaded(long bytes, String why) {
        return new MossException(
                MossException.Reason.OVERLOADED,
                "memory is full: used=" + store.dirtyBytes() + ", needed=" + bytes + ", limit=" + limit + "; " + why
                        + " open the store with more maxMemoryBytes",
                store.persister.cause());
    }

    /** Returns how many writes were slowed down. */
    long slowed() {
        return slowed.sum();
    }

    /** Returns how many writes had to wait for room. */
    long stopped() {
        return stopped.sum();
    }
}
