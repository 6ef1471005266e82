package dev.caskwright.kafka;

import java.nio.ByteBuffer;
import java.time.Instant;
import java.util.Arrays;
import org.apache.kafka.common.utils.Bytes;
import org.jspecify.annotations.Nullable;

/**
 * How stores lay out their keys in the engine. Every key of a user starts with one byte 1; the records of the store
 * itself start with 0.
 *
 * <pre>
 * key-value  | 1 | key |
 * window     | 1 | segment 8 | key | start 8 | sequence 4 |
 * session    | 1 | segment 8 | key | end 8 | start 8 |
 * </pre>
 *
 * A segment is the time (of a window its start, of a session its end) divided by the segment interval; times are
 * milliseconds, numbers big-endian. So the entries of a segment have the order that Kafka's own stores give them, which
 * Kafka's cache before a store relies on when it joins the two: where one key begins with another, theirs may be mixed.
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

    /** Returns the milliseconds of a moment, or the nearest that there are: the ends of time are fit bounds of a query. */
    static long millis(Instant moment) {
        try {
            return moment.toEpochMilli();
        } catch (ArithmeticException e) {
            return moment.isBefore(Instant.EPOCH) ? Long.MIN_VALUE : Long.MAX_VALUE;
        }
    }

    /** Returns the first key of a segment. */
    static byte[] segment(long segment) {
        return ByteBuffer.allocate(PREFIX).put(FIRST[0]).putLong(segment).array();
    }

    static byte[] window(long segment, byte[] key, long start, int sequence) {
        return begun(segment, key, WINDOW_SUFFIX)
                .putLong(start)
                .putInt(sequence)
                .array();
    }

    static byte[] session(long segment, byte[] key, long end, long start) {
        return begun(segment, key, SESSION_SUFFIX).putLong(end).putLong(start).array();
    }

    private static ByteBuffer begun(long segment, byte[] key, int suffix) {
        return ByteBuffer.allocate(PREFIX + key.length + suffix)
                .put(FIRST[0])
                .putLong(segment)
                .put(key);
    }

    /** Returns where the entries of a segment begin whose key is at least this one. Others may come after, too. */
    static byte[] atLeast(long segment, byte[] key) {
        return begun(segment, key, 0).array();
    }

    /**
     * Returns where the entries of a segment end, itself included, whose key is at most this one. Others may come
     * before, too. A key that this one begins with may come after it, since its time follows at once; so the end is
     * the last of what any of them can have.
     *
     * @param lastTime the last time of the segment
     */
    static byte[] atMost(long segment, byte[] key, long lastTime, int suffix) {
        byte[] last = new byte[suffix];
        Arrays.fill(last, (byte) 0xFF);
        ByteBuffer.wrap(last).putLong(lastTime);
        int length = key.length;
        for (int i = key.length - 1; i >= 0; i--) {
            if ((key[i] & 0xFF) > (last[0] & 0xFF)) {
                continue; // as nearly always
            }
            byte[] longer = Arrays.copyOfRange(key, i, Math.min(length, i + suffix));
            boolean isLater = Arrays.compareUnsigned(last, 0, longer.length, longer, 0, longer.length) > 0
                    || Arrays.equals(last, 0, longer.length, longer, 0, longer.length)
                            && Arrays.compareUnsigned(last, longer.length, suffix, last, 0, suffix - longer.length) > 0;
            length = isLater ? i : length;
        }
        return begun(segment, Arrays.copyOf(key, length), suffix).put(last).array();
    }

    /** Returns the user's key of a window or session. */
    static byte[] key(byte[] stored, int suffix) {
        return Arrays.copyOfRange(stored, PREFIX, stored.length - suffix);
    }

    /** Returns whether a window or session is this key's. */
    static boolean isOf(byte[] stored, int suffix, byte[] key) {
        return compare(stored, suffix, key) == 0;
    }

    /** Returns whether the key of a window or session lies between two, each included; null is no bound. */
    static boolean isBetween(byte[] stored, int suffix, @Nullable Bytes from, @Nullable Bytes to) {
        return (from == null || compare(stored, suffix, from.get()) >= 0)
                && (to == null || compare(stored, suffix, to.get()) <= 0);
    }

    private static int compare(byte[] stored, int suffix, byte[] key) {
        return Arrays.compareUnsigned(stored, PREFIX, stored.length - suffix, key, 0, key.length);
    }

    static long longAt(byte[] stored, int fromEnd) {
        return ByteBuffer.wrap(stored).getLong(stored.length - fromEnd);
    }

    static int intAt(byte[] stored, int fromEnd) {
        return ByteBuffer.wrap(stored).getInt(stored.length - fromEnd);
    }
}
