package dev.caskwright.server.store;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

final class GatheringTest {
    private static final long FORCE_NANOS = 8_000_000;

    private final Gathering gathering = new Gathering();

    private void force(int covered, int came) {
        gathering.forced(covered, came, FORCE_NANOS);
    }

    @Test
    void nobodyWaitsForOthersBeforeTheFirstForceNorIfThereAreNone() {
        assertThat(gathering.isWhole(1)).isTrue();
        assertThat(gathering.mostNanos()).isZero();
        force(1, 0);
        assertThat(gathering.isWhole(1)).isTrue();
    }

    @Test
    void groupsThatFellApartAreGatheredAgain() {
        force(200, 300);
        assertThat(gathering.isWhole(499)).isFalse();
        assertThat(gathering.isWhole(500)).isTrue();
    }

    @Test
    void whoDoesNotComeBackIsWaitedForOnce() {
        force(500, 0);
        force(1, 0);
        assertThat(gathering.isWhole(1)).isTrue();
    }

    @Test
    void nobodyWaitsForLongerThanHalfAForceOrTenMilliseconds() {
        for (int i = 0; i < 100; i++) {
            force(2, 0);
            assertThat(gathering.mostNanos()).isPositive().isLessThanOrEqualTo(FORCE_NANOS / 2);
        }
        gathering.forced(2, 0, 60_000_000_000L);
        assertThat(gathering.mostNanos()).isEqualTo(10_000_000);
    }
}
