package dev.caskwright.index.sorted;

import java.util.Arrays;

/** Keys in ascending order with their locators: what a leaf is made of. The array of bytes is kept for the next use. */
final class Entries {
    /** More than this is not kept. */
    private static final int MAX_KEPT_BYTES = 1 << 20;

    byte[] bytes = new byte[1 << 12];
    /** Where key i begins; after the last one, where it ends. */
    int[] starts = new int[2 * Leaf.MAX_KEYS + 1];

    long[] locators = new long[2 * Leaf.MAX_KEYS];
    int count;

    void clear() {
        count = 0;
        if (bytes.length > MAX_KEPT_BYTES) {
            bytes = new byte[1 << 12];
        }
    }

    int byteCount() {
        return starts[count];
    }

    int length(int number) {
        return starts[number + 1] - starts[number];
    }

    /** Makes room for a key of that length at the end, and returns where it belongs in {@link #bytes}. */
    int reserve(int length) {
        int at = starts[count];
        if (bytes.length - at < length) {
            bytes = Arrays.copyOf(bytes, Math.max(2 * bytes.length, at + length));
        }
        return at;
    }

    /** Takes the bytes that were written after the last key as a key. */
    void add(int length, long locator) {
        starts[count + 1] = starts[count] + length;
        locators[count] = locator;
        count++;
    }

    void add(byte[] key, int offset, int length, long locator) {
        int at = reserve(length);
        System.arraycopy(key, offset, bytes, at, length);
        add(length, locator);
    }
}
