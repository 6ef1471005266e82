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

    /**
     * Waits until there is room.
     *
     * @param isFreeing whether the write only deletes: then it may use an eighth more, so that a full store can be
     *     emptied
     */
    void admit(long bytes, boolean isFreeing) throws IOException {
        if (bytes > limit) {
            throw new IllegalArgumentException("batch takes more memory than the store may use: bytes=" + bytes
                    + ", limit=" + limit + "; split it, or open the store with more maxMemoryBytes");
        }
        long used = store.dirtyBytes();
        if (used + bytes <= slowFrom) {
            return;
        }
        long most = isFreeing ? limit + limit / 8 : limit;
        if (used + bytes > most) {
            stopped.increment();
            awaitRoom(bytes, most);
        } else if (store.stack().bottom.isPersistent()) {
            slowed.increment();
            LockSupport.parkNanos(LONGEST_PAUSE_NANOS * (used - slowFrom) / (limit - slowFrom));
        }
    }

    private void awaitRoom(long bytes, long most) throws IOException {
        long left = TimeUnit.MILLISECONDS.toNanos(store.settings.writeDeadlineMillis());
        store.lock.lock();
        try {
            long merges = -1;
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
        } finally {
            store.lock.unlock();
        }
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
