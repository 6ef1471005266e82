package dev.caskwright.bitcask.store;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.log.ClockNotes;
import java.util.ArrayList;
import java.util.List;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;

final class ToldExpiriesTest {
    @Test
    void aMarkCoversWhatExpiredEarlierAndWasWrittenBefore() {
        ToldExpiries told = ToldExpiries.NONE.withMark(100, 7);
        assertThat(told.covers(100, 7)).isTrue();
        assertThat(told.covers(1, 1)).isTrue();
        assertThat(told.covers(101, 1)).as("expires later").isFalse();
        assertThat(told.covers(1, 8)).as("written later").isFalse();
        assertThat(told.greatestExpiry()).isEqualTo(100);
        assertThat(ToldExpiries.NONE.covers(Long.MIN_VALUE, 0)).isFalse();
    }

    @Test
    void aNamedEntryCoversNoOther() {
        ToldExpiries told =
                ToldExpiries.NONE.withMark(100, 7).withNamed(500, 5, 9, 600).withNamed(300, 6, 9, 600);
        assertThat(told.covers(500, 5)).isTrue();
        assertThat(told.covers(300, 6)).isTrue();
        assertThat(told.covers(300, 5)).isFalse();
        assertThat(told.covers(400, 4)).isFalse();
        assertThat(told.greatestExpiry()).isEqualTo(500);
        assertThat(told.withMark(400, 9).covers(300, 6)).isTrue();
        assertThat(told.withMark(400, 9).covers(450, 6)).isFalse();
        assertThat(told.withMark(400, 9).covers(500, 5)).isTrue();
    }

    /** The mark that many names become takes no time from entries that have not expired. */
    @Test
    void aMarkOfManyNamesIsNoLaterThanNow() {
        ToldExpiries told = ToldExpiries.NONE;
        long now = 60_100;
        for (int i = 0; i < 50; i++) {
            told = told.withNamed(60_001 + i, i, 100, now);
        }
        for (int i = 0; i < 50; i++) {
            assertThat(told.covers(60_001 + i, i)).isTrue();
        }
        assertThat(told.covers(now, 99)).isTrue();
        assertThat(told.covers(now + 1, 99)).isFalse();
    }

    /** A clock that behaves needs one mark, however long it goes on. */
    @Test
    void timeAndVersionsThatGrowTakeOneMark() {
        ToldExpiries told = ToldExpiries.NONE;
        for (long i = 1; i < 10_000; i++) {
            told = told.withMark(i, i / 3);
        }
        assertThat(told.toLongs()).containsExactly(2, 9_999, 3_333);
    }

    /** A mark of a time that was wrong must not reach those that were written after it. */
    @Test
    void marksAreNotMixed() {
        ToldExpiries told = ToldExpiries.NONE.withMark(1_000_000, 10).withMark(50, 5_000);
        assertThat(told.covers(60, 11)).isFalse();
        assertThat(told.covers(60, 10)).isTrue();
        assertThat(told.covers(50, 5_000)).isTrue();
    }

    @Test
    void whatWasToldStaysSoInBoundedSpace() {
        for (long seed = 0; seed < 300; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            ToldExpiries told = ToldExpiries.NONE;
            List<long[]> all = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                long[] each = {1 + random.nextLong(1_000), 1 + random.nextLong(1_000)};
                all.add(each);
                told = random.nextInt(3) == 0
                        ? told.withMark(each[0], each[1])
                        : told.withNamed(each[0], each[1], each[1], random.nextLong(2_000));
                long[] longs = told.toLongs();
                assertThat(longs.length).isLessThan(ClockNotes.MAX_LONGS);
                if (i % 20 == 0) {
                    told = ToldExpiries.ofLongs(longs);
                }
                for (long[] earlier : all) {
                    assertThat(told.covers(earlier[0], earlier[1]))
                            .as("seed=%s, step=%s", seed, i)
                            .isTrue();
                }
            }
        }
    }

    @Test
    void aNoteOfAnotherFormIsNotBelieved() {
        for (long[] longs : new long[][] {{}, {-2}, {3, 1, 1}, {1L << 40}, {2}, {2, -5, 1}, {2, 5, -1}, {4, 1}}) {
            assertThat(ToldExpiries.ofLongs(longs).toLongs()).containsExactly(0);
        }
    }
}
