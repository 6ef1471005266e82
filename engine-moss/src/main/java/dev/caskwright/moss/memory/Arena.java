package dev.caskwright.moss.memory;

import java.util.Arrays;

/**
 * Bytes that are only appended, in chunks. One thread appends; others may read what was appended before they were told
 * of it. A piece lies in one chunk; one that is longer than a chunk has a chunk of its own.
 */
final class Arena {
    static final int LARGEST_CHUNK = 1 << 20;
    private static final int FIRST_CHUNK = 1 << 12;

    private volatile byte[][] chunks = new byte[4][];
    private byte[] current = new byte[FIRST_CHUNK];
    private int currentNumber;
    private int used;
    private int count = 1;
    private long bytes = FIRST_CHUNK;

    Arena() {
        chunks[0] = current;
    }

    /** Makes room for a piece; {@link #chunk}, {@link #number} and {@link #offset} tell where. */
    void reserve(int length) {
        if (length <= current.length - used) {
            return;
        }
        // Of two pieces that share no chunk, neither should have much more than it needs.
        int size = length > LARGEST_CHUNK / 2 ? length : Math.max(length, Math.min(LARGEST_CHUNK, 2 * current.length));
        byte[] next = new byte[size];
        byte[][] all = chunks;
        if (count == all.length) {
            byte[][] more = new byte[2 * count][];
            System.arraycopy(all, 0, more, 0, count);
            all = more;
        }
        all[count] = next;
        chunks = all;
        current = next;
        currentNumber = count;
        count++;
        used = 0;
        bytes += size;
    }

    /** Gives back what is left of the last chunk. For an arena that nobody reads yet, and nothing is added to again. */
    void trim() {
        bytes -= current.length - used;
        current = Arrays.copyOf(current, used);
        chunks[currentNumber] = current;
    }

    byte[] chunk() {
        return current;
    }

    int number() {
        return currentNumber;
    }

    int offset() {
        return used;
    }

    void advance(int length) {
        used += length;
    }

    byte[] chunk(int number) {
        return chunks[number];
    }

    /** Returns the bytes of all chunks. */
    long bytes() {
        return bytes;
    }

    /** Returns the chunks as they are. */
    byte[][] all() {
        return Arrays.copyOf(chunks, count);
    }
}
