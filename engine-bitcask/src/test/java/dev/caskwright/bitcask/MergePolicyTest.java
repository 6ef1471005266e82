package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.LogSegment;
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

    private List<Long> ids(LogSegment... segments) {
        return policy.choose(List.of(segments)).stream().map(LogSegment::id).toList();
    }
}
