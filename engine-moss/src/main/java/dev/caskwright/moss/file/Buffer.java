package dev.caskwright.moss.file;

import dev.caskwright.moss.memory.LittleEndian;
import java.util.Arrays;

/** Bytes that grow as they are added. For one thread. */
final class Buffer {
    private byte[] bytes;
    private int used;

    Buffer(int capacity) {
        bytes = new byte[capacity];
    }

    private void makeRoom(long more) {
        long needed = used + more;
        if (needed > bytes.length) {
            if (needed > Integer.MAX_VALUE - Long.BYTES) {
                throw new IllegalArgumentException("section is too long: length=" + needed + ", limit=2 GiB");
            }
            bytes = Arrays.copyOf(
                    bytes, (int) Math.min(Integer.MAX_VALUE - Long.BYTES, Math.max(needed, 2L * bytes.length)));
        }
    }

    void addByte(int value) {
        makeRoom(1);
        bytes[used++] = (byte) value;
    }

    void addVar(long value) {
        makeRoom(LittleEndian.LONGEST);
        used = LittleEndian.putVar(bytes, used, value);
    }

    void addShort(int value) {
        makeRoom(Short.BYTES);
        SortedFormat.putShort(bytes, used, value);
        used += Short.BYTES;
    }

    void addInt(int value) {
        makeRoom(Integer.BYTES);
        LittleEndian.putInt(bytes, used, value);
        used += Integer.BYTES;
    }

    void addLong(long value) {
        makeRoom(Long.BYTES);
        LittleEndian.putLong(bytes, used, value);
        used += Long.BYTES;
    }

    void add(byte[] source, int offset, int length) {
        makeRoom(length);
        System.arraycopy(source, offset, bytes, used, length);
        used += length;
    }

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return used;
    }

    void clear() {
        used = 0;
    }
}
