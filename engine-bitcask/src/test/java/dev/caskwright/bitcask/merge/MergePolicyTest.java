package dev.caskwright.bitcask.merge;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.log.LogSegment;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;

final class MergePolicyTest {
    private static final long FILE = 1000;

    private final MergePolicy policy = new MergePolicy(1.4, FILE);

    private record Segment(long id, long length, long liveBytes, boolean isSealed) implements LogSegment {
        @Override
        public int slot() {
            return (int) id;
        }

        @Override
        public long deadBytes() {
            return length - liveBytes;
        }

        @Override
        public boolean isMerged() {
            return false;
        }

        @Override
        public long lastVersion() {
            return id;
        }
    }

    private static LogSegment sealed(long id, long length, long live) {
        return new Segment(id, length, live, true);
    }

    @Test
    void filesThatAreHalfDeadAreMerged() {
        assertThat(ids(sealed(1, FILE, 900), sealed(2, FILE, 490), sealed(3, FILE, 1000), sealed(4, FILE, 1000)))
                .containsExactly(2L);
    }

    @Test
    void tooMuchDeadOverAllTakesTheDeadestUntilItIsNot() {
        // 4,000 bytes for 2,600 live ones are 1.54; without the dead bytes of file 3 it is 1.36.
        assertThat(ids(sealed(1, FILE, 700), sealed(2, FILE, 700), sealed(3, FILE, 540), sealed(4, FILE, 660)))
                .containsExactly(3L);
    }

    @Test
    void aLittleDeadIsLeftAlone() {
        assertThat(ids(sealed(1, FILE, 800), sealed(2, FILE, 800))).isEmpty();
    }

    @Test
    void eightSmallFilesAreMergedAndSevenAreNot() {
        List<LogSegment> small = new ArrayList<>();
        for (int id = 1; id <= 7; id++) {
            small.add(sealed(id, FILE / 5, FILE / 5));
        }
        assertThat(policy.choose(small)).isEmpty();
        small.add(sealed(8, FILE / 5, FILE / 5));
        assertThat(policy.choose(small)).hasSize(8);
    }

    @Test
    void whatIsStillWrittenIsLeftAlone() {
        assertThat(ids(new Segment(1, FILE, 0, false))).isEmpty();
    }

    @Test
    void exactlyHalfIsEnough() {
        MergePolicy byFile = new MergePolicy(100, FILE);
        assertThat(ids(byFile, sealed(1, FILE, 500))).containsExactly(1L);
        assertThat(ids(byFile, sealed(1, FILE, 501))).isEmpty();
    }

    @Test
    void exactlyAsMuchSpaceAsAskedForIsLeftAlone() {
        MergePolicy quarterMore = new MergePolicy(1.25, FILE);
        assertThat(ids(quarterMore, sealed(1, FILE, 800))).isEmpty();
        assertThat(ids(quarterMore, sealed(1, FILE, 799))).containsExactly(1L);
    }

    @Test
    void aFileOfWhichAnEighthIsDeadIsNotWorthIt() {
        MergePolicy tight = new MergePolicy(1.01, FILE);
        assertThat(ids(tight, sealed(1, FILE, 875))).isEmpty();
        assertThat(ids(tight, sealed(1, FILE, 874))).containsExactly(1L);
    }

    @Test
    void whatIsStillWrittenCountsForTheSpace() {
        assertThat(ids(sealed(1, FILE, 700))).containsExactly(1L);
        assertThat(ids(sealed(1, FILE, 700), new Segment(2, FILE, FILE, false))).isEmpty();
    }

    @Test
    void theOrderOfTheLogIsKept() {
        assertThat(ids(sealed(1, FILE, 400), sealed(2, FILE, 100), sealed(3, FILE, 300)))
                .containsExactly(1L, 2L, 3L);
    }

    @Test
    void aQuarterOfTheFileSizeIsNotSmall() {
        List<LogSegment> files = new ArrayList<>();
        for (int id = 1; id <= 8; id++) {
            files.add(sealed(id, id == 8 ? FILE / 4 : FILE / 4 - 1, FILE / 4 - 1));
        }
        assertThat(policy.choose(files)).isEmpty();
        files.set(7, sealed(8, FILE / 4 - 1, FILE / 4 - 1));
        assertThat(policy.choose(files)).hasSize(8);
    }

    @Test
    void aSmallFileThatIsChosenForItsDeadBytesCountsOnce() {
        List<LogSegment> files = new ArrayList<>();
        for (int id = 1; id <= 8; id++) {
            files.add(sealed(id, FILE / 5, id == 3 ? 0 : FILE / 5));
        }
        assertThat(policy.choose(files)).extracting(LogSegment::id).containsExactly(3L);
        files.add(sealed(9, FILE / 5, FILE / 5));
        assertThat(policy.choose(files)).hasSize(9).doesNotHaveDuplicates();
    }

    private static List<Long> ids(MergePolicy policy, LogSegment... segments) {
        return policy.choose(List.of(segments)).stream().map(LogSegment::id).toList();
    }

    private List<Long> ids(LogSegment... segments) {
        return ids(policy, segments);
    }
}
