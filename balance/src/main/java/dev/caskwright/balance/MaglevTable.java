package dev.caskwright.balance;

import org.jspecify.annotations.Nullable;

/** A table that endpoints fill in turn, each in its own order of places, as often in a round as its weight says. */
final class MaglevTable {
    private static final int PLACES = 65_537; // a prime, so that each step goes through all places

    private MaglevTable() {}

    static Endpoint[] of(ServiceList list) {
        int size = list.size();
        long[] next = new long[size];
        long[] steps = new long[size];
        int heaviest = 0;
        for (int i = 0; i < size; i++) {
            Endpoint endpoint = list.get(i);
            long hash = Hashes.of(endpoint.id());
            next[i] = Long.remainderUnsigned(hash, PLACES);
            steps[i] = Long.remainderUnsigned(Hashes.of(hash, 1), PLACES - 1) + 1;
            heaviest = Math.max(heaviest, endpoint.weight());
        }
        @Nullable Endpoint[] table = new Endpoint[PLACES];
        long[] owed = new long[size]; // a turn for each time that the weights add up to the heaviest one
        int filled = 0;
        while (filled < PLACES) {
            for (int i = 0; i < size && filled < PLACES; i++) {
                owed[i] += list.get(i).weight();
                if (owed[i] >= heaviest) {
                    owed[i] -= heaviest;
                    while (table[(int) next[i]] != null) {
                        next[i] = (next[i] + steps[i]) % PLACES;
                    }
                    table[(int) next[i]] = list.get(i);
                    filled++;
                }
            }
        }
        return filled(table);
    }

    private static Endpoint[] filled(@Nullable Endpoint[] table) {
        Endpoint[] filled = new Endpoint[table.length];
        for (int i = 0; i < table.length; i++) {
            Endpoint endpoint = table[i];
            if (endpoint == null) {
                throw new IllegalStateException("a place is empty: place=" + i);
            }
            filled[i] = endpoint;
        }
        return filled;
    }
}
