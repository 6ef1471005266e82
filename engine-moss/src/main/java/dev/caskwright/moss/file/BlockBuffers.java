package dev.caskwright.moss.file;

import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/*
 * A new array for each block would be cleared, would lie in no cache, and would push others out. An array that has just
 * been used is in the nearest cache, so that copying into it and summing it up are cheap.
 */
/** Arrays to read blocks into, each for the short time of a search. There are as many as threads use at once, and few. */
final class BlockBuffers {
    /** Longer than almost all blocks. */
    private static final int LENGTH = 2 * SortedFormat.BLOCK_LENGTH;

    private static final int SLOTS = 64;
    private static final AtomicReferenceArray<byte @Nullable []> FREE = new AtomicReferenceArray<>(SLOTS);

    private BlockBuffers() {}

    /** Returns an array of at least that length, which is the caller's. */
    static byte[] take(int length) {
        if (length > LENGTH) {
            return new byte[length];
        }
        byte[] free = FREE.getAndSet(slot(), null);
        return free == null ? new byte[LENGTH] : free;
    }

    /** Gives an array back, which the caller does not use any more. */
    static void give(byte[] array) {
        if (array.length == LENGTH) {
            FREE.lazySet(slot(), array);
        }
    }

    private static int slot() {
        return (int) Thread.currentThread().getId() & (SLOTS - 1);
    }
}
