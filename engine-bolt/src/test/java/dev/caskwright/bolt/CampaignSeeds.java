package dev.caskwright.bolt;

import java.util.stream.LongStream;

/** The seeds of the long forms of tests: {@code -Dcaskwright.bolt.seeds}, from {@code -Dcaskwright.bolt.firstSeed} on. */
final class CampaignSeeds {
    private CampaignSeeds() {}

    static long[] get() {
        long first = Long.getLong("caskwright.bolt.firstSeed", 1_000);
        return LongStream.range(first, first + Long.getLong("caskwright.bolt.seeds", 20))
                .toArray();
    }
}
