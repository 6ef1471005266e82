package dev.caskwright.mvcc;

/**
 * Puts a value. Immutable, but for the arrays: do not change them after the call.
 *
 * @param lease the lease that the key goes with from now on, or 0 for none
 * @param returnsPrevious whether the result has what was there before
 * @param keepsValue whether the key keeps the value that it has; it must be there
 * @param keepsLease whether the key keeps the lease that it has; it must be there
 */
@SuppressWarnings("ArrayRecordComponent") // compared by nobody
public record Put(byte[] key, byte[] value, long lease, boolean returnsPrevious, boolean keepsValue, boolean keepsLease)
        implements Operation {
    /** Puts a value without a lease. */
    public static Put of(byte[] key, byte[] value) {
        return new Put(key, value, 0, false, false, false);
    }

    /** Returns this with a lease. */
    public Put withLease(long id) {
        return new Put(key, value, id, returnsPrevious, keepsValue, false);
    }

    /** Returns this, answered with what was there before. */
    public Put returningPrevious() {
        return new Put(key, value, lease, true, keepsValue, keepsLease);
    }

    /** Returns this with the value that is there, whatever was given. */
    public Put keepingValue() {
        return new Put(key, new byte[0], lease, returnsPrevious, true, keepsLease);
    }

    /** Returns this with the lease that is there, whatever was given. */
    public Put keepingLease() {
        return new Put(key, value, 0, returnsPrevious, keepsValue, true);
    }
}
