package dev.caskwright.index.offheap;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.IndexMemoryException;
import net.openhft.chronicle.algo.hashing.LongHashFunction;
import org.junit.jupiter.api.BeforeAll;
import org.junit.jupiter.api.Test;

final class GenerationTest {
    /** What an entry takes beside its key. */
    private static final int ENTRY_BYTES = 12;

    @BeforeAll
    static void prepare() {
        Requirements.check();
    }

    private static Generation create(long keys, double keyLength) throws IndexMemoryException {
        return Generation.create(keys, keyLength, LongHashFunction.xx_r39(5));
    }

    @Test
    void itHoldsATenthMoreKeysThanItWasMadeFor() throws Exception {
        try (Generation generation = create(1_000, 16)) {
            assertThat(generation.holds(1_100, 0)).isTrue();
            assertThat(generation.holds(1_101, 0)).isFalse();
        }
    }

    @Test
    void itHoldsATenthMoreBytesThanItWasMadeFor() throws Exception {
        long bytes = 1_100 * (16 + ENTRY_BYTES);
        try (Generation generation = create(1_000, 16)) {
            assertThat(generation.holds(100, bytes - 100 * ENTRY_BYTES)).isTrue();
            assertThat(generation.holds(100, bytes - 100 * ENTRY_BYTES + 1)).isFalse();
            assertThat(generation.holds(101, bytes - 100 * ENTRY_BYTES)).isFalse();
        }
    }

    @Test
    void itIsSparseWithLessThanAnEighth() throws Exception {
        try (Generation generation = create(1_000, 16)) {
            assertThat(generation.isSparse(136)).isTrue();
            assertThat(generation.isSparse(137)).isFalse();
        }
    }

    @Test
    void theSmallestAreNeverSparse() throws Exception {
        try (Generation smallest = create(1, 16);
                Generation small = create(931, 16);
                Generation larger = create(932, 16)) {
            assertThat(smallest.holds(Generation.MIN_KEYS, 16 * Generation.MIN_KEYS))
                    .isTrue();
            assertThat(smallest.isSparse(0)).isFalse();
            assertThat(small.isSparse(0)).isFalse();
            assertThat(larger.isSparse(0)).isTrue();
        }
    }

    @Test
    void moreAndLongerKeysTakeMoreMemory() throws Exception {
        try (Generation small = create(1_000, 16);
                Generation large = create(100_000, 16);
                Generation longer = create(100_000, 160)) {
            assertThat(small.memoryBytes()).isGreaterThan(1_000 * 24);
            assertThat(large.memoryBytes()).isGreaterThan(100_000 * 24);
            assertThat(longer.memoryBytes()).isGreaterThan(large.memoryBytes() + 100_000 * 100);
        }
    }

    @Test
    void closingClosesTheMap() throws Exception {
        Generation generation = create(1_000, 16);
        assertThat(generation.map().isOpen()).isTrue();
        generation.close();
        assertThat(generation.map().isOpen()).isFalse();
    }
}
