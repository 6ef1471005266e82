package dev.caskwright.moss.memory;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;

/**
 * Operands of a merge as one value: for each, oldest first, its length (four bytes, little-endian) and its bytes. Lists
 * in memory have the newest operand first, because readers meet that one first.
 */
public final class Operands {
    private Operands() {}

    /** Stores operands, the newest first in the list, as one value. */
    public static byte[] encode(List<byte[]> newestFirst) {
        long length = 0;
        for (byte[] operand : newestFirst) {
            length += Integer.BYTES + operand.length;
        }
        byte[] encoded = new byte[Math.toIntExact(length)];
        int position = 0;
        for (int i = newestFirst.size() - 1; i >= 0; i--) {
            byte[] operand = newestFirst.get(i);
            LittleEndian.putInt(encoded, position, operand.length);
            System.arraycopy(operand, 0, encoded, position + Integer.BYTES, operand.length);
            position += Integer.BYTES + operand.length;
        }
        return encoded;
    }

    /** Returns the operands of a stored value, the newest first. */
    public static List<byte[]> decode(byte[] source, int offset, int length) {
        List<byte[]> newestFirst = new ArrayList<>();
        addTo(newestFirst, source, offset, length);
        return newestFirst;
    }

    /** Adds the operands of a stored value to a list, the newest first. */
    static void addTo(List<byte[]> newestFirst, byte[] source, int offset, int length) {
        List<byte[]> oldestFirst = new ArrayList<>();
        int end = offset + length;
        for (int position = offset; position < end; ) {
            int size = LittleEndian.getInt(source, position);
            int from = position + Integer.BYTES;
            if (size < 0 || size > end - from) {
                throw new IllegalStateException(
                        "operand does not fit its list: length=" + size + ", left=" + (end - from));
            }
            oldestFirst.add(Arrays.copyOfRange(source, from, from + size));
            position = from + size;
        }
        for (int i = oldestFirst.size() - 1; i >= 0; i--) {
            newestFirst.add(oldestFirst.get(i));
        }
    }
}
