package dev.caskwright.bitcask;

import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.Executor;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * Syncs in the background what was written below {@link dev.caskwright.api.Durability#SYNC}: after a number of bytes,
 * after a time, or never, which leaves it to the operating system. It bounds what a power loss can take.
 */
final class BackgroundSync {
    private final Store store;
    private final long everyBytes;
    private final long everyMillis;
    private final Executor executor;
    private final AtomicLong unsynced = new AtomicLong();
    private final AtomicBoolean scheduled = new AtomicBoolean();
    private volatile @Nullable Thread timer;

    /** Zero means no bound, for bytes and for time. */
    BackgroundSync(Store store, long everyBytes, Duration every, Executor executor) {
        this.store = store;
        this.everyBytes = everyBytes;
        this.everyMillis = every.toMillis();
        this.executor = executor;
    }

    void start() {
        if (everyMillis > 0) {
            Thread thread = new Thread(this::syncPeriodically, "caskwright-sync");
            thread.setDaemon(true);
            timer = thread;
            thread.start();
        }
    }

    void stop() {
        Thread thread = timer;
        if (thread != null) {
            thread.interrupt();
        }
    }

    /** Notes bytes that were written without a sync. */
    void written(long bytes) {
        if (everyBytes > 0 && unsynced.addAndGet(bytes) >= everyBytes && scheduled.compareAndSet(false, true)) {
            executor.execute(() -> {
                scheduled.set(false);
                unsynced.set(0);
                sync();
            });
        }
    }

    private void syncPeriodically() {
        try {
            while (!store.isClosed()) {
                Thread.sleep(everyMillis);
                sync();
            }
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt(); // stop() ends the thread this way
        }
    }

    private void sync() {
        long position;
        store.writeLock.lock();
        try {
            if (store.isClosed() || store.failure() != null) {
                return;
            }
            position = store.log.position();
        } finally {
            store.writeLock.unlock();
        }
        try {
            store.sync(position);
        } catch (IOException e) {
            store.fail(e);
        }
    }
}
