package dev.caskwright.benchmarks;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/**
 * Counts what a scan saw, and sums its bytes so that no store can leave a value unread. The sum does not depend on the
 * order of the entries. Belongs to one thread.
 */
final class ScanTotals {
    private static final VarHandle LONGS = MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);

    private long count;
    private long checksum;

    /** Takes one value. */
    void add(byte[] value) {
        count++;
        checksum += checksum(value, value.length);
    }

    /** Takes one value, from position to limit, without moving the buffer. */
    void add(ByteBuffer value) {
        count++;
        checksum += checksum(value);
    }

    /** Returns the number of values seen. */
    long count() {
        return count;
    }

    /** Returns the sum over all values seen. */
    long checksum() {
        return checksum;
    }

    /** Returns the sum of one value's 64-bit words, the last padded with zeros. */
    static long checksum(byte[] value, int length) {
        long sum = length;
        int position = 0;
        for (; position + Long.BYTES <= length; position += Long.BYTES) {
            sum += (long) LONGS.get(value, position);
        }
        for (int shift = 0; position < length; position++, shift += Byte.SIZE) {
            sum += (value[position] & 0xFFL) << shift;
        }
        return sum;
    }

    private static long checksum(ByteBuffer value) {
        boolean swap = value.order() != ByteOrder.LITTLE_ENDIAN;
        int position = value.position();
        int limit = value.limit();
        long sum = (long) limit - position;
        for (; position + Long.BYTES <= limit; position += Long.BYTES) {
            long word = value.getLong(position);
            sum += swap ? Long.reverseBytes(word) : word;
        }
        for (int shift = 0; position < limit; position++, shift += Byte.SIZE) {
            sum += (value.get(position) & 0xFFL) << shift;
        }
        return sum;
    }
}
