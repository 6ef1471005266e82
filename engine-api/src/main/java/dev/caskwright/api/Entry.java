package dev.caskwright.api;

import java.time.Instant;
import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A stored key and value. The arrays are the caller's own copies. Entries are equal if all parts are, arrays by content.
 *
 * @param version a number that grows with every write to the store, so that equal versions of a key mean the same write; or
 *     {@link #NO_VERSION}, from an engine that does not hold {@link Versions}
 * @param expiresAtMillis when the entry expires, in milliseconds since 1970, or {@link #NEVER}
 */
@SuppressWarnings("ArrayRecordComponent") // compared by content
public record Entry(byte[] key, byte[] value, long version, long expiresAtMillis) {
    /** The expiry of an entry that has none. */
    public static final long NEVER = 0;

    /** The version of entries of an engine that keeps none. */
    public static final long NO_VERSION = 0;

    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof Entry entry
                && version == entry.version
                && expiresAtMillis == entry.expiresAtMillis
                && Arrays.equals(key, entry.key)
                && Arrays.equals(value, entry.value);
    }

    @Override
    public int hashCode() {
        return 31 * Arrays.hashCode(key) + Long.hashCode(version);
    }

    @Override
    public String toString() {
        return "Entry[key=" + Printed.bytes(key) + ", value=" + Printed.bytes(value) + ", version=" + version
                + (expiresAtMillis == NEVER ? "" : ", expiresAt=" + Instant.ofEpochMilli(expiresAtMillis)) + "]";
    }
}
