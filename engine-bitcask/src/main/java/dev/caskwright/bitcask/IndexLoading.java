package dev.caskwright.bitcask;

import dev.caskwright.api.spi.KeyFilter;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.PersistentKeyIndex;
import dev.caskwright.api.spi.RecordLogOpening;
import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
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
final class IndexLoading implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(IndexLoading.class);

    private final RecordLogOpening opening;
    private final @Nullable PersistentKeyIndex index;
    private final int threads;
    private final Consumer<Throwable> onFailure;
    private final ReentrantLock running = new ReentrantLock();
    private volatile boolean cancelled;

    /**
     * @param threads how many replay what an image turns out not to have
     * @param onFailure is told of failures in the background that are no {@link IOException}
     */
    IndexLoading(RecordLogOpening opening, KeyIndex index, boolean wanted, int threads, Consumer<Throwable> onFailure) {
        this.opening = opening;
        this.index = wanted && index instanceof PersistentKeyIndex persistent ? persistent : null;
        this.threads = threads;
        this.onFailure = onFailure;
    }

    /**
     * Begins to load the image, if there is one, and goes on in the background; returns whether there is. If not, the index
     * is empty.
     */
    boolean begin(Executor executor) throws IOException {
        PersistentKeyIndex loaded = index;
        if (loaded == null || !opening.loadImage(loaded, this::refill)) {
            return false;
        }
        executor.execute(() -> loadRest(loaded));
        return true;
    }

    private void refill(KeyIndex part, KeyFilter isWanted, IOException cause) throws IOException {
        LOG.info("a part of the image of the key index is damaged, reading hint files: {}", cause.toString());
        new Replay(opening, part, isWanted).runAsImaged(threads);
    }

    private void loadRest(PersistentKeyIndex loaded) {
        running.lock();
        try {
            while (!cancelled && loaded.loadMore()) {
                // Each call loads a part.
            }
        } catch (IOException e) {
            // Whoever needs the part tries again, and gets the error.
            LOG.warn("the key index could not be loaded: {}", e.toString());
        } catch (RuntimeException | Error e) {
            onFailure.accept(e);
        } finally {
            running.unlock();
        }
    }

    /** Makes the loading in the background end soon, and not start again. */
    void cancel() {
        cancelled = true;
    }

    /** Ends the loading in the background, before the index is closed. */
    @Override
    @SuppressWarnings("LockNotBeforeTry") // nothing is done under the lock: having had it is the point
    public void close() {
        cancel();
        running.lock();
        running.unlock();
    }
}
