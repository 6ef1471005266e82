package dev.caskwright.balance;

import java.util.function.ToLongFunction;

/** Gives each endpoint a score for a key, and chooses the highest. */
final class Rendezvous<K> implements Strategy.Chooser<K> {
    private static final double TO_UNIT = 0x1.0p-53;

    private final Endpoint[] endpoints;
    private final long[] hashes;
    private final boolean isEvenlyWeighted;
    private final ToLongFunction<? super K> hash;

    Rendezvous(ServiceList list, ToLongFunction<? super K> hash) {
        this.endpoints = list.endpoints().toArray(Endpoint[]::new);
        this.hashes = new long[endpoints.length];
        for (int i = 0; i < endpoints.length; i++) {
            hashes[i] = Hashes.of(endpoints[i].id());
        }
        this.isEvenlyWeighted = list.isEvenlyWeighted();
        this.hash = hash;
    }

    @Override
    public Endpoint choose(K key) {
        long wanted = hash.applyAsLong(key);
        return isEvenlyWeighted ? highest(wanted) : highestWeighted(wanted);
    }

    /** Without logarithms: among equal weights the order of scores is that of the hashes. */
    private Endpoint highest(long wanted) {
        int best = 0;
        long bestScore = -1;
        for (int i = 0; i < endpoints.length; i++) {
            long score = Hashes.mix(wanted ^ hashes[i]) >>> 11;
            if (score > bestScore) {
                best = i;
                bestScore = score;
            }
        }
        return endpoints[best];
    }

    private Endpoint highestWeighted(long wanted) {
        int best = 0;
        double bestScore = Double.NEGATIVE_INFINITY;
        for (int i = 0; i < endpoints.length; i++) {
            double unit = ((Hashes.mix(wanted ^ hashes[i]) >>> 11) + 0.5) * TO_UNIT; // neither 0 nor 1
            double score = -endpoints[i].weight() / Math.log(unit);
            if (score > bestScore) {
                best = i;
                bestScore = score;
            }
        }
        return endpoints[best];
    }
}
