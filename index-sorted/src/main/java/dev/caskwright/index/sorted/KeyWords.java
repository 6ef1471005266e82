package dev.caskwright.index.sorted;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteOrder;
import java.util.Arrays;

/**
 * The first eight bytes of what is left of a key after the prefix of its node, as a number that compares as the bytes do:
 * the head. Shorter rests are filled up with zeros, so equal heads do not mean equal rests.
 */
final class KeyWords {
    /** How many bytes a head has. */
    static final int HEAD_BYTES = Long.BYTES;

    private static final VarHandle BIG_ENDIAN =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private KeyWords() {}

    /** Returns the head of {@code length} bytes from {@code offset}; heads compare as signed numbers. */
    static long head(byte[] bytes, int offset, int length) {
        if (length >= HEAD_BYTES) {
            return (long) BIG_ENDIAN.get(bytes, offset) ^ Long.MIN_VALUE;
        }
        long head = 0;
        for (int i = 0; i < length; i++) {
            head |= (bytes[offset + i] & 0xFFL) << (Long.SIZE - Byte.SIZE * (i + 1));
        }
        return head ^ Long.MIN_VALUE;
    }

    /** Writes the first {@code length} bytes of a head, up to eight. */
    static void putHead(long head, byte[] target, int offset, int length) {
        long bits = head ^ Long.MIN_VALUE;
        if (length == HEAD_BYTES) {
            BIG_ENDIAN.set(target, offset, bits);
            return;
        }
        for (int i = 0; i < length; i++) {
            target[offset + i] = (byte) (bits >>> (Long.SIZE - Byte.SIZE * (i + 1)));
        }
    }

    /** Returns whether a number is the head of so many bytes: behind them it has zeros. */
    static boolean isHead(long head, int length) {
        return length == HEAD_BYTES || (head ^ Long.MIN_VALUE) << Byte.SIZE * length == 0;
    }

    /** Returns how many bytes two ranges have in common at their beginning. */
    static int commonPrefix(byte[] left, int from, int to, byte[] right, int rightFrom, int rightTo) {
        int mismatch = Arrays.mismatch(left, from, to, right, rightFrom, rightTo);
        return mismatch < 0 ? to - from : mismatch;
    }
}
