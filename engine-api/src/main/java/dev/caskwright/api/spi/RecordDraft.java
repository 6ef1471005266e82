package dev.caskwright.api.spi;

/** A record being prepared for the log, outside any lock. Reused from record to record; for one thread at a time. */
public interface RecordDraft {
    /**
     * Prepares a put. The value must stay as it is until the draft was appended.
     *
     * @param expiresAtMillis when it expires, in milliseconds since 1970, or 0
     */
    void put(byte[] key, byte[] value, long expiresAtMillis);

    /** Prepares a tombstone. */
    void delete(byte[] key);

    /** Returns the length of the record in the log, in bytes. */
    long length();

    /** Returns whether the record is a tombstone. */
    boolean isTombstone();
}
