package dev.caskwright.testkit;

import java.util.Arrays;

/**
 * The bytes of a simulated file. Zeros at its end take no memory, and copies share their bytes until one of them is
 * changed, so that an image of a whole disk costs little.
 */
final class FileContent {
    private static final byte[] NO_BYTES = new byte[0];

    private byte[] bytes = NO_BYTES;
    private int stored; // the bytes from here to the length are zeros
    private int length;
    private boolean isShared;

    FileContent() {}

    FileContent copy() {
        FileContent copy = new FileContent();
        copy.bytes = bytes;
        copy.stored = stored;
        copy.length = length;
        copy.isShared = true;
        isShared = true;
        return copy;
    }

    int length() {
        return length;
    }

    /** Returns from where on the content is all zeros. */
    int stored() {
        return stored;
    }

    void setLength(int newLength) {
        length = newLength;
        stored = Math.min(stored, newLength);
    }

    void write(int offset, byte[] source, int sourceOffset, int count) {
        if (count == 0) {
            return;
        }
        own(offset + count);
        if (offset > stored) {
            Arrays.fill(bytes, stored, offset, (byte) 0);
        }
        System.arraycopy(source, sourceOffset, bytes, offset, count);
        stored = Math.max(stored, offset + count);
        length = Math.max(length, stored);
    }

    /** Overwrites with zeros what there is between two offsets. */
    void zero(int from, int to) {
        if (from >= stored) {
            return;
        }
        if (to >= stored) {
            stored = from;
            return;
        }
        own(stored);
        Arrays.fill(bytes, from, to, (byte) 0);
    }

    /** Copies bytes that lie within the length. */
    void read(int offset, byte[] target, int targetOffset, int count) {
        int present = Math.max(0, Math.min(count, stored - offset));
        System.arraycopy(bytes, Math.min(offset, stored), target, targetOffset, present);
        Arrays.fill(target, targetOffset + present, targetOffset + count, (byte) 0);
    }

    byte[] toBytes(int from, int to) {
        byte[] copy = new byte[to - from];
        read(from, copy, 0, copy.length);
        return copy;
    }

    private void own(int needed) {
        if (isShared || needed > bytes.length) {
            int capacity =
                    needed > bytes.length ? (int) Math.max(needed, Math.min(2L * stored, 1 << 30)) : bytes.length;
            bytes = Arrays.copyOf(bytes, capacity);
            isShared = false;
        }
    }
}
