package dev.caskwright.api.spi.log;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The records of a batch being prepared for the log, outside any lock. Reused from batch to batch; for one thread at a time. */
public interface BatchDraft {
    /** Takes the keys of a batch. */
    @FunctionalInterface
    interface KeyVisitor {
        /** Takes one key. The array belongs to the draft, and is not changed. */
        void key(byte[] source, int offset, int length, boolean isTombstone) throws IOException;
    }

    /**
     * Adds a put of a value that is stored as it is. The array must stay as it is until the batch was appended.
     *
     * @param keyOffset where the key is in {@code source}; the value is right after it
     * @param expiresAtMillis when it expires, in milliseconds since 1970, or 0
     */
    void put(byte[] source, int keyOffset, int keyLength, int valueLength, long expiresAtMillis);

    /** As {@link #put(byte[], int, int, int, long)}, with a codec as {@link RecordDraft#put(byte[], byte[], long, String)} takes it. */
    default void put(
            byte[] source, int keyOffset, int keyLength, int valueLength, long expiresAtMillis, @Nullable String codec)
            throws IOException {
        put(source, keyOffset, keyLength, valueLength, expiresAtMillis);
    }

    /** Adds a tombstone. */
    void delete(byte[] source, int keyOffset, int keyLength);

    /** Shows the draft's own copies of the keys, in the order in which they were added. */
    void visitKeys(KeyVisitor visitor) throws IOException;

    /** Returns the number of records. */
    int size();

    /** Returns the length of the records in the log together, in bytes. */
    long length();

    /** Returns the memory of its buffers, in bytes; any thread may ask. */
    default long memoryBytes() {
        return 0;
    }

    /** Forgets all records, and what they held. */
    void clear();
}
