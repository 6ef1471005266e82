package dev.caskwright.testkit;

import java.time.Duration;
import java.time.Instant;
import java.time.InstantSource;
import java.util.SplittableRandom;

/**
 * A clock that jumps both ways between two readings, as one does that is set by hand, by a time server, or by a virtual
 * machine that was asleep. Most readings are a millisecond after the one before; one in {@code oneIn} is up to {@code
 * furthest} earlier or later, for that reading only or from then on. The same seed gives the same readings. Safe for any
 * number of threads.
 */
public final class JumpingClock implements InstantSource {
    private final SplittableRandom random;
    private final int oneIn;
    private final long furthestMillis;
    private long millis = ManualClock.START_MILLIS;

    /** Makes a clock that starts at {@link ManualClock#START_MILLIS}. */
    public JumpingClock(long seed, int oneIn, Duration furthest) {
        this.random = new SplittableRandom(seed);
        this.oneIn = oneIn;
        this.furthestMillis = furthest.toMillis();
    }

    @Override
    public synchronized long millis() {
        millis++;
        if (random.nextInt(oneIn) != 0) {
            return millis;
        }
        long jumped = millis + random.nextLong(-furthestMillis, furthestMillis + 1);
        if (random.nextBoolean()) {
            millis = jumped;
        }
        return jumped;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis());
    }
}
