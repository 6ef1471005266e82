package dev.caskwright.api;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.time.Duration;
import java.time.Instant;
import org.junit.jupiter.api.Test;

/** Times are exact to the millisecond, saturate, or are refused. */
final class WriteOptionsTest {
    private static final long NOW = 1_800_000_000_000L;

    private static long after(Duration time, long nowMillis) {
        return WriteOptions.DEFAULT.timeToLive(time).expiresAtMillis(nowMillis);
    }

    private static long at(Instant deadline) {
        return WriteOptions.DEFAULT.expiresAt(deadline).expiresAtMillis(0);
    }

    @Test
    void ordinaryTimesAreExact() {
        assertThat(after(Duration.ofMillis(1), NOW)).isEqualTo(NOW + 1);
        assertThat(after(Duration.ofDays(7), NOW)).isEqualTo(NOW + 604_800_000L);
        assertThat(after(Duration.ofNanos(1_999_999), NOW)).isEqualTo(NOW + 1);
        assertThat(at(Instant.ofEpochMilli(NOW))).isEqualTo(NOW);
        assertThat(at(Instant.ofEpochMilli(1))).isEqualTo(1);
        assertThat(WriteOptions.DEFAULT.expiresAtMillis(NOW)).isEqualTo(Entry.NEVER);
    }

    @Test
    void longTimesSaturate() {
        for (Duration time : new Duration[] {
            Duration.ofMillis(Long.MAX_VALUE),
            Duration.ofMillis(Long.MAX_VALUE).plusMillis(1),
            Duration.ofSeconds(Long.MAX_VALUE),
            Duration.ofSeconds(Long.MAX_VALUE, 999_999_999)
        }) {
            for (long now : new long[] {0, 1, NOW, Long.MAX_VALUE - 1, Long.MAX_VALUE}) {
                assertThat(after(time, now)).as("%s at %s", time, now).isEqualTo(Long.MAX_VALUE);
            }
        }
        assertThat(after(Duration.ofDays(1), Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
        assertThat(at(Instant.MAX)).isEqualTo(Long.MAX_VALUE);
        assertThat(at(Instant.ofEpochMilli(Long.MAX_VALUE))).isEqualTo(Long.MAX_VALUE);
        assertThat(at(Instant.ofEpochMilli(Long.MAX_VALUE - 1))).isEqualTo(Long.MAX_VALUE - 1);
        assertThat(at(Instant.ofEpochMilli(Long.MAX_VALUE).plusNanos(999_999_999)))
                .isEqualTo(Long.MAX_VALUE);
    }

    @Test
    void aClockBefore1970NeverMeansNever() {
        for (long now : new long[] {-1, -NOW, Long.MIN_VALUE}) {
            for (Duration time : new Duration[] {Duration.ofMillis(1), Duration.ofSeconds(Long.MAX_VALUE)}) {
                assertThat(after(time, now)).as("%s at %s", time, now).isPositive();
            }
        }
        assertThat(after(Duration.ofMillis(Long.MAX_VALUE), -1)).isEqualTo(Long.MAX_VALUE - 1);
    }

    @Test
    void whatIsNoTimeIsRefused() {
        for (Duration time : new Duration[] {
            Duration.ZERO,
            Duration.ofNanos(1),
            Duration.ofNanos(999_999),
            Duration.ofMillis(-1),
            Duration.ofSeconds(Long.MIN_VALUE)
        }) {
            assertThatThrownBy(() -> WriteOptions.DEFAULT.timeToLive(time))
                    .as("%s", time)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(time.toString());
        }
        for (Instant deadline : new Instant[] {
            Instant.MIN, Instant.EPOCH, Instant.EPOCH.minusMillis(1), Instant.EPOCH.plusNanos(999_999)
        }) {
            assertThatThrownBy(() -> WriteOptions.DEFAULT.expiresAt(deadline))
                    .as("%s", deadline)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining(deadline.toString());
        }
    }
}
