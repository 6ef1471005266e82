package dev.caskwright.balance;

import java.util.List;

/**
 * A sequence in which each endpoint stands as often as its weight says, spread as evenly as can be: at each step every endpoint
 * gains its weight, and the one that has most is taken and loses the sum of all. Computed once for a list, so that threads only
 * have to walk it.
 */
final class SmoothSequence {
    private static final int MAX_LENGTH = 4_096;

    private SmoothSequence() {}

    static Endpoint[] of(ServiceList list) {
        List<Endpoint> endpoints = list.endpoints();
        int[] weights = weights(endpoints);
        int length = 0;
        for (int weight : weights) {
            length += weight;
        }
        long[] gained = new long[weights.length];
        Endpoint[] sequence = new Endpoint[length];
        for (int step = 0; step < length; step++) {
            int most = 0;
            for (int i = 0; i < weights.length; i++) {
                gained[i] += weights[i];
                if (gained[i] > gained[most]) {
                    most = i;
                }
            }
            gained[most] -= length;
            sequence[step] = endpoints.get(most);
        }
        return sequence;
    }

    /** Returns the weights in lowest terms, scaled down if their sum would make the sequence too long; none becomes 0. */
    private static int[] weights(List<Endpoint> endpoints) {
        int divisor = 0;
        long sum = 0;
        for (Endpoint endpoint : endpoints) {
            divisor = greatestCommonDivisor(divisor, endpoint.weight());
            sum += endpoint.weight();
        }
        double scale = sum / divisor <= MAX_LENGTH ? 1.0 / divisor : (double) MAX_LENGTH / sum;
        int[] weights = new int[endpoints.size()];
        for (int i = 0; i < weights.length; i++) {
            weights[i] = (int) Math.max(1, Math.round(endpoints.get(i).weight() * scale));
        }
        return weights;
    }

    private static int greatestCommonDivisor(int one, int other) {
        return other == 0 ? one : greatestCommonDivisor(other, one % other);
    }
}
