package dev.caskwright.api.spi;

/** The records of a batch being prepared for the log, outside any lock. Reused from batch to batch; for one thread at a time. */
public interface BatchDraft {
    /**
     * Adds a put. The array must stay as it is until the batch was appended.
     *
     * @param keyOffset where the key is in {@code source}; the value is right behind it
     * @param expiresAtMillis when it expires, in milliseconds since 1970, or 0
     */
    void put(byte[] source, int keyOffset, int keyLength, int valueLength, long expiresAtMillis);

    /** Adds a tombstone. */
    void delete(byte[] source, int keyOffset, int keyLength);

    /** Returns the number of records. */
    int size();

    /** Returns the length of the records in the log together, in bytes. */
    long length();

    /** Forgets all records, and what they held. */
    void clear();
}
