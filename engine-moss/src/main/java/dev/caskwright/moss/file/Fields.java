package dev.caskwright.moss.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.moss.memory.LittleEndian;
import java.util.Arrays;

/** Reads fields of a section one after another. Lengths that lead out of it are damage. */
final class Fields {
    private final String file;
    private final long place;
    private final byte[] bytes;
    private final int end;
    private int position;

    Fields(String file, long place, byte[] bytes, int from, int end) {
        this.file = file;
        this.place = place;
        this.bytes = bytes;
        this.position = from;
        this.end = end;
    }

    boolean hasMore() {
        return position < end;
    }

    private void need(long length) throws CorruptRecordException {
        if (length < 0 || length > end - position) {
            throw new CorruptRecordException(
                    "a field does not fit its section", file, place + position, "length=" + length);
        }
    }

    long var() throws CorruptRecordException {
        long value = 0;
        for (int shift = 0; shift < Long.SIZE; shift += 7) {
            need(1);
            int each = bytes[position++];
            value |= (each & 0x7FL) << shift;
            if (each >= 0) {
                return value;
            }
        }
        throw new CorruptRecordException("a number is too long", file, place + position, "");
    }

    int intValue() throws CorruptRecordException {
        need(Integer.BYTES);
        int value = LittleEndian.getInt(bytes, position);
        position += Integer.BYTES;
        return value;
    }

    long longValue() throws CorruptRecordException {
        need(Long.BYTES);
        long value = LittleEndian.getLong(bytes, position);
        position += Long.BYTES;
        return value;
    }

    /** Passes over a slice; returns its length. */
    int skipSlice() throws CorruptRecordException {
        long length = var();
        need(length);
        position += (int) length;
        return (int) length;
    }

    int position() {
        return position;
    }

    byte[] slice() throws CorruptRecordException {
        long length = var();
        need(length);
        byte[] slice = Arrays.copyOfRange(bytes, position, position + (int) length);
        position += (int) length;
        return slice;
    }
}
