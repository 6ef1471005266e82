package dev.caskwright.benchmarks;

import java.io.IOException;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.HdrHistogram.Histogram;

/**
 * Measures latency at a fixed rate, each operation timed from when it was meant to start: an operation that is late
 * because the one before it was slow counts its waiting, so nothing is omitted (no coordinated omission). The thread spins
 * between operations, since a sleeping one would measure its own waking up.
 */
final class Latency {
    /** Operations a second. */
    static final int RATE = 20_000;

    /** The percentiles reported, besides the maximum. */
    static final double[] PERCENTILES = {50, 90, 99, 99.9, 99.99};

    /** The name of the maximum. */
    static final String MAXIMUM = "max";

    private static final int DIGITS = 3;

    private Latency() {}

    /** Runs the operation at {@link #RATE}. */
    static Histogram record(
            Throughput.Operation operation, int[] numbers, double seconds, double maxSeconds, BooleanSupplier counts)
            throws IOException {
        return record(operation, numbers, RATE, seconds, maxSeconds, counts);
    }

    /**
     * Runs the operation at a fixed rate.
     *
     * @param rate operations a second
     * @param seconds how many seconds' worth of operations to record, so that {@code counts} must be true for so long
     * @param maxSeconds when to stop even if {@code counts} has not been true for long enough
     * @param counts whether an operation that is meant to start now is recorded
     */
    static Histogram record(
            Throughput.Operation operation,
            int[] numbers,
            int rate,
            double seconds,
            double maxSeconds,
            BooleanSupplier counts)
            throws IOException {
        Histogram histogram = new Histogram(DIGITS);
        long wanted = (long) (seconds * rate);
        long interval = TimeUnit.SECONDS.toNanos(1) / rate;
        long intended = System.nanoTime();
        long deadline = intended + (long) (maxSeconds * 1e9);
        long sum = 0;
        for (int i = 0; histogram.getTotalCount() < wanted && intended < deadline; i++) {
            intended += interval;
            boolean counted = counts.getAsBoolean();
            while (System.nanoTime() < intended) {
                Thread.onSpinWait();
            }
            sum += operation.run(numbers[i % numbers.length]);
            if (counted) {
                histogram.recordValue(System.nanoTime() - intended);
            }
        }
        Sink.sum = sum;
        return histogram;
    }

    /** Returns the percentiles and the maximum in microseconds, by name. */
    static Map<String, Double> summary(Histogram histogram) {
        Map<String, Double> summary = new LinkedHashMap<>();
        for (double percentile : PERCENTILES) {
            summary.put(name(percentile), histogram.getValueAtPercentile(percentile) / 1e3);
        }
        summary.put(MAXIMUM, histogram.getMaxValue() / 1e3);
        return summary;
    }

    /** Returns the name of a percentile: {@code p99.9}. */
    static String name(double percentile) {
        return percentile == Math.rint(percentile) ? "p" + (long) percentile : "p" + percentile;
    }
}
