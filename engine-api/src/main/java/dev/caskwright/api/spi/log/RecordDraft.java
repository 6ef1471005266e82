package dev.caskwright.api.spi.log;

import dev.caskwright.api.spi.codec.ValueCodec;
import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** A record being prepared for the log, outside any lock. Reused from record to record; for one thread at a time. */
public interface RecordDraft {
    /**
     * Prepares a put of a value that is stored as it is. The key is copied. A value may be read again when the draft is appended; if it changed in between, the
     * log holds what was read last, under a checksum of just that.
     *
     * @param expiresAtMillis when it expires, in milliseconds since 1970, or 0
     */
    void put(byte[] key, byte[] value, long expiresAtMillis);

    /**
     * As {@link #put(byte[], byte[], long)}, with the value stored by a codec if that makes it shorter.
     *
     * @param codec the name of the codec, null for the one that the log was opened with, {@link ValueCodec#NONE} for none
     * @throws IllegalArgumentException if there is no codec of that name
     * @throws IOException if the codec fails, or cannot be noted in the log; nothing was written
     */
    default void put(byte[] key, byte[] value, long expiresAtMillis, @Nullable String codec) throws IOException {
        put(key, value, expiresAtMillis);
    }

    /** Prepares a tombstone. */
    void delete(byte[] key);

    /** Returns an array that holds this draft's copy of the key, at {@link #keyOffset}. Good until the draft is used again. */
    byte[] keySource();

    /** Returns where the key begins in {@link #keySource}. */
    int keyOffset();

    /** Returns the length of the key, in bytes. */
    int keyLength();

    /** Returns the length of the record in the log, in bytes. */
    long length();

    /** Returns whether the record is a tombstone. */
    boolean isTombstone();

    /** Returns the memory of its buffers, in bytes; any thread may ask. */
    default long memoryBytes() {
        return 0;
    }

    /** Forgets the record, and the value that it may hold. */
    void clear();
}
