package dev.caskwright.bolt.page;

import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;

/** Compares and copies bytes of buffers by absolute index; the buffers' own positions and byte orders do not matter. */
public final class Bytes {
    private static final VarHandle LONG_IN_ARRAY =
            MethodHandles.byteArrayViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);
    private static final VarHandle LONG_IN_BUFFER =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.BIG_ENDIAN);

    private static final VarHandle LITTLE_LONG =
            MethodHandles.byteBufferViewVarHandle(long[].class, ByteOrder.LITTLE_ENDIAN);
    private static final VarHandle LITTLE_INT =
            MethodHandles.byteBufferViewVarHandle(int[].class, ByteOrder.LITTLE_ENDIAN);

    private static final byte MARK = (byte) 0xA7;

    private Bytes() {}

    /** Returns eight bytes as a number, the first one lowest. */
    static long getLong(ByteBuffer source, int index) {
        return (long) LITTLE_LONG.get(source, index);
    }

    /** Returns four bytes as a number, the first one lowest. */
    static int getInt(ByteBuffer source, int index) {
        return (int) LITTLE_INT.get(source, index);
    }

    /** Returns eight bytes as a number, the first one highest. */
    public static long getBigEndianLong(ByteBuffer source, int index) {
        return (long) LONG_IN_BUFFER.get(source, index);
    }

    /** Compares bytes of a buffer with those of an array, as unsigned bytes; a prefix comes first. */
    public static int compare(
            ByteBuffer left, int leftIndex, int leftLength, byte[] right, int rightOffset, int rightLength) {
        int common = Math.min(leftLength, rightLength);
        int at = 0;
        for (; at <= common - Long.BYTES; at += Long.BYTES) {
            long one = (long) LONG_IN_BUFFER.get(left, leftIndex + at);
            long other = (long) LONG_IN_ARRAY.get(right, rightOffset + at);
            if (one != other) {
                return Long.compareUnsigned(one, other);
            }
        }
        for (; at < common; at++) {
            int difference = (left.get(leftIndex + at) & 0xFF) - (right[rightOffset + at] & 0xFF);
            if (difference != 0) {
                return difference;
            }
        }
        return leftLength - rightLength;
    }

    /** Returns eight bytes of an array from an index on as a number, the first one highest; 0 if there are not as many. */
    public static long word(byte[] source, int offset, int length, int index) {
        return length >= index + Long.BYTES ? (long) LONG_IN_ARRAY.get(source, offset + index) : 0;
    }

    /**
     * As {@link #compare(ByteBuffer, int, int, byte[], int, int)}, for an array that is compared again and again.
     *
     * @param first the array's {@link #word} at 0
     * @param second the one at 8
     */
    public static int compare(
            ByteBuffer left,
            int leftIndex,
            int leftLength,
            byte[] right,
            int rightOffset,
            int rightLength,
            long first,
            long second) {
        int common = Math.min(leftLength, rightLength);
        int equal = 0;
        if (common >= Long.BYTES) {
            long one = (long) LONG_IN_BUFFER.get(left, leftIndex);
            if (one != first) {
                return Long.compareUnsigned(one, first);
            }
            equal = Long.BYTES;
            if (common >= 2 * Long.BYTES) {
                one = (long) LONG_IN_BUFFER.get(left, leftIndex + Long.BYTES);
                if (one != second) {
                    return Long.compareUnsigned(one, second);
                }
                equal = 2 * Long.BYTES;
            }
        }
        return equal == common
                ? leftLength - rightLength
                : compare(left, leftIndex + equal, leftLength - equal, right, rightOffset + equal, rightLength - equal);
    }

    /** As {@link #compare(ByteBuffer, int, int, byte[], int, int)}, for two buffers. */
    public static int compare(
            ByteBuffer left, int leftIndex, int leftLength, ByteBuffer right, int rightIndex, int rightLength) {
        int common = Math.min(leftLength, rightLength);
        int at = 0;
        for (; at <= common - Long.BYTES; at += Long.BYTES) {
            long one = (long) LONG_IN_BUFFER.get(left, leftIndex + at);
            long other = (long) LONG_IN_BUFFER.get(right, rightIndex + at);
            if (one != other) {
                return Long.compareUnsigned(one, other);
            }
        }
        for (; at < common; at++) {
            int difference = (left.get(leftIndex + at) & 0xFF) - (right.get(rightIndex + at) & 0xFF);
            if (difference != 0) {
                return difference;
            }
        }
        return leftLength - rightLength;
    }

    /** Returns a copy of bytes of a buffer. */
    public static byte[] copy(ByteBuffer source, int index, int length) {
        byte[] copy = new byte[length];
        copy(source, index, copy, 0, length);
        return copy;
    }

    /**
     * Copies bytes of a buffer to an array. Where mapped bytes are gone, because somebody has cut the file, a copy in compiled code
     * stops and tells of it later, in whatever code comes next. So the last byte is marked before: if the mark is left, even after
     * a second try with another mark, the copy did not come to its end.
     *
     * @throws InternalError if mapped bytes are gone
     */
    public static void copy(ByteBuffer source, int index, byte[] target, int targetOffset, int length) {
        if (length == 0 || !source.isDirect()) {
            source.get(index, target, targetOffset, length);
            return;
        }
        int last = targetOffset + length - 1;
        target[last] = MARK;
        source.get(index, target, targetOffset, length);
        if (target[last] == MARK) {
            target[last] = ~MARK;
            source.get(index, target, targetOffset, length);
            if (target[last] == ~MARK) {
                throw new InternalError("mapped bytes are gone");
            }
        }
    }
}
