package dev.caskwright.bitcask;

import dev.caskwright.api.spi.KeyFilter;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.PersistentKeyIndex;
import dev.caskwright.api.spi.RecordLogOpening;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the index from its image while the store is opened, and in the background what the index has left for later.
 *
 * <p>What is not loaded is loaded by the call that needs it: a lookup loads a part. Whoever changes the index for good, a
 * writer or a merge, first loads all, before anything is written; so what is behind the image cannot change while a
 * damaged part of it is replayed from the log. The order of threads does not matter, and the background thread is no more
 * than a help.
 */
final class IndexLoading {
    private static final Logger LOG = LoggerFactory.getLogger(IndexLoading.class);

    private final RecordLogOpening opening;
    private final @Nullable PersistentKeyIndex index;
    private final int threads;
    private final ReentrantLock running = new ReentrantLock();
    private volatile boolean cancelled;

    /**
     * @param threads how many replay what an image turns out not to have
     */
    IndexLoading(RecordLogOpening opening, KeyIndex index, boolean wanted, int threads) {
        this.opening = opening;
        this.index = wanted && index instanceof PersistentKeyIndex persistent ? persistent : null;
        this.threads = threads;
    }

    /** Begins to load the image, if there is one; returns whether there is. If not, the index is empty. */
    boolean begin() throws IOException {
        return index != null && opening.loadImage(index, this::refill);
    }

    private void refill(KeyIndex part, KeyFilter isWanted, IOException cause) throws IOException {
        LOG.info("a part of the image of the key index is damaged, reading hint files: {}", cause.toString());
        new Replay(opening, part, isWanted).runAsImaged(threads);
    }

    /** Loads the rest in the background. */
    void goOn(Store store, Executor executor) {
        if (index != null) {
            executor.execute(() -> loadRest(store, index));
        }
    }

    private void loadRest(Store store, PersistentKeyIndex loaded) {
        running.lock();
        try {
            while (!cancelled && loaded.loadMore()) {
                // Each call loads a part.
            }
        } catch (IOException e) {
            // Whoever needs the part tries again, and gets the error.
            LOG.warn("the key index could not be loaded: {}", e.toString());
        } catch (RuntimeException | Error e) {
            store.fail(e);
        } finally {
            running.unlock();
        }
    }

    /** Makes the loading in the background end soon, and not start again. */
    void cancel() {
        cancelled = true;
    }

    /** Waits until nothing is loaded in the background. After {@link #cancel} nothing will be. */
    @SuppressWarnings("LockNotBeforeTry") // nothing is done under the lock: having had it is the point
    void awaitEnd() {
        running.lock();
        running.unlock();
    }
}
