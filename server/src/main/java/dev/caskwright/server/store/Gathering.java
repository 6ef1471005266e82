package dev.caskwright.server.store;

import java.util.concurrent.TimeUnit;

/**
 * How long a force waits for clients that the one before has let go. Those who work all the time would otherwise fall apart into
 * groups, each of which waits for the forces of the others; so a force waits until as many clients wait as the last one covered and
 * let come meanwhile, but no longer than half a force takes. Not thread-safe.
 */
final class Gathering {
    /** How many of the last forces, roughly, say how long one usually takes. */
    private static final int FORCES_OF_USUAL = 8;

    private static final long MOST_NANOS = TimeUnit.MILLISECONDS.toNanos(10);

    private int whole;
    private long usualNanos;

    /** Notes that a force has ended that covered some clients and let others come meanwhile. */
    void forced(int covered, int came, long nanos) {
        whole = covered + came;
        usualNanos += (nanos - usualNanos) / FORCES_OF_USUAL;
    }

    /** Returns whether so many clients are not to wait for others. */
    boolean isWhole(int waiting) {
        return waiting >= whole;
    }

    /** Returns how many nanoseconds a force may wait. */
    long mostNanos() {
        return Math.min(usualNanos / 2, MOST_NANOS);
    }
}
