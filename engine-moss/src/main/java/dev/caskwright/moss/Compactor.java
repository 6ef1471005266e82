package dev.caskwright.moss;

import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.Retry;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.TimeUnit;

/**
 * Joins the store's files, beside writes, reads and the persister: these wait for it no longer than it takes to write a
 * manifest. It stops within a thousand entries when the store closes.
 */
final class Compactor {
    private final Store store;
    private final FileStore files;
    private final Object turn = new Object(); // held by the one compaction that runs
    private final Background background;
    private volatile boolean hasEnded;
    private volatile long compactions;

    Compactor(Store store, FileStore files) {
        this.store = store;
        this.files = files;
        this.background =
                new Background(store, "compact", () -> store.isClosed() || store.failure() != null, new Work());
    }

    /** Compacts as there is need until the store is closed, or has failed. */
    void run() {
        background.run();
    }

    private final class Work implements Background.Work {
        private long before; // how often was written below before the last step

        @Override
        public boolean step() throws IOException {
            before = persists();
            forgetOldCheckpoints();
            return Compactor.this.step(false);
        }

        @Override
        public void await() throws InterruptedException {
            awaitNeed(before);
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
    private void awaitNeed(long before) throws InterruptedException {
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
            hasEnded |= store.isClosed();
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
        Retry present = hasEnded ? null : background.trouble();
        return present == null ? List.of() : List.of(present);
    }

    long compactions() {
        return compactions;
    }
}
