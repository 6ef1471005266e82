package dev.caskwright.bitcask.log;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.WritableFile;
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
 * <pre>
 * | records |      zeros       | to be zeroed |
 *           ^ end of the file  ^ ready        ^ asked
 * </pre>
 *
 * <p>Zeros must never come over records. So whoever writes behind what is ready waits for the piece that is being zeroed,
 * if one is, and has no further one begun: the next writer asks anew.
 *
 * <p>What is not private is called under the engine's write lock.
 */
final class SpaceAhead {
    private static final long PIECE = 1 << 20;
    private static final long LONGEST_STEP = 16 * PIECE;
    private static final int FORCED_WRITES_BEFORE = 4;

    private final Executor executor;
    private final GroupCommit commit;
    private final long maxLength;
    private final Consumer<Throwable> onFailure;

    private final ReentrantLock lock = new ReentrantLock();
    private final Condition pieceEnded = lock.newCondition();
    private @Nullable DataFile file; // these change under the lock; the first two only if the write lock is held, too
    private long step;
    private volatile long ready;
    private volatile long asked;
    private int forcedWrites;
    private boolean isZeroing;
    private boolean isRunning;

    /**
     * @param maxLength how long a file becomes at most, in bytes, by zeros
     * @param onFailure learns of any failure but a full disk
     */
    SpaceAhead(Executor executor, GroupCommit commit, long maxLength, Consumer<Throwable> onFailure) {
        this.executor = executor;
        this.commit = commit;
        this.maxLength = maxLength;
        this.onFailure = onFailure;
    }

    /** Called before the active file is written to up to {@code end}. */
    void beforeWrite(long end) {
        if (file != null && end > ready) {
            goBeyond(end);
        }
    }

    /** Called when the active file was written to. */
    void afterWrite(DataFile active, boolean willForce) {
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
                ready = end;
            }
            step = Math.min(LONGEST_STEP, Math.max(PIECE, 2 * step));
            asked = Math.min(maxLength, Math.max(asked, end) + step);
            if (isRunning) {
                return;
            }
            isRunning = true;
        } finally {
            lock.unlock();
        }
        executor.execute(this::zero);
    }

    private void goBeyond(long end) {
        lock.lock();
        try {
            while (isZeroing && ready < end) {
                pieceEnded.awaitUninterruptibly();
            }
            if (ready < end) {
                file = null;
                asked = 0;
                step /= 2; // what was not begun was asked for in vain
            }
        } finally {
            lock.unlock();
        }
    }

    /** Called before the active file gets its last bytes. */
    void leave() {
        lock.lock();
        try {
            asked = 0; // no further piece is begun
            while (isZeroing) {
                pieceEnded.awaitUninterruptibly();
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
                isAnyReady = true; // between two pieces, a writer may go beyond them
            }
            if (isAnyReady) {
                commit.force();
            }
        } catch (OutOfSpaceException e) {
            logger().debug("no space to hold ready for synced writes: {}", e.getMessage());
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
            lock.lock();
            try {
                isZeroing = false;
                if (isReady) {
                    ready = end;
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
        return true;
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(SpaceAhead.class);
    }
}
