package dev.caskwright.moss;

import dev.caskwright.api.Retry;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.LockSupport;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;

/**
 * What a thread of a store does: steps while there is need, and a wait when there is none. After a step that failed comes
 * a pause, which grows. Nothing that is thrown ends the thread, want of memory least of all.
 */
final class Background {
    private static final long FIRST_PAUSE_NANOS = TimeUnit.MILLISECONDS.toNanos(10);
    private static final long LONGEST_PAUSE_NANOS = TimeUnit.SECONDS.toNanos(5);

    /** The work of one thread. A step that failed has changed nothing. */
    interface Work {
        /** Does something if there is need; returns whether there was. */
        boolean step() throws Exception;

        /** Waits until there may be need. */
        void await() throws Exception;
    }

    private final Store store;
    private final String task;
    private final Work work;
    private final BooleanSupplier isOver;
    private long pauseNanos = FIRST_PAUSE_NANOS;
    private long failingSince;
    private int failures;
    private volatile @Nullable Retry trouble;

    Background(Store store, String task, BooleanSupplier isOver, Work work) {
        this.store = store;
        this.task = task;
        this.isOver = isOver;
        this.work = work;
    }

    /** Works until there is nothing more to do for ever. */
    void run() {
        while (!isOver.getAsBoolean()) {
            try {
                turn();
            } catch (OutOfMemoryError e) {
                LockSupport.parkNanos(FIRST_PAUSE_NANOS); // there is no memory even to note what failed
            }
        }
    }

    private void turn() {
        try {
            boolean isDone = !work.step();
            failures = 0;
            pauseNanos = FIRST_PAUSE_NANOS;
            trouble = null;
            if (isDone) {
                work.await();
            }
        } catch (Throwable e) {
            // A stray interrupt ends here, too: nobody else would do the work.
            if (!isOver.getAsBoolean()) {
                note(e);
                pause();
            }
        }
    }

    private void note(Throwable cause) {
        failingSince = failures == 0 ? System.nanoTime() : failingSince;
        failures++;
        trouble = new Retry(task, TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - failingSince), failures, cause);
    }

    private void pause() {
        long left = pauseNanos;
        pauseNanos = Math.min(LONGEST_PAUSE_NANOS, 2 * pauseNanos);
        store.lock.lock();
        try {
            while (left > 0 && !store.isClosed()) {
                left = store.progress.awaitNanos(left);
            }
        } catch (InterruptedException e) {
            // The pause is over, and the flag stays down: else no later one would last.
            return;
        } finally {
            store.lock.unlock();
        }
    }

    /** Returns what is being tried again, or null. */
    @Nullable Retry trouble() {
        return trouble;
    }
}
