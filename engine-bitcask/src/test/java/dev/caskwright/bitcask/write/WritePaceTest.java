package dev.caskwright.bitcask.write;

import static org.assertj.core.api.Assertions.assertThat;

import org.junit.jupiter.api.Test;

/** Writers beside merges, in a time of their own. */
final class WritePaceTest {
    private static final long FILE = 64 << 20;
    private static final long LIVE = 1L << 30;
    private static final long SECOND = 1_000_000_000;
    private static final int RECORD = 1 << 10;

    private long now = 1;
    private long disk = LIVE;
    private long longestWait;
    private final WritePace pace =
            new WritePace("store", () -> new WritePace.Space(disk, LIVE), FILE, () -> now, this::pause);

    private void pause(long nanos) {
        longestWait = Math.max(longestWait, nanos);
        now += nanos;
    }

    @Test
    void nobodyWaitsBelowTheSoftBound() {
        disk = (long) (1.69 * LIVE);
        pace.look();
        long before = now;
        pace.written(LIVE);
        assertThat(now).isEqualTo(before);
    }

    @Test
    void aStoreWithLittleBeyondItsLiveBytesIsLeftAlone() {
        WritePace small =
                new WritePace("store", () -> new WritePace.Space(60 << 20, 1 << 20), 1 << 20, () -> now, this::pause);
        small.look();
        small.written(LIVE);
        assertThat(longestWait).isZero();
    }

    @Test
    void writersMeetMergesBetweenTheBounds() {
        // A writer of a GB/s, and merges that give back 200 MB/s, a round of half a second at a time.
        double most = 0;
        long lastRound = now;
        long sealed = 0;
        long written = 0;
        long end = now + 60 * SECOND;
        while (now < end) {
            now += RECORD;
            disk += RECORD;
            written += RECORD;
            sealed += RECORD;
            pace.written(RECORD);
            if (sealed >= FILE) {
                sealed = 0;
                pace.look();
            }
            if (now - lastRound > SECOND / 2) {
                long back = Math.min(disk - LIVE, (now - lastRound) / 5);
                disk -= back;
                pace.reclaimed(back, now - lastRound);
                lastRound = now;
            }
            most = Math.max(most, (double) disk / LIVE);
        }
        assertThat(most).isBetween(1.8, 2.4);
        assertThat(written).as("the rate is that of merges").isBetween(12L << 30, 16L << 30);
        assertThat(longestWait).as("slowed down, not stopped").isLessThan(5_000_000);
    }

    @Test
    void noWriteWaitsForLongEvenBehindTheHardBound() {
        disk = 10 * LIVE;
        pace.look();
        long before = now;
        pace.written(LIVE);
        assertThat(now - before).isEqualTo(50_000_000);
    }

    @Test
    void waitingEndsWhereMergesGiveNothingBack() {
        disk = 3 * LIVE;
        pace.look();
        pace.written(FILE);
        assertThat(longestWait).isPositive();
        now += 31 * SECOND;
        pace.look();
        longestWait = 0;
        for (int i = 0; i < 100; i++) { // and does not begin again by itself
            pace.written(FILE);
            pace.look();
            now += SECOND;
        }
        assertThat(longestWait).isZero();
        pace.reclaimed(FILE, SECOND);
        pace.look();
        pace.written(FILE);
        assertThat(longestWait).as("merges work again").isPositive();
    }
}
