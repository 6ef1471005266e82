package dev.caskwright.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.time.Instant;
import java.time.InstantSource;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/** The clock that entries are timed by: one that is far off is not believed. */
final class EntryClockTest {
    private static final long HOUR = TimeUnit.HOURS.toMillis(1);

    private final AtomicLong wall = new AtomicLong(1_000_000_000_000L);
    private final AtomicLong nanos = new AtomicLong();
    private final InstantSource source = () -> Instant.ofEpochMilli(wall.get());
    private final EntryClock clock = new EntryClock(source, nanos::get);

    @Test
    void aClockThatRunsIsBelieved() {
        for (int i = 0; i < 100; i++) {
            pass(50_000);
            assertThat(clock.millis()).isEqualTo(wall.get());
        }
        wall.addAndGet(10_000); // set by hand, by a little
        assertThat(clock.millis()).isEqualTo(wall.get());
    }

    @Test
    void aJumpIsNotBelievedBeforeTheOthersWereAsked() {
        clock.compared(0);
        long before = wall.get();
        wall.addAndGet(HOUR);
        assertThat(clock.isInDoubt()).isTrue();
        assertThat(clock.millis()).isEqualTo(before);
        pass(1_000);
        assertThat(clock.millis()).isEqualTo(before + 1_000);
        clock.compared(0); // the others agree with it: this process had stood still
        assertThat(clock.millis()).isEqualTo(wall.get());
        assertThat(clock.isInDoubt()).isFalse();
    }

    @Test
    void aClockThatDiffersFromMostIsCorrectedUntilItIsSet() {
        wall.addAndGet(HOUR);
        assertThat(clock.compared(-HOUR)).isEqualTo(-HOUR);
        assertThat(clock.millis()).isEqualTo(wall.get() - HOUR);
        pass(5_000);
        assertThat(clock.millis()).isEqualTo(wall.get() - HOUR);
        wall.addAndGet(-HOUR);
        clock.compared(0);
        assertThat(clock.millis()).isEqualTo(wall.get());
    }

    @Test
    void aSmallDifferenceIsNotCorrected() {
        assertThat(clock.compared(10_000)).isZero();
        assertThat(clock.millis()).isEqualTo(wall.get());
    }

    @Test
    void theClockThatAProcessStartsWithIsInDoubt() {
        assertThat(clock.isCompared()).isFalse();
        assertThat(clock.isInDoubt()).isTrue();
        clock.compared(0);
        assertThat(clock.isCompared()).isTrue();
        assertThat(clock.isInDoubt()).isFalse();
    }

    @Test
    void oneClockThatIsFarOffNeverMovesTheOthers() {
        assertThat(EntryClock.middle(List.of())).isZero();
        assertThat(EntryClock.middle(List.of(0L, HOUR))).isZero();
        assertThat(EntryClock.middle(List.of(0L, -HOUR))).isZero();
        assertThat(EntryClock.middle(List.of(-HOUR, -HOUR))).isEqualTo(-HOUR);
        assertThat(EntryClock.middle(List.of(HOUR, HOUR))).isEqualTo(HOUR);
        assertThat(EntryClock.middle(List.of(HOUR)))
                .as("of two that differ, the one behind")
                .isZero();
        assertThat(EntryClock.middle(List.of(-HOUR)))
                .as("of two that differ, the one behind")
                .isEqualTo(-HOUR);
        assertThat(EntryClock.middle(List.of(0L, 0L, HOUR, HOUR))).isZero();
    }

    private void pass(long millis) {
        wall.addAndGet(millis);
        nanos.addAndGet(TimeUnit.MILLISECONDS.toNanos(millis));
    }
}
