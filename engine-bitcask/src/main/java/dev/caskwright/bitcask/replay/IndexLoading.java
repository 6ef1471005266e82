package dev.caskwright.bitcask.replay;

import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.log.LogImages;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.bitcask.background.Background;
import java.io.Closeable;
import java.io.IOException;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Loads the index from its image while the store is opened, and in the background what the index has left for later.
 *
 * <p>What is not loaded is loaded by the call that needs it: a lookup loads a part. Whoever changes the index for good, a
 * writer or a merge, first loads all, before anything is written; so what is after the image cannot change while a
 * damaged part of it is replayed from the log. The order of threads does not matter, and the background thread is no more
 * than a help.
 */
public final class IndexLoading implements Closeable {
    private final RecordLogOpening opening;
    private final @Nullable PersistentKeyIndex index;
    private final int threads;
    private final long mostBytesLater;
    private final ReentrantLock running = new ReentrantLock();
    private volatile boolean cancelled;
    /** Whether entries are kept for parts that are not loaded: till then they are not counted. */
    private volatile boolean isTailLeft;

    /**
     * @param threads how many read the log after the image, or replay what an image turns out not to have
     * @param mostBytesLater how much of the heap the entries after the image may take until they are put
     */
    public IndexLoading(RecordLogOpening opening, KeyIndex index, boolean wanted, int threads, long mostBytesLater) {
        this.opening = opening;
        this.index = wanted && index instanceof PersistentKeyIndex persistent ? persistent : null;
        this.threads = threads;
        this.mostBytesLater = mostBytesLater;
    }

    /** Begins to load the image, if there is one; returns whether there is. If not, the index is empty. */
    public boolean begin() throws IOException {
        PersistentKeyIndex loaded = index;
        return loaded != null && opening.loadImage(loaded, this::refill);
    }

    /**
     * Brings the index up to the end of the log, or what is left of its image when that is loaded; returns how many entries
     * of the log were read.
     */
    public long replay(KeyIndex whole, boolean isImageLoaded) throws IOException {
        PersistentKeyIndex loaded = index;
        LogImages images = opening.log().images();
        // Behind an image that covers the whole log there is nothing to start threads for.
        boolean isBehind = !isImageLoaded || images == null || images.bytesWithout() > 0;
        if (isBehind && loaded != null && loaded.partsLeft() > 0) {
            ReplayLater later = new ReplayLater(opening.log(), loaded, mostBytesLater);
            if (new Replay(opening, whole).collect(later, threads)) {
                loaded.completeParts(later);
                isTailLeft = true;
                return later.entries();
            }
            logger().info("too much of the log is behind the image to be kept on the heap, replaying it at once");
        }
        return new Replay(opening, whole).run(isBehind ? threads : 1, isImageLoaded);
    }

    /** Loads what is left in the background. When the opening is over: the log may be read then, until it is closed. */
    public void goOn(Consumer<Background.Body> background) {
        PersistentKeyIndex loaded = index;
        if (loaded != null && loaded.partsLeft() > 0) {
            background.accept(() -> loadRest(loaded));
        }
    }

    /**
     * Makes sure that every record is counted, as live or dead and as a key; returns whether that was possible. Loads the
     * whole index if the store was opened before its image was loaded.
     */
    public boolean settle() {
        PersistentKeyIndex loaded = index;
        if (isTailLeft && loaded != null) {
            isTailLeft = !loadParts(loaded);
        }
        return !isTailLeft;
    }

    /** Loads what is left; returns whether all is loaded. */
    private boolean loadParts(PersistentKeyIndex loaded) {
        try {
            while (!cancelled && loaded.loadMore()) {
                // Each call loads a part.
            }
            return !cancelled;
        } catch (IOException e) {
            // Whoever needs the part tries again, and gets the error.
            logger().warn("the key index could not be loaded: {}", e.toString());
            return false;
        }
    }

    private void refill(KeyIndex part, KeyFilter isWanted, IOException cause) throws IOException {
        logger().info("a part of the image of the key index is damaged, reading hint files: {}", cause.toString());
        new Replay(opening, part, isWanted).runAsImaged(threads);
    }

    private void loadRest(PersistentKeyIndex loaded) {
        running.lock();
        try {
            loadParts(loaded);
        } finally {
            running.unlock();
        }
    }

    /** Makes the loading in the background end soon, and not start again. */
    public void cancel() {
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

    private static Logger logger() {
        return LoggerFactory.getLogger(IndexLoading.class);
    }
}
