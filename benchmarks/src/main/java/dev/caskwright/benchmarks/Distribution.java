package dev.caskwright.benchmarks;

import java.util.SplittableRandom;

/** How often each key is asked for. */
public enum Distribution {
    /** Every key as often as any other. */
    UNIFORM,
    /**
     * The k-th most popular key k^-0.99 times as often as the first, as in YCSB. Popular keys are spread over the whole
     * order of filling, so that they are not neighbours in a log.
     */
    ZIPF;

    /** The exponent of {@link #ZIPF}. */
    static final double ZIPF_EXPONENT = 0.99;

    /** Returns {@code count} numbers from 0 to {@code keys - 1}; the same for the same seed. */
    int[] numbers(int keys, int count, long seed) {
        SplittableRandom random = new SplittableRandom(seed);
        int[] numbers = new int[count];
        if (this == UNIFORM) {
            for (int i = 0; i < count; i++) {
                numbers[i] = random.nextInt(keys);
            }
            return numbers;
        }
        ZipfSampler sampler = new ZipfSampler(keys, ZIPF_EXPONENT);
        for (int i = 0; i < count; i++) {
            numbers[i] = scatter(sampler.rank(random) - 1, keys);
        }
        return numbers;
    }

    /** A permutation of 0 to {@code keys - 1}: multiplication by a number that shares no factor with {@code keys}. */
    static int scatter(long rank, int keys) {
        long factor = (long) (keys * 0.6180339887498949) | 1;
        while (greatestCommonDivisor(factor, keys) != 1) {
            factor += 2;
        }
        return (int) ((rank * factor + 12_345) % keys);
    }

    private static long greatestCommonDivisor(long a, long b) {
        return b == 0 ? a : greatestCommonDivisor(b, a % b);
    }
}
