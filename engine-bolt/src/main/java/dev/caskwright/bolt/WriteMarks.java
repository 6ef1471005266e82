package dev.caskwright.bolt;

import java.util.Arrays;
import java.util.concurrent.atomic.AtomicLongArray;

/**
 * Tells whether a key may have been written since one looked, also with the value that it had: by a counter for each of many
 * groups of keys. A key's counter grows within the transaction that writes it, and again after the commit. Writes that change nothing leave it, so that
 * of transactions that are in each other's way one always gets through.
 */
final class WriteMarks {
    private static final int GROUPS = 1 << 14;

    private final AtomicLongArray counters = new AtomicLongArray(GROUPS);

    private static int group(byte[] key) {
        int hash = Arrays.hashCode(key) * 0x9E3779B9;
        return hash >>> Integer.SIZE - Integer.numberOfTrailingZeros(GROUPS);
    }

    long of(byte[] key) {
        return counters.get(group(key));
    }

    void mark(byte[] key) {
        counters.incrementAndGet(group(key));
    }
}
