package dev.caskwright.kafka;

import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * How stores lay out their keys in the engine. Every key of a user starts with one byte 1; the records of the store
 * itself start with 0.
 *
 * <pre>
 * key-value  | 1 | key |
 * window     | 1 | segment 8 | escaped key | start 8 | sequence 4 |
 * session    | 1 | segment 8 | escaped key | end 8 | start 8 |
 * </pre>
 *
 * A segment is the time (of a window its start, of a session its end) divided by the segment interval; times are
 * milliseconds, numbers big-endian. In an escaped key each byte 0 is followed by 0xFF, and 0, 0 ends it: so keys sort
 * as before, and none is a prefix of another.
 */
final class Keys {
    /** At or before every key of a user. */
    static final byte[] FIRST = {1};
    /** After every key of a user. */
    static final byte[] END = {2};

    static final int WINDOW_SUFFIX = Long.BYTES + Integer.BYTES;
    static final int SESSION_SUFFIX = 2 * Long.BYTES;

    private static final int PREFIX = 1 + Long.BYTES;

    private Keys() {}

    static byte[] plain(byte[] key) {
        byte[] stored = new byte[key.length + 1];
        stored[0] = FIRST[0];
        System.arraycopy(key, 0, stored, 1, key.length);
        return stored;
    }

    static byte[] fromPlain(byte[] stored) {
        return Arrays.copyOfRange(stored, 1, stored.length);
    }

    /** Returns the first key of a segment. */
    static byte[] segment(long segment) {
        return ByteBuffer.allocate(PREFIX).put(FIRST[0]).putLong(segment).array();
    }

    static byte[] window(long segment, byte[] key, long start, int sequence) {
        return escaped(segment, key, WINDOW_SUFFIX)
                .putLong(start)
                .putInt(sequence)
                .array();
    }

    static byte[] session(long segment, byte[] key, long end, long start) {
        return escaped(segment, key, SESSION_SUFFIX).putLong(end).putLong(start).array();
    }

    private static ByteBuffer escaped(long segment, byte[] key, int suffix) {
        int zeros = 0;
        for (byte each : key) {
            zeros += each == 0 ? 1 : 0;
        }
        ByteBuffer stored = ByteBuffer.allocate(PREFIX + key.length + zeros + 2 + suffix);
        stored.put(FIRST[0]).putLong(segment);
        if (zeros == 0) {
            stored.put(key);
        } else {
            for (byte each : key) {
                stored.put(each);
                if (each == 0) {
                    stored.put((byte) 0xFF);
                }
            }
        }
        return stored.put((byte) 0).put((byte) 0);
    }

    /** Returns the user's key of a window or session. */
    static byte[] unescaped(byte[] stored, int suffix) {
        int end = stored.length - suffix - 2;
        byte[] key = new byte[end - PREFIX];
        int length = 0;
        for (int i = PREFIX; i < end; i++) {
            key[length++] = stored[i];
            if (stored[i] == 0) {
                i++; // the 0xFF after it
            }
        }
        return length == key.length ? key : Arrays.copyOf(key, length);
    }

    static long longAt(byte[] stored, int fromEnd) {
        return ByteBuffer.wrap(stored).getLong(stored.length - fromEnd);
    }

    static int intAt(byte[] stored, int fromEnd) {
        return ByteBuffer.wrap(stored).getInt(stored.length - fromEnd);
    }
}
