package dev.caskwright.bitcask.merge;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class RateLimitTest {
    private long now;

    @Test
    void bytesTakeTheirTime() {
        RateLimit limit = new RateLimit(1_000_000, () -> now, nanos -> now += nanos);
        for (int i = 0; i < 100; i++) {
            limit.acquire(10_000);
        }
        assertThat(now).isBetween(990_000_000L, 1_010_000_000L);
    }

    @Test
    void anIdleTimeIsNotMadeUpForByABurst() {
        RateLimit limit = new RateLimit(1_000_000, () -> now, nanos -> now += nanos);
        limit.acquire(1);
        now += 60_000_000_000L;
        long before = now;
        limit.acquire(1_000_000);
        assertThat(now - before).isGreaterThan(980_000_000L);
    }

    @Test
    void zeroIsNoLimit() {
        RateLimit limit = new RateLimit(0, () -> now, nanos -> now += nanos);
        limit.acquire(Long.MAX_VALUE);
        assertThat(now).isZero();
    }
}
