package dev.caskwright.benchmarks;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import org.HdrHistogram.Histogram;
import org.junit.jupiter.api.Test;

final class LatencyTest {
    /**
     * One stall of 20 ms delays the 400 operations that were meant to start meanwhile. A closed loop would show one slow
     * operation of 2,000, and a 90th percentile of nothing.
     */
    @Test
    void operationsDelayedByAStallCountTheirWaiting() throws IOException {
        int[] calls = {0};
        Throughput.Operation stallsOnce = number -> {
            if (calls[0]++ == 100) {
                long end = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(20);
                while (System.nanoTime() < end) {
                    Thread.onSpinWait();
                }
            }
            return number;
        };
        Histogram histogram = Latency.record(stallsOnce, new int[] {1}, 0.1, 10, () -> true);
        assertThat(histogram.getTotalCount()).isEqualTo((long) (0.1 * Latency.RATE));
        Map<String, Double> summary = Latency.summary(histogram);
        assertThat(summary.get(Latency.MAXIMUM)).isGreaterThanOrEqualTo(19_900);
        assertThat(summary.get("p90")).isGreaterThan(5_000);
    }

    @Test
    void onlyWhatCountsIsRecorded() throws IOException {
        int[] calls = {0};
        Histogram histogram = Latency.record(number -> calls[0]++, new int[] {1}, 0.01, 10, () -> calls[0] % 2 == 0);
        assertThat(histogram.getTotalCount()).isEqualTo((long) (0.01 * Latency.RATE));
        assertThat(calls[0]).isGreaterThanOrEqualTo(2 * (int) histogram.getTotalCount() - 1);
    }

    @Test
    void stopsWhenNothingCounts() throws IOException {
        assertThat(Latency.record(number -> 0, new int[] {1}, 1, 0.01, () -> false)
                        .getTotalCount())
                .isZero();
    }
}
