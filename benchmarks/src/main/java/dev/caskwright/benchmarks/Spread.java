package dev.caskwright.benchmarks;

import java.util.Arrays;

/** The middle of several runs, and how far they lie apart. */
record Spread(double min, double median, double max, int runs) {
    /** Returns the spread of at least one value. */
    static Spread of(double... values) {
        double[] sorted = values.clone();
        Arrays.sort(sorted);
        int middle = sorted.length / 2;
        double median = sorted.length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
        return new Spread(sorted[0], median, sorted[sorted.length - 1], sorted.length);
    }
}
