package dev.caskwright.bitcask.merge;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.log.ImageOutput;
import dev.caskwright.api.spi.log.LogImages;
import dev.caskwright.bitcask.background.Background;
import dev.caskwright.bitcask.background.BackgroundThreads;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Saves images of the key index, from which the next opening fills it: when the store is closed, and in the background
 * when so much was written that replaying it would take long.
 *
 * <p>Readers and writers go on while an image is saved. The write lock is taken twice, to note where the log ends: before
 * the index is saved and after. No merge is committed meanwhile, since that moves records behind the index's back.
 *
 * <p>An image is a cache. If it cannot be saved, nothing is lost but time, and the store goes on.
 */
public final class Checkpoints {
    /** Says that the store is being closed. */
    private static final class CancelledException extends IOException {
        private static final long serialVersionUID = 1L;
    }

    private final Store store;
    private final @Nullable PersistentKeyIndex index;
    private final @Nullable LogImages images; // null if none are saved
    private final Merger merger;
    private final long everyBytes;
    private final Background.Task saving;
    private final ReentrantLock running = new ReentrantLock();
    private final AtomicLong saved = new AtomicLong();
    private volatile long workAtLast;
    private volatile boolean cancelled;

    /**
     * Saves nothing if {@code everyBytes} is 0, the store is read-only, or the index has no images.
     *
     * @param isImageLoaded whether there is an image now
     */
    public Checkpoints(Store store, Merger merger, long everyBytes, Background background, boolean isImageLoaded) {
        this.store = store;
        this.merger = merger;
        this.everyBytes = everyBytes;
        this.saving = background.task(
                "saving an image of the key index", BackgroundThreads.Work.LONG, this::saveInBackground);
        this.index = indexWithImages(store.index, everyBytes > 0 && !store.isReadOnly());
        this.images = index == null ? null : store.log.images();
        this.workAtLast = isImageLoaded ? 0 : Long.MIN_VALUE / 2;
    }

    private static @Nullable PersistentKeyIndex indexWithImages(KeyIndex index, boolean wanted) {
        return wanted && index instanceof PersistentKeyIndex persistent ? persistent : null;
    }

    /** Returns how many images were saved. */
    public long saved() {
        return saved.get();
    }

    /** Has an image saved in the background if it is time: called when files were sealed or merged. */
    public void request() {
        if (isLagging()) {
            saving.request();
        }
    }

    private boolean isLagging() {
        return images != null && !store.isClosed() && images.bytesWithout() >= everyBytes;
    }

    /**
     * Returns whether an image is worth its writing: it spares a long replay, and has hardly more bytes than were written
     * since the last one. While {@link #running} is held: closing waits for that before it closes the index.
     */
    private boolean isDue() {
        PersistentKeyIndex source = index;
        return isLagging() && source != null && work() - workAtLast >= source.memoryBytes();
    }

    private long work() {
        return store.log.writtenBytes() + merger.mergedBytes();
    }

    /** A failure has changed nothing, or the store has failed. */
    private void saveInBackground() throws IOException {
        // A merge that is being committed asks again when it is done, and so would whoever saves now.
        if (!running.tryLock()) {
            return;
        }
        try {
            if (store.committing.tryLock()) {
                try {
                    if (!cancelled && store.failure() == null && isDue()) {
                        save(false);
                    }
                } finally {
                    store.committing.unlock();
                }
            }
        } catch (CancelledException e) {
            logger().debug("an image of the key index was not finished before the store was closed");
        } catch (OutOfSpaceException e) {
            warn(e); // when more was written or merged it is asked for again, and there may be room
        } finally {
            running.unlock();
        }
    }

    /** Makes an image that is being saved in the background end soon, and later ones not start. */
    public void cancel() {
        cancelled = true;
    }

    /** Waits until no image is being saved. After {@link #cancel} none will, but for the last. */
    @SuppressWarnings("LockNotBeforeTry") // nothing is done under the lock: having had it is the point
    public void awaitEnd() {
        running.lock();
        running.unlock();
    }

    /**
     * Saves the last image while the store is closed. No other call is under way.
     *
     * @throws IOException if the log could not be made durable; the failure is noted
     */
    public void saveLast() throws IOException {
        try {
            save(true);
        } catch (IOException | RuntimeException | Error e) {
            if (store.failure() != null) {
                throw e;
            }
            warn(e);
        }
    }

    private static void warn(Throwable e) {
        if (e instanceof OutOfSpaceException) {
            logger().warn("no space for an image of the key index, opening will take longer: {}", e.getMessage());
        } else {
            logger().warn("an image of the key index could not be saved, opening will take longer: {}", e.toString());
        }
    }

    private void save(boolean isLast) throws IOException {
        PersistentKeyIndex source = index;
        LogImages kept = images;
        if (source == null || kept == null) {
            return;
        }
        ImageOutput begun;
        store.writeLock.lock();
        try {
            begun = kept.begin(source.imageFormat());
        } finally {
            store.writeLock.unlock();
        }
        if (begun == null) {
            return;
        }
        try (ImageOutput output = begun) {
            long work = work();
            source.save((bytes, offset, length) -> {
                if (cancelled && !isLast) {
                    throw new CancelledException();
                }
                output.write(bytes, offset, length);
            });
            store.sync(end(output));
            output.commit();
            workAtLast = work;
            saved.incrementAndGet();
        }
    }

    private long end(ImageOutput output) throws EngineException {
        store.writeLock.lock();
        try {
            Throwable failure = store.failure();
            if (failure != null) {
                // The log may have a record that the index does not know.
                throw Store.refused(failure);
            }
            output.end(store.listedFiles());
            return store.log.position();
        } finally {
            store.writeLock.unlock();
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(Checkpoints.class);
    }
}
