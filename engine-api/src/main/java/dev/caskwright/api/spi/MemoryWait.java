package dev.caskwright.api.spi;

import java.io.IOException;
import java.util.concurrent.locks.LockSupport;

/**
 * Waits for memory where what was begun can only be gone on with: after a force has succeeded, say, or a merge was committed. A
 * heap that was full for a moment must not end a store there.
 */
public final class MemoryWait {
    /** How often a step is taken at most. */
    public static final int MOST_ATTEMPTS = 100;

    private static final long STEP_NANOS = 1_000_000;
    private static final long LONGEST_NANOS = 100_000_000;

    /** What may be repeated, wherever want of memory ended it. Made in time: making one takes memory. */
    @FunctionalInterface
    public interface Step {
        /** Takes the step. */
        void take() throws IOException;
    }

    private MemoryWait() {}

    /**
     * Takes a step, and again after some time for as long as memory is wanting: {@value #MOST_ATTEMPTS} times at most, which is
     * some seconds.
     *
     * @throws OutOfMemoryError if memory was wanting each time
     * @throws IOException if the step throws it
     */
    public static void retry(Step step) throws IOException {
        for (int attempt = 1; ; attempt++) {
            try {
                step.take();
                return;
            } catch (OutOfMemoryError e) {
                pause(attempt, e);
            }
        }
    }

    /**
     * Waits a little after an attempt for which memory was wanting.
     *
     * @param attempt its number, the first one is 1
     * @throws OutOfMemoryError the one given, if that was the last attempt
     */
    public static void pause(int attempt, OutOfMemoryError cause) {
        if (attempt >= MOST_ATTEMPTS) {
            throw cause;
        }
        LockSupport.parkNanos(Math.min(LONGEST_NANOS, attempt * STEP_NANOS));
    }
}
