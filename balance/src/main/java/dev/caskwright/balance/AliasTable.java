package dev.caskwright.balance;

import java.util.random.RandomGenerator;

/** Draws endpoints by weight in constant time: each place has up to two, and a threshold between them. (Vose 1991.) */
final class AliasTable {
    private final Endpoint[] endpoints;
    private final long[] thresholds; // of totalWeight: below it the place's own endpoint is drawn, otherwise its alias
    private final int[] aliases;
    private final long totalWeight;

    AliasTable(ServiceList list) {
        int size = list.size();
        endpoints = list.endpoints().toArray(Endpoint[]::new);
        thresholds = new long[size];
        aliases = new int[size];
        totalWeight = list.totalWeight();
        int[] small = new int[size];
        int[] large = new int[size];
        int smalls = 0;
        int larges = 0;
        long[] shares = new long[size]; // in units of which a full place has totalWeight: no rounding
        for (int i = 0; i < size; i++) {
            shares[i] = (long) endpoints[i].weight() * size;
            if (shares[i] < totalWeight) {
                small[smalls++] = i;
            } else {
                large[larges++] = i;
            }
        }
        while (smalls > 0) {
            int place = small[--smalls];
            int other = large[larges - 1]; // there is one: the shares of all places add up to full ones
            thresholds[place] = shares[place];
            aliases[place] = other;
            shares[other] -= totalWeight - shares[place];
            if (shares[other] < totalWeight) {
                larges--;
                small[smalls++] = other;
            }
        }
        while (larges > 0) {
            int place = large[--larges];
            thresholds[place] = totalWeight;
            aliases[place] = place;
        }
    }

    Endpoint draw(RandomGenerator random) {
        int place = random.nextInt(endpoints.length);
        return random.nextLong(totalWeight) < thresholds[place] ? endpoints[place] : endpoints[aliases[place]];
    }
}
