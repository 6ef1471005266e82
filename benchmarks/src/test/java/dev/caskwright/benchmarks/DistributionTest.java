package dev.caskwright.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.within;

import java.util.Arrays;
import java.util.BitSet;
import java.util.HashSet;
import java.util.Set;
import java.util.SplittableRandom;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class DistributionTest {
    private static final int DRAWS = 400_000;

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 10, 1_000, 1_000_000})
    void zipfRanksAreAsFrequentAsTheirPower(int ranks) {
        ZipfSampler sampler = new ZipfSampler(ranks, Distribution.ZIPF_EXPONENT);
        SplittableRandom random = new SplittableRandom(42);
        int[] counts = new int[Math.min(ranks, 10) + 1];
        for (int i = 0; i < DRAWS; i++) {
            int rank = sampler.rank(random);
            assertThat(rank).isBetween(1, ranks);
            if (rank < counts.length) {
                counts[rank]++;
            }
        }
        double sum = 0;
        for (int rank = 1; rank <= ranks; rank++) {
            sum += Math.pow(rank, -Distribution.ZIPF_EXPONENT);
        }
        for (int rank = 1; rank < counts.length; rank++) {
            double expected = Math.pow(rank, -Distribution.ZIPF_EXPONENT) / sum;
            // Five standard deviations: with this seed it holds for ever.
            double deviation = Math.sqrt(expected * (1 - expected) / DRAWS);
            assertThat((double) counts[rank] / DRAWS)
                    .as("share of rank %d of %d, seed 42", rank, ranks)
                    .isCloseTo(expected, within(5 * deviation + 1e-9));
        }
    }

    @ParameterizedTest
    @ValueSource(ints = {1, 2, 7, 1_000, 99_991, 1_000_000})
    void scatterIsAPermutation(int keys) {
        BitSet seen = new BitSet(keys);
        for (int rank = 0; rank < keys; rank++) {
            int number = Distribution.scatter(rank, keys);
            assertThat(number).isBetween(0, keys - 1);
            seen.set(number);
        }
        assertThat(seen.cardinality()).isEqualTo(keys);
    }

    @Test
    void popularKeysAreNotNeighbours() {
        int first = Distribution.scatter(0, 1_000_000);
        int second = Distribution.scatter(1, 1_000_000);
        assertThat(Math.abs(first - second)).isGreaterThan(1_000);
    }

    @Test
    void sameSeedSameNumbers() {
        for (Distribution distribution : Distribution.values()) {
            int[] numbers = distribution.numbers(1_000, 100, 5);
            assertThat(distribution.numbers(1_000, 100, 5)).isEqualTo(numbers);
            assertThat(distribution.numbers(1_000, 100, 5)).isNotEqualTo(distribution.numbers(1_000, 100, 6));
        }
    }

    @Test
    void uniformNumbersReachAllKeys() {
        int[] numbers = Distribution.UNIFORM.numbers(100, 10_000, 1);
        assertThat(Arrays.stream(numbers).distinct().count()).isEqualTo(100);
        assertThat(Arrays.stream(numbers).min()).hasValue(0);
        assertThat(Arrays.stream(numbers).max()).hasValue(99);
    }

    @Test
    void keysDifferAndAreTheSameEveryTime() {
        Dataset data = new Dataset(10_000, 20);
        Set<String> keys = new HashSet<>();
        for (int i = 0; i < 20_000; i++) {
            keys.add(Arrays.toString(data.key(i)));
        }
        assertThat(keys).hasSize(20_000);
        assertThat(new Dataset(5, 20).key(17)).isEqualTo(data.key(17));
        assertThat(data.value(3, 0)).isNotEqualTo(data.value(3, 1)).hasSize(20);
    }
}
