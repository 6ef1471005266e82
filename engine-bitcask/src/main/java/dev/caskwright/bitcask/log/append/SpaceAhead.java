package dev.caskwright.bitcask.log.append;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import java.io.IOException;
import java.util.concurrent.Executor;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Consumer;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Has zeros written ahead of writers who force. A force over space that was written before has no new length to record
 * and no blocks to find, which halves what it costs; and to find room for a page costs more than to fill it. Another thread
 * does both, further ahead the longer such writers go on.
 *
 * <p>How far ahead is in proportion to what was written, from a few pages on, and doubles up to some megabytes. This class
 * says only how much is wanted. Where zeros may come, which is never over what a writer wrote or tried to, is the file's
 * affair alone ({@link WritableFile#reserve}).
 *
 * <p>What is not private is called under the engine's write lock.
 */
public final class SpaceAhead {
    private static final long PIECE = 1 << 20;
    private static final long LONGEST_STEP = 16 * PIECE;
    private static final long SHORTEST_STEP = 16 << 10;
    private static final int FORCED_WRITES_BEFORE = 4;

    private final Executor executor;
    private final GroupCommit commit;
    private final long maxLength;
    private final Consumer<Throwable> onFailure;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition pieceEnded = lock.newCondition();

    @GuardedBy("lock") private @Nullable DataFile file;

    @GuardedBy("lock") private long ready;

    @GuardedBy("lock") private boolean isZeroing;

    @GuardedBy("lock") private boolean isRunning;

    @GuardedBy("lock") private int forcedWrites;

    private volatile long asked; // these change under the lock with the write lock held, too
    private long step;
    private long writtenBefore;

    /**
     * @param maxLength how long a file becomes at most, in bytes, by zeros
     * @param onFailure learns of any failure but a full disk
     */
    public SpaceAhead(Executor executor, GroupCommit commit, long maxLength, Consumer<Throwable> onFailure) {
        this.executor = executor;
        this.commit = commit;
        this.maxLength = maxLength;
        this.onFailure = onFailure;
    }

    /** Called when the active file was written to. */
    public void afterWrite(DataFile active, boolean willForce) {
        long end = active.length();
        if (willForce && end + step / 2 >= asked && end < maxLength) {
            ask(active, end);
        }
    }

    private void ask(DataFile active, long end) {
        lock.lock();
        try {
            if (forcedWrites < FORCED_WRITES_BEFORE) {
                forcedWrites++;
                return;
            }
            if (file == null) {
                file = active;
            }
            ready = Math.max(ready, end);
            long written = Math.max(SHORTEST_STEP, Math.min(PIECE, writtenBefore + end));
            step = Math.min(LONGEST_STEP, Math.max(written, 2 * step));
            asked = Math.min(maxLength, Math.max(asked, end) + step);
            if (isRunning) {
                return;
            }
            isRunning = true;
        } finally {
            lock.unlock();
        }
        try {
            executor.execute(this::zero);
        } catch (RuntimeException | Error e) {
            // The record is written: that no space can be held ready is not its writer's trouble.
            stop();
            logger().debug("no space is held ready for synced writes, the executor refuses: {}", e.toString());
        }
    }

    private void stop() {
        lock.lock();
        try {
            isRunning = false;
            forcedWrites = 0; // some writes later it is tried again
        } finally {
            lock.unlock();
        }
    }

    /** Called before the active file gets its last bytes. Nothing is zeroed in it any more when this returns. */
    public void leave() {
        lock.lock();
        try {
            asked = 0; // no further piece is begun
            while (isZeroing) {
                pieceEnded.awaitUninterruptibly();
            }
            DataFile left = file;
            if (left != null) {
                writtenBefore += left.length();
            }
            file = null;
            ready = 0;
            asked = 0;
            step = 0;
        } finally {
            lock.unlock();
        }
    }

    /** In the other thread. */
    private void zero() {
        try {
            boolean isAnyReady = false;
            while (zeroPiece()) {
                isAnyReady = true;
            }
            if (isAnyReady) {
                commit.force();
            }
        } catch (OutOfSpaceException e) {
            logger().debug("no space to hold ready for synced writes: {}", e.getMessage());
        } catch (EngineException e) {
            if (e.outcome() != Outcome.APPLIED) {
                onFailure.accept(e);
                return;
            }
            // Nothing was forced, for want of descriptors perhaps, and so nothing is in doubt: the next force comes to
            // it.
            logger().debug("space held ready for synced writes was not forced: {}", e.getMessage());
        } catch (IOException | RuntimeException | Error e) {
            onFailure.accept(e);
        }
    }

    private boolean zeroPiece() throws IOException {
        WritableFile target;
        long end;
        lock.lock();
        try {
            DataFile active = file;
            if (active == null || ready >= asked) {
                isRunning = false;
                return false;
            }
            target = active.writable();
            end = Math.min(asked, ready + PIECE);
            isZeroing = true;
        } finally {
            lock.unlock();
        }
        boolean isReady = false;
        try {
            target.reserve(end);
            isReady = true;
        } finally {
            endPiece(end, isReady);
        }
        return true;
    }

    private void endPiece(long end, boolean isReady) {
        lock.lock();
        try {
            isZeroing = false;
            if (isReady) {
                ready = Math.max(ready, end); // a writer may have come further meanwhile
            } else {
                // A record by itself may fit. Some writes later it is tried again, when there may be more room.
                asked = ready;
                isRunning = false;
                forcedWrites = 0;
            }
            pieceEnded.signalAll();
        } finally {
            lock.unlock();
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(SpaceAhead.class);
    }
}
