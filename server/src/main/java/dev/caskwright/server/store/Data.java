package dev.caskwright.server.store;

import dev.caskwright.api.ReadView;
import java.io.IOException;
import java.nio.ByteBuffer;
import org.jspecify.annotations.Nullable;

/**
 * The keys and stored values that a command reads and changes: the store itself, or what a transaction sees. Keys have the
 * byte of their database before them, stored values the byte of their type. To be called under the keyspace's lock.
 */
public interface Data {
    /** An entry that does not expire. */
    long NEVER = 0;

    /**
     * A stored value.
     *
     * @param stored the byte of the type, and the value
     * @param expiresAtMillis when it expires, in milliseconds since 1970, or {@link #NEVER}
     */
    @SuppressWarnings("ArrayRecordComponent") // holders of arrays are not compared
    record Stored(byte[] stored, long expiresAtMillis) {
        /** Returns the type. */
        public byte type() {
            return stored[0];
        }

        /** Returns the length of the value. */
        public int length() {
            return stored.length - 1;
        }
    }

    /** Copies the stored value into the target as {@link ReadView#get(byte[], ByteBuffer)} does. */
    int get(byte[] key, ByteBuffer target) throws IOException;

    /** Returns the stored value, or null. */
    byte @Nullable [] get(byte[] key) throws IOException;

    /** Returns the stored value with its expiry, or null. */
    @Nullable Stored entry(byte[] key) throws IOException;

    /** Returns whether the key is there. */
    boolean contains(byte[] key) throws IOException;

    /** Stores a value that expires at the given moment, in milliseconds since 1970, or {@link #NEVER}. */
    void put(byte[] key, byte[] stored, long expiresAtMillis) throws IOException;

    /** Removes a key; returns whether it was there. */
    boolean delete(byte[] key) throws IOException;

    /** Gives a key that is there another expiry, or {@link #NEVER}. */
    void expire(byte[] key, long expiresAtMillis) throws IOException;
}
