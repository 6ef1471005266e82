package dev.caskwright.server.store;

import java.util.Arrays;

/**
 * Which keys may have changed since the last force: one bit for all keys of the same hash. A key that has changed is always
 * found; one that has not is taken for one that has about once in 65,536 times the number of those that have.
 */
final class UnforcedKeys {
    private static final int BITS = 1 << 16;

    private final long[] words = new long[BITS / Long.SIZE];
    private boolean isEmpty = true;
    private boolean isEverything;

    void add(byte[] key) {
        int bit = bit(key);
        words[bit >>> 6] |= 1L << bit;
        isEmpty = false;
    }

    void addEverything() {
        isEverything = true;
        isEmpty = false;
    }

    void addAll(UnforcedKeys other) {
        if (!other.isEmpty) {
            for (int i = 0; i < words.length; i++) {
                words[i] |= other.words[i];
            }
            isEverything |= other.isEverything;
            isEmpty = false;
        }
    }

    boolean mayHave(byte[] key) {
        if (isEmpty) {
            return false;
        }
        int bit = bit(key);
        return isEverything || (words[bit >>> 6] & 1L << bit) != 0;
    }

    void clear() {
        if (!isEmpty) {
            Arrays.fill(words, 0);
            isEmpty = true;
            isEverything = false;
        }
    }

    private static int bit(byte[] key) {
        int hash = Arrays.hashCode(key) * 0x9E3779B9;
        return hash >>> 16;
    }
}
