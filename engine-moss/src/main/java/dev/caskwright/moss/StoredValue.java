package dev.caskwright.moss;

import dev.caskwright.moss.memory.LittleEndian;
import java.util.Arrays;

/** A value as a lower level has it: the version of its write as a number of variable length, then the value. */
final class StoredValue {
    private StoredValue() {}

    static byte[] encode(long version, byte[] value) {
        int length = LittleEndian.varLength(version);
        byte[] stored = new byte[Math.addExact(length, value.length)];
        LittleEndian.putVar(stored, 0, version);
        System.arraycopy(value, 0, stored, length, value.length);
        return stored;
    }

    static int valueOffset(byte[] stored) {
        int position = 0;
        while (stored[position] < 0) {
            position++;
        }
        return position + 1;
    }

    static long version(byte[] stored) {
        long version = 0;
        int shift = 0;
        for (int position = 0; ; position++) {
            version |= (stored[position] & 0x7FL) << shift;
            if (stored[position] >= 0) {
                return version;
            }
            shift += 7;
        }
    }

    static byte[] value(byte[] stored) {
        return Arrays.copyOfRange(stored, valueOffset(stored), stored.length);
    }
}
