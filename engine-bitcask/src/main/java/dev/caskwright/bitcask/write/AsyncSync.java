package dev.caskwright.bitcask.write;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.spi.io.SharedSync;
import dev.caskwright.bitcask.background.Background;
import dev.caskwright.bitcask.events.SlowOperationEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/** Syncs for which no thread waits, and the version up to which the store is durable. */
public final class AsyncSync {
    private final Store store;
    private final Background background;
    private final SharedSync shared;
    private final AtomicLong durableVersion = new AtomicLong();

    public AsyncSync(Store store, Background background) {
        this.store = store;
        this.background = background;
        this.shared = new SharedSync(this::force, () -> background.executeOnProcess(this::serve));
    }

    public CompletableFuture<Long> request() {
        store.writeLock.lock();
        try {
            store.checkWritable();
        } catch (IOException e) {
            return CompletableFuture.failedFuture(e);
        } finally {
            store.writeLock.unlock();
        }
        return shared.request();
    }

    private void serve() {
        boolean wasEntered = background.enter();
        try {
            shared.serve();
        } finally {
            background.exit(wasEntered);
        }
    }

    /** Makes all that was written durable, in the calling thread; returns the version of the last write among that. */
    public long force() throws IOException {
        SlowOperationEvent slow = StoreEvents.operation();
        try {
            return forceNow();
        } finally {
            if (slow != null) {
                slow.end(store.name, "sync");
            }
        }
    }

    private long forceNow() throws IOException {
        long position;
        long version;
        store.writeLock.lock();
        try {
            store.checkWritable();
            position = store.log.position();
            version = store.lastVersion();
        } finally {
            store.writeLock.unlock();
        }
        store.sync(position);
        return durableVersion.accumulateAndGet(version, Math::max);
    }

    /** Also notices what writers at SYNC have made durable, once nothing was written after that. */
    public long durableVersion() {
        store.writeLock.lock();
        try {
            if (store.log.durablePosition() >= store.log.position()) {
                return durableVersion.accumulateAndGet(store.lastVersion(), Math::max);
            }
        } finally {
            store.writeLock.unlock();
        }
        return durableVersion.get();
    }

    /** Lets no more in; returns those who wait, for {@link #closed}. Before the store is marked closed. */
    public List<CompletableFuture<Long>> close() {
        return shared.close();
    }

    /** Ends the futures of those who waited when the store began to close. */
    public void closed(List<CompletableFuture<Long>> left, @Nullable Throwable failure) {
        long version = durableVersion.updateAndGet(before -> failure == null ? store.lastVersion() : before);
        Throwable told = failure == null ? null : new EngineClosedException("closed before the sync: " + failure);
        if (told != null && failure != null) {
            told.addSuppressed(failure);
        }
        SharedSync.complete(left, version, told);
    }
}
