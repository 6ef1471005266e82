package dev.caskwright.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/** A clock that stands still until it is moved, forwards or back. Safe for any number of threads. */
public final class ManualClock implements InstantSource {
    /** Where a clock starts that is given no time: 2026-01-01T00:00:00Z, in milliseconds since 1970. */
    public static final long START_MILLIS = 1_767_225_600_000L;

    private final AtomicLong millis;

    /** Makes a clock that stands at {@link #START_MILLIS}. */
    public ManualClock() {
        this(START_MILLIS);
    }

    /** Makes a clock that stands at a time in milliseconds since 1970. */
    public ManualClock(long startMillis) {
        this.millis = new AtomicLong(startMillis);
    }

    /** Moves the clock by an amount of time, which may be negative. */
    public void advance(Duration duration) {
        millis.addAndGet(duration.toMillis());
    }

    /** Sets the clock. */
    public void set(Instant instant) {
        millis.set(instant.toEpochMilli());
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis.get());
    }

    @Override
    public long millis() {
        return millis.get();
    }

    @Override
    public String toString() {
        return instant().toString();
    }
}
