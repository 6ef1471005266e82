package dev.caskwright.moss;

import dev.caskwright.moss.memory.Kind;
import dev.caskwright.moss.memory.LittleEndian;
import java.util.Arrays;

/**
 * Writes as the log stores them and the memory table takes them, one after the other:
 *
 * <pre>
 * kind 1 byte | 0x80 if it is the last of its batch
 * version less that of the first write, length of the key, length of the value: numbers of variable length
 * key | value
 * </pre>
 *
 * Keys are those of {@link KeySpace}; the value of a range delete is the key after its last one. For one thread at a
 * time.
 */
final class Operations {
    static final int LAST = 0x80;
    private static final int MOST_KEPT = 1 << 20;
    private static final int FIRST_LENGTH = 1 << 12;

    private byte[] bytes = new byte[FIRST_LENGTH];
    private int used;
    private int count;
    private int lastKind = -1; // where the kind of the last write is
    private boolean hasRanges;

    /** Takes a body of a log's record. */
    static Operations of(byte[] body) {
        Operations operations = new Operations();
        operations.bytes = body;
        operations.used = body.length;
        Reader each = new Reader(body, 0, body.length);
        while (each.next()) {
            operations.count++;
            operations.hasRanges |= each.kind == Kind.DELETE_RANGE;
        }
        return operations;
    }

    void clear() {
        if (bytes.length > MOST_KEPT) {
            bytes = new byte[FIRST_LENGTH];
        }
        used = 0;
        count = 0;
        lastKind = -1;
        hasRanges = false;
    }

    /** Adds a write with the version after that of the one before. */
    void add(int kind, byte[] key, int keyOffset, int keyLength, byte[] value, int valueOffset, int valueLength) {
        add(kind, count, key, keyOffset, keyLength, value, valueOffset, valueLength);
    }

    void add(
            int kind,
            long versionDelta,
            byte[] key,
            int keyOffset,
            int keyLength,
            byte[] value,
            int valueOffset,
            int valueLength) {
        long most = used + 1L + 3L * LittleEndian.LONGEST + keyLength + valueLength;
        if (most > bytes.length) {
            if (most > Integer.MAX_VALUE - Long.BYTES) {
                throw new IllegalArgumentException("batch is too long: length=" + most + ", limit=2 GiB");
            }
            bytes = Arrays.copyOf(
                    bytes, (int) Math.min(Integer.MAX_VALUE - Long.BYTES, Math.max(most, 2L * bytes.length)));
        }
        byte[] target = bytes;
        lastKind = used;
        target[used] = (byte) kind;
        int position = LittleEndian.putVar(target, used + 1, versionDelta);
        position = LittleEndian.putVar(target, position, keyLength);
        position = LittleEndian.putVar(target, position, valueLength);
        System.arraycopy(key, keyOffset, target, position, keyLength);
        position += keyLength;
        System.arraycopy(value, valueOffset, target, position, valueLength);
        used = position + valueLength;
        count++;
        hasRanges |= kind == Kind.DELETE_RANGE;
    }

    /** Marks the last write as the last one of its batch. */
    void endBatch() {
        bytes[lastKind] |= (byte) LAST;
    }

    boolean isEmpty() {
        return count == 0;
    }

    int count() {
        return count;
    }

    boolean hasRanges() {
        return hasRanges;
    }

    byte[] bytes() {
        return bytes;
    }

    int length() {
        return used;
    }

    /** Reads writes one after another from an array. What it reads has been checked: lengths are true. */
    static final class Reader {
        private final byte[] source;
        private final int end;
        private int position;

        int kind;
        boolean isLast;
        long versionDelta;
        int keyOffset;
        int keyLength;
        int valueOffset;
        int valueLength;

        Reader(byte[] source, int from, int end) {
            this.source = source;
            this.position = from;
            this.end = end;
        }

        boolean next() {
            if (position == end) {
                return false;
            }
            int first = source[position++] & 0xFF;
            kind = first & ~LAST;
            isLast = (first & LAST) != 0;
            versionDelta = number();
            keyLength = (int) number();
            valueLength = (int) number();
            keyOffset = position;
            valueOffset = position + keyLength;
            position = Math.addExact(valueOffset, valueLength);
            if (keyLength < 0 || valueLength < 0 || position > end) {
                throw new IllegalStateException("a write does not fit: end=" + end + ", needed=" + position);
            }
            return true;
        }

        private long number() {
            long value = 0;
            for (int shift = 0; ; shift += 7) {
                int each = source[position++];
                value |= (each & 0x7FL) << shift;
                if (each >= 0) {
                    return value;
                }
            }
        }
    }
}
