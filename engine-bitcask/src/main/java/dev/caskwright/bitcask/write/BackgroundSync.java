package dev.caskwright.bitcask.write;

import dev.caskwright.bitcask.background.Background;
import dev.caskwright.bitcask.background.BackgroundThreads;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicLong;

/**
 * Syncs in the background what was written below {@link dev.caskwright.api.Durability#SYNC}: after a number of bytes,
 * after a time, or never, which leaves it to the operating system. It bounds what a power loss can take.
 *
 * <p>Syncs by time run in a thread of the process. Those by bytes are handed to the user's executor, if there is one; what it
 * refuses goes to a thread of the process, too.
 */
public final class BackgroundSync {
    private final Store store;
    private final long everyBytes;
    private final long everyMillis;
    private final Background background;
    private final Background.Task byBytes;
    private final Background.Task byTime;
    private final AtomicLong unsynced = new AtomicLong();

    /** Zero means no bound, for bytes and for time. */
    public BackgroundSync(Store store, long everyBytes, Duration every, Background background) {
        this.store = store;
        this.everyBytes = everyBytes;
        this.everyMillis = every.toMillis();
        this.background = background;
        this.byBytes = background.vitalTask("a sync by bytes", BackgroundThreads.Work.SHORT, this::syncBytes);
        this.byTime = background.vitalTask("a sync by time", BackgroundThreads.Work.SHORT, this::sync);
    }

    public void start() {
        if (everyMillis > 0) {
            background.every(everyMillis, () -> background.executeOnProcess(byTime));
        }
    }

    /** Notes bytes that were written without a sync. */
    void written(long bytes) {
        if (everyBytes > 0 && unsynced.addAndGet(bytes) >= everyBytes) {
            byBytes.requestOften();
        }
    }

    private void syncBytes() throws IOException {
        unsynced.set(0);
        sync();
    }

    private void sync() throws IOException {
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
        store.sync(position);
    }
}
