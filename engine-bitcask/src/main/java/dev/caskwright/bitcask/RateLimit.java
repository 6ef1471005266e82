package dev.caskwright.bitcask;

import java.util.concurrent.locks.LockSupport;

/** Keeps a background task to a number of bytes a second. For one thread at a time. */
final class RateLimit {
    private static final long SLICE_NANOS = 10_000_000;

    private final double bytesPerNano;
    private double allowance;
    private long last = System.nanoTime();

    /** Zero means no limit. */
    RateLimit(long bytesPerSecond) {
        this.bytesPerNano = bytesPerSecond / 1e9;
    }

    /** Waits until {@code bytes} more may be processed. */
    void acquire(long bytes) {
        if (bytesPerNano == 0) {
            return;
        }
        allowance -= bytes;
        while (allowance < 0) {
            refill();
            if (allowance < 0) {
                LockSupport.parkNanos(Math.min(SLICE_NANOS, (long) (-allowance / bytesPerNano) + 1));
            }
        }
    }

    private void refill() {
        long now = System.nanoTime();
        // What was not used in the past counts for one slice at most, so that a pause is not made up for by a burst.
        allowance = Math.min(allowance + (now - last) * bytesPerNano, SLICE_NANOS * bytesPerNano);
        last = now;
    }
}
