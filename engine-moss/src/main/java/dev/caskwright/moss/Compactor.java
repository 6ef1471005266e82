package dev.caskwright.moss;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Retry;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Joins the store's files, beside writes, reads and the persister: these wait for it no longer than it takes to write a
 * manifest. It stops within a thousand entries when the store closes.
 */
final class Compactor {
    private static final long FIRST_PAUSE_MILLIS = 10;
    private static final long LONGEST_PAUSE_MILLIS = 5_000;

    private final Store store;
    private final FileStore files;
    private final Object turn = new Object(); // held by the one compaction that runs
    private volatile @Nullable Retry trouble;
    private volatile long compactions;

    Compactor(Store store, FileStore files) {
        this.store = store;
        this.files = files;
    }

    /** Compacts as there is need until the store is closed. */
    void run() {
        long pause = FIRST_PAUSE_MILLIS;
        long failingSince = 0;
        int failures = 0;
        while (!store.isClosed() && store.failure() == null) {
            try {
                long before = persists();
                forgetOldCheckpoints();
                if (!step(false)) {
                    await(before);
                }
                trouble = null;
                failures = 0;
                pause = FIRST_PAUSE_MILLIS;
            } catch (EngineClosedException e) {
                return;
            } catch (Throwable e) {
                if (store.isClosed()) {
                    return; // a cancelled compaction, above all
                }
                // Nothing has changed: what was written is listed nowhere.
                failingSince = failures == 0 ? System.nanoTime() : failingSince;
                failures++;
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - failingSince);
                trouble = new Retry("compact", millis, failures, e);
                pause(pause);
                pause = Math.min(LONGEST_PAUSE_MILLIS, 2 * pause);
            }
        }
    }

    private long persists() {
        store.lock.lock();
        try {
            return store.persister.persists();
        } finally {
            store.lock.unlock();
        }
    }

    /** Returns when more was written below than before, or a checkpoint may be too old. */
    private void await(long before) throws InterruptedException {
        long millis = files.millisToForget(); // not under the lock, which nobody may hold while a manifest is written
        long left = TimeUnit.MILLISECONDS.toNanos(millis);
        store.lock.lock();
        try {
            while (!store.isClosed() && store.failure() == null && store.persister.persists() == before) {
                if (millis < 0) {
                    store.progress.await();
                } else if (left <= 0) {
                    return;
                } else {
                    left = store.progress.awaitNanos(left);
                }
            }
        } finally {
            store.lock.unlock();
        }
    }

    private void pause(long millis) {
        store.lock.lock();
        try {
            long left = TimeUnit.MILLISECONDS.toNanos(millis);
            while (left > 0 && !store.isClosed()) {
                left = store.progress.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            // The pause is over, and the flag stays down: else no later one would last.
            return;
        } finally {
            store.lock.unlock();
        }
    }

    private void forgetOldCheckpoints() throws IOException {
        if (files.millisToForget() != 0) {
            return;
        }
        store.below.lock();
        try {
            store.persister.settle();
            files.forgetOldCheckpoints();
        } catch (EngineFailedException e) {
            store.fail(e);
            throw e;
        } finally {
            store.below.unlock();
        }
    }

    /** Joins files once; returns whether there was need. */
    boolean step(boolean isForAll) throws IOException {
        synchronized (turn) {
            store.ensureOpen();
            FileStore.Joined joined = files.join(isForAll, store::isClosed);
            if (joined == null) {
                return false;
            }
            install(joined);
            compactions++;
            return true;
        }
    }

    /** Returns when no compaction is under way; after the store was marked closed, none comes. */
    void awaitEnd() {
        synchronized (turn) {
            if (store.isClosed()) {
                trouble = null;
            }
        }
    }

    private void install(FileStore.Joined joined) throws IOException {
        Bottom before;
        store.below.lock();
        try {
            try {
                store.persister.settle(); // or the new bottom would show what the stack has above it, too
            } catch (Throwable e) {
                FileStore.discard(joined);
                throw e;
            }
            FilesBottom next;
            try {
                next = files.replace(joined);
            } catch (EngineFailedException e) {
                store.fail(e);
                throw e;
            }
            before = putBelow(next);
        } finally {
            store.below.unlock();
        }
        before.release();
    }

    /**
     * Puts another bottom with the same content below the stack, and returns the one before. If this fails, the one
     * before serves until the next change below.
     */
    private Bottom putBelow(Bottom next) {
        try {
            store.lock.lock();
            try {
                Bottom before = store.stack().bottom;
                store.become(store.stack().over(next));
                return before;
            } finally {
                store.lock.unlock();
            }
        } catch (Throwable e) {
            next.release();
            throw e;
        }
    }

    /** Returns what is being tried again. */
    List<Retry> retries() {
        Retry present = trouble;
        return present == null ? List.of() : List.of(present);
    }

    long compactions() {
        return compactions;
    }
}
