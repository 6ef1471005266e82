package dev.caskwright.benchmarks;

import java.util.SplittableRandom;

/**
 * Draws ranks 1 to n, rank k with a probability proportional to k^-exponent.
 *
 * <p>Rejection-inversion after W. Hörmann and G. Derflinger, "Rejection-inversion to generate variates from monotone
 * discrete distributions" (1996): exact, in constant time, without a table of n sums.
 */
final class ZipfSampler {
    private final int ranks;
    private final double exponent;
    private final double integralAtStart;
    private final double integralAtEnd;
    private final double acceptAtOnce;

    /**
     * @param ranks the number of ranks, at least 1
     * @param exponent above 0 and not 1
     */
    ZipfSampler(int ranks, double exponent) {
        if (ranks < 1 || exponent <= 0 || exponent == 1.0) {
            throw new IllegalArgumentException("bad Zipf parameters: ranks=" + ranks + ", exponent=" + exponent);
        }
        this.ranks = ranks;
        this.exponent = exponent;
        this.integralAtStart = integral(1.5) - 1;
        this.integralAtEnd = integral(ranks + 0.5);
        this.acceptAtOnce = 2 - inverse(integral(2.5) - Math.pow(2, -exponent));
    }

    /** Returns a rank from 1 to n. Expects fewer than two draws of the generator. */
    int rank(SplittableRandom random) {
        while (true) {
            double height = integralAtEnd + random.nextDouble() * (integralAtStart - integralAtEnd);
            double x = inverse(height);
            int rank = (int) Math.min(ranks, Math.max(1, Math.round(x)));
            if (rank - x <= acceptAtOnce || height >= integral(rank + 0.5) - Math.pow(rank, -exponent)) {
                return rank;
            }
        }
    }

    private double integral(double x) {
        return Math.pow(x, 1 - exponent) / (1 - exponent);
    }

    private double inverse(double height) {
        return Math.pow(height * (1 - exponent), 1 / (1 - exponent));
    }
}
