package dev.caskwright.benchmarks;

/** Where measured loops leave their sums, so that no compiler can leave the work out. */
final class Sink {
    /** The last sum; never read. */
    static volatile long sum;

    private Sink() {}
}
