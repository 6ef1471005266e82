package dev.caskwright.mvcc;

import dev.caskwright.api.spi.KeyHash;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Finds histories by their keys while a store is loaded: an open-addressing table, at most half full, of a seeded hash, so that no
 * choice of keys makes it slow. For one thread.
 */
final class HistoryTable {
    private static final int FIRST_PLACES = 1 << 10;

    private final KeyHash hash = new KeyHash(new SplittableRandom().nextLong());
    private @Nullable KeyHistory[] places = new KeyHistory[FIRST_PLACES];
    private int count;

    /** Returns the place of a key's history, or the free one where it belongs; good until the next {@link #set}. */
    int find(byte[] key) {
        if (count >= places.length / 2) {
            grow();
        }
        int mask = places.length - 1;
        int place = (int) hash.hash(key, 0, key.length) & mask;
        for (KeyHistory there = places[place];
                there != null && !Arrays.equals(there.key(), key);
                there = places[place]) {
            place = place + 1 & mask;
        }
        return place;
    }

    @Nullable KeyHistory at(int place) {
        return places[place];
    }

    void set(int place, KeyHistory history) {
        if (places[place] == null) {
            count++;
        }
        places[place] = history;
    }

    private void grow() {
        @Nullable KeyHistory[] old = places;
        places = new KeyHistory[Math.multiplyExact(old.length, 2)];
        int mask = places.length - 1;
        for (KeyHistory history : old) {
            if (history != null) {
                byte[] key = history.key();
                int place = (int) hash.hash(key, 0, key.length) & mask;
                while (places[place] != null) {
                    place = place + 1 & mask;
                }
                places[place] = history;
            }
        }
    }

    /** Returns all histories, in no order, and forgets them. */
    KeyHistory[] takeAll() {
        KeyHistory[] all = new KeyHistory[count];
        int next = 0;
        for (KeyHistory history : places) {
            if (history != null) {
                all[next++] = history;
            }
        }
        places = new KeyHistory[FIRST_PLACES];
        count = 0;
        return all;
    }
}
