package dev.caskwright.server.infinispan;

import dev.caskwright.api.Entry;
import java.nio.ByteBuffer;
import java.util.Arrays;

/**
 * The bytes of a value of the cache. No two writes make the same ones: so that a conditional write which is sent again when owners
 * change knows its own work, and is not taken for that of another.
 *
 * <pre>
 * 0        1             9                 17
 * | format | write (8) | expires at (8) | type (1) | value ... |
 * </pre>
 *
 * <p>The moment of expiry is in milliseconds since 1970, 0 for never. What follows it is a stored value of the server.
 */
final class CacheValue {
    private static final byte FORMAT = 1;
    private static final int WRITE_OFFSET = 1;
    private static final int EXPIRY_OFFSET = WRITE_OFFSET + Long.BYTES;
    private static final int STORED_OFFSET = EXPIRY_OFFSET + Long.BYTES;

    private CacheValue() {}

    /** Returns the bytes of a value. */
    static byte[] of(byte[] stored, long expiresAtMillis, long write) {
        return ByteBuffer.allocate(STORED_OFFSET + stored.length)
                .put(FORMAT)
                .putLong(write)
                .putLong(expiresAtMillis)
                .put(stored)
                .array();
    }

    /** Returns when it expires, in milliseconds since 1970, or {@link Entry#NEVER}. */
    static long expiresAtMillis(byte[] value) {
        if (value.length <= STORED_OFFSET || value[0] != FORMAT) {
            throw new IllegalStateException("a value of the cache has a format that is not known: length="
                    + value.length + (value.length > 0 ? ", format=" + value[0] : "")
                    + "; this node needs the version that wrote it");
        }
        return ByteBuffer.wrap(value).getLong(EXPIRY_OFFSET);
    }

    /** Returns whether it has expired. */
    static boolean isExpired(byte[] value, long nowMillis) {
        long expiry = expiresAtMillis(value);
        return expiry != Entry.NEVER && expiry <= nowMillis;
    }

    /** Returns the stored value of the server. */
    static byte[] stored(byte[] value) {
        return Arrays.copyOfRange(value, STORED_OFFSET, value.length);
    }
}
