package dev.caskwright.bitcask.write;

import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.events.StallEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.store.Store;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;
import java.util.function.Supplier;

/**
 * Slows writers down who are faster than merges, so that the space of a store stays within a bound.
 *
 * <p>Up to a soft bound on the space nobody waits. From there to the hard bound, all writers together get a rate that falls
 * with what is left: where half of it is left, the rate at which merges give space back. So writing and merging meet between
 * the bounds. The rate never falls below a sixteenth of that of merges, and no write waits for longer than {@value
 * #LONGEST_MILLIS} ms: a bound that is missed is better than a writer that stands still.
 *
 * <p>If no merge has given anything back for {@value #PATIENCE_SECONDS} seconds, waiting does not help, and ends.
 *
 * <p><b>Threads.</b> Any. While nobody is slowed down, a write reads one field.
 */
public final class WritePace {
    /** Bounds, as multiples of the live bytes, and at least so many files more than them. */
    private static final double SOFT_RATIO = 1.7;

    private static final double HARD_RATIO = 2.4;
    private static final int SOFT_FILES = 3;
    private static final int HARD_FILES = 6;

    /** What a store may have beyond its live bytes, however short its files are. */
    private static final long LEAST_SLACK = 64L << 20;

    private static final double SLOWEST = 16;
    private static final double FIRST_BYTES_PER_NANO = 0.25;
    private static final int LOOKS_PER_FILE = 16;
    private static final long LONGEST_MILLIS = 50;
    private static final long LONGEST_WAIT_NANOS = LONGEST_MILLIS * 1_000_000;
    /** Shorter waits are saved up: parking takes that long by itself. */
    private static final long SHORTEST_WAIT_NANOS = 200_000;

    private static final long PATIENCE_SECONDS = 30;
    private static final long PATIENCE_NANOS = PATIENCE_SECONDS * 1_000_000_000;

    private final String store;
    private final Supplier<Space> space;
    private final long maxFileBytes;
    private final LongSupplier nanoTime;
    private final LongConsumer pause;

    /** How long a byte that is written takes at least; 0 if there is no limit. */
    private volatile double nanosPerByte;

    private volatile double reclaimedPerNano = FIRST_BYTES_PER_NANO;
    private volatile long lastProgressNanos;

    /** Whether waiting did not help: until a merge gives something back, or there is room. */
    private volatile boolean isGivenUp;

    /** Until when the rate is used up. */
    private final AtomicLong usedUntil;

    private final AtomicLong bytesUnseen = new AtomicLong();

    /** The bytes of files that merges can do something about, and of these the live ones. */
    record Space(long disk, long live) {}

    /** @param retainedBytes what merges leave alone for the change feed */
    public WritePace(Store store, long maxFileBytes, long retainedBytes) {
        this(store.name, () -> spaceOf(store, retainedBytes), maxFileBytes, System::nanoTime, LockSupport::parkNanos);
    }

    WritePace(String store, Supplier<Space> space, long maxFileBytes, LongSupplier nanoTime, LongConsumer pause) {
        this.store = store;
        this.space = space;
        this.maxFileBytes = maxFileBytes;
        this.nanoTime = nanoTime;
        this.pause = pause;
        this.usedUntil = new AtomicLong(nanoTime.getAsLong());
    }

    private static Space spaceOf(Store store, long retainedBytes) {
        long disk = 0;
        long live = 0;
        for (LogSegment file : store.log.segments()) { // outputs of a merge that runs, too
            disk += file.length();
            live += file.liveBytes();
        }
        return new Space(disk - store.snapshots.pinnedBytes() - retainedBytes, live);
    }

    /** Waits, if writers are to be slowed down, for the turn of bytes that were written. The caller holds no lock. */
    void written(long bytes) {
        if (nanosPerByte != 0) {
            await(bytes);
        }
    }

    private void await(long bytes) {
        if (bytesUnseen.addAndGet(bytes) >= maxFileBytes / LOOKS_PER_FILE) {
            look();
        }
        long now = nanoTime.getAsLong();
        long cost = (long) Math.min(LONGEST_WAIT_NANOS, bytes * nanosPerByte);
        long wait = usedUntil.accumulateAndGet(cost, (until, more) -> Math.max(until, now) + more) - now;
        if (wait >= SHORTEST_WAIT_NANOS) {
            StallEvent stall = StoreEvents.stall();
            pause.accept(Math.min(wait, LONGEST_WAIT_NANOS));
            if (stall != null) {
                stall.end(store, StallEvent.PACE);
            }
        }
    }

    /** Sets the rate by the space as it is. Called when a file was sealed. */
    public void look() {
        bytesUnseen.set(0);
        Space seen = space.get();
        double slack = Math.max(LEAST_SLACK, (double) SOFT_FILES * maxFileBytes);
        double soft = Math.max(SOFT_RATIO * seen.live, seen.live + slack);
        double hard = Math.max(HARD_RATIO * seen.live, seen.live + slack * HARD_FILES / SOFT_FILES);
        if (seen.disk <= soft) {
            isGivenUp = false;
            nanosPerByte = 0;
            return;
        }
        if (isGivenUp) {
            return;
        }
        long now = nanoTime.getAsLong();
        if (nanosPerByte == 0) {
            lastProgressNanos = Math.max(lastProgressNanos, now - PATIENCE_NANOS / 2);
        }
        isGivenUp = now - lastProgressNanos > PATIENCE_NANOS;
        double used = (seen.disk - soft) / (hard - soft);
        nanosPerByte = isGivenUp ? 0 : Math.min(SLOWEST, used >= 1 ? SLOWEST : used / (1 - used)) / reclaimedPerNano;
    }

    /** Notes that a merge has given bytes back, in so many nanoseconds. */
    public void reclaimed(long bytes, long nanos) {
        if (bytes <= 0) {
            return;
        }
        lastProgressNanos = nanoTime.getAsLong();
        isGivenUp = false;
        reclaimedPerNano = (reclaimedPerNano + (double) bytes / Math.max(1, nanos)) / 2;
        if (nanosPerByte != 0) {
            look();
        }
    }
}
