package dev.caskwright.bitcask.merge;

import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/** Keeps a background task to a number of bytes a second. For one thread at a time. */
public final class RateLimit {
    private static final long SLICE_NANOS = 10_000_000;

    private final double bytesPerNano;
    private final LongSupplier nanoTime;
    private final LongConsumer pause;
    private volatile boolean cancelled;
    private double allowance;
    private long last;

    /** Zero means no limit. */
    public RateLimit(long bytesPerSecond) {
        this(bytesPerSecond, System::nanoTime, LockSupport::parkNanos);
    }

    RateLimit(long bytesPerSecond, LongSupplier nanoTime, LongConsumer pause) {
        this.bytesPerNano = bytesPerSecond / 1e9;
        this.nanoTime = nanoTime;
        this.pause = pause;
        this.last = nanoTime.getAsLong();
    }

    /** Lets nobody wait any more. In any thread. */
    void cancel() {
        cancelled = true;
    }

    /** Waits until {@code bytes} more may be processed, or the limit is cancelled. */
    void acquire(long bytes) {
        if (bytesPerNano == 0) {
            return;
        }
        // Before the bytes count: a pause since the last call is worth one slice at most.
        refill();
        allowance -= bytes;
        while (allowance < 0 && !cancelled) {
            pause.accept(Math.min(SLICE_NANOS, (long) (-allowance / bytesPerNano) + 1));
            refill();
        }
    }

    private void refill() {
        long now = nanoTime.getAsLong();
        allowance = Math.min(allowance + (now - last) * bytesPerNano, SLICE_NANOS * bytesPerNano);
        last = now;
    }
}
