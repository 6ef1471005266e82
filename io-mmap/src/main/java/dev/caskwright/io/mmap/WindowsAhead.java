package dev.caskwright.io.mmap;

import java.nio.ByteBuffer;
import java.util.concurrent.Callable;
import java.util.concurrent.Future;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Prepares the windows that writers will need next, in a thread of its own, so that an append is a memory copy and no
 * more: finding room on the disk for a page costs a multiple of filling it. The thread is there only while there is
 * something to prepare. And remembers from one file to the next whether their writers force, fill windows, and write much at
 * a time.
 */
final class WindowsAhead {
    private static final int IDLE_SECONDS = 5;

    private final ThreadPoolExecutor executor =
            new ThreadPoolExecutor(1, 1, IDLE_SECONDS, TimeUnit.SECONDS, new LinkedBlockingQueue<>(), work -> {
                Thread thread = new Thread(work, "caskwright-mmap-ahead");
                thread.setDaemon(true);
                return thread;
            });

    /** Until a window was filled without: what that costs is little, and to be wrong the other way costs each force. */
    private volatile boolean areWritesForced = true;

    private volatile boolean isAnyWindowFilled;
    private volatile boolean areWritesLong;

    WindowsAhead() {
        executor.allowCoreThreadTimeOut(true);
    }

    /** Takes note that a window was filled, whether it was forced meanwhile, and whether it was one of the longest. */
    void learn(boolean isForced, boolean isLongest) {
        areWritesForced = isForced;
        if (isLongest) {
            isAnyWindowFilled = true;
        }
    }

    /** Takes note whether writes were long on average. */
    void learnLength(boolean areLong) {
        areWritesLong = areLong;
    }

    /** Returns whether the writes of late were long on average. */
    boolean areWritesLong() {
        return areWritesLong;
    }

    /** Returns whether one of the longest windows was filled, so that the next file will probably fill some, too. */
    boolean isAnyWindowFilled() {
        return isAnyWindowFilled;
    }

    /** Returns whether the last window that was filled was forced meanwhile. */
    boolean areWritesForced() {
        return areWritesForced;
    }

    /** Begins to prepare a window; returns null after {@link #close}, when nothing is prepared any more. */
    @Nullable Future<ByteBuffer> prepare(Callable<ByteBuffer> window) {
        try {
            return executor.submit(window);
        } catch (RejectedExecutionException e) {
            if (executor.isShutdown()) {
                return null;
            }
            throw e;
        }
    }

    /** Prepares what was asked for, and then no more. */
    void close() {
        executor.shutdown();
    }
}
