package dev.caskwright.api;

/**
 * A stored key and value. The arrays are the caller's own copies.
 *
 * @param version a number that grows with every write to the store, so that equal versions of a key mean the same write; or
 *     {@link #NO_VERSION}, from an engine that does not hold {@link Versions}
 * @param expiresAtMillis when the entry expires, in milliseconds since 1970, or {@link #NEVER}
 */
@SuppressWarnings("ArrayRecordComponent") // holders of arrays are not compared
public record Entry(byte[] key, byte[] value, long version, long expiresAtMillis) {
    /** The expiry of an entry that has none. */
    public static final long NEVER = 0;

    /** The version of entries of an engine that keeps none. */
    public static final long NO_VERSION = 0;
}
