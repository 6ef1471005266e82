package dev.caskwright.raft;

import java.time.InstantSource;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.function.LongSupplier;

/**
 * What this member times entries by when it leads: its clock, as long as it neither jumps nor differs much from those of the others.
 * A jump of more than a minute is not believed before the others have been asked; what then differs by more than a minute from most
 * of them is corrected by the difference. So one clock that is far off expires nothing. The clock that a process starts with is in
 * doubt, too: it may have been off all the time. Safe for any number of threads.
 */
final class EntryClock {
    static final long TOLERANCE_MILLIS = 60_000;

    private final InstantSource source;
    private final LongSupplier nanoTime;
    private long baseMillis; // what was believed last, and when
    private long baseNanos;
    private long correctionMillis;
    private boolean isCompared;

    EntryClock(InstantSource source, LongSupplier nanoTime) {
        this.source = source;
        this.nanoTime = nanoTime;
        baseMillis = source.millis();
        baseNanos = nanoTime.getAsLong();
    }

    /** Returns the time, in milliseconds since 1970. */
    synchronized long millis() {
        long nanos = nanoTime.getAsLong();
        long expected = baseMillis + TimeUnit.NANOSECONDS.toMillis(nanos - baseNanos);
        long reading = source.millis() + correctionMillis;
        if (Math.abs(reading - expected) > TOLERANCE_MILLIS) {
            return expected;
        }
        baseMillis = reading;
        baseNanos = nanos;
        return reading;
    }

    /** Returns whether the clock has been compared with those of a majority of the members, so that it may time entries. */
    synchronized boolean isCompared() {
        return isCompared;
    }

    /** Returns whether the clock has jumped, or has never been compared, so that the others should be asked. */
    synchronized boolean isInDoubt() {
        if (!isCompared) {
            return true;
        }
        long expected = baseMillis + TimeUnit.NANOSECONDS.toMillis(nanoTime.getAsLong() - baseNanos);
        return Math.abs(source.millis() + correctionMillis - expected) > TOLERANCE_MILLIS;
    }

    /**
     * Returns what {@link #compared} takes note of: the middle of all clocks, this one included, and of two in the middle the one
     * that is behind. So one clock that is far off never moves the others, and where two of three disagree and the third is gone,
     * entries live too long rather than too short.
     *
     * @param behindMillis by how much this member's clock is behind that of each other member that answered
     */
    static long middle(List<Long> behindMillis) {
        List<Long> all = new ArrayList<>(behindMillis);
        all.add(0L);
        Collections.sort(all);
        return all.get((all.size() - 1) / 2);
    }

    /**
     * Takes note of the others.
     *
     * @param behindMillis by how much this member's clock is behind that of most others; 0 if there are none
     * @return by how much the clock is corrected from now on, in milliseconds; 0 if it is not
     */
    synchronized long compared(long behindMillis) {
        isCompared = true;
        correctionMillis = Math.abs(behindMillis) > TOLERANCE_MILLIS ? behindMillis : 0;
        baseMillis = source.millis() + correctionMillis;
        baseNanos = nanoTime.getAsLong();
        return correctionMillis;
    }
}
