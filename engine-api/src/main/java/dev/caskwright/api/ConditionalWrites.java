package dev.caskwright.api;

import java.io.IOException;

/**
 * Writes that depend on the present value. Each is linearizable: no other write comes between the comparison and the
 * change. The answer of one that changed nothing is as durable as that of one that did.
 */
public interface ConditionalWrites extends Facet {
    /** Stores a value only if the key is absent, with the store's durability; returns whether it was. */
    default boolean putIfAbsent(byte[] key, byte[] value) throws IOException {
        return putIfAbsent(key, value, WriteOptions.DEFAULT);
    }

    /** Stores a value only if the key is absent; returns whether it was. */
    boolean putIfAbsent(byte[] key, byte[] value, WriteOptions options) throws IOException;

    /** Stores a value only if the present one equals {@code expected}, with the store's durability; returns whether it did. */
    default boolean replace(byte[] key, byte[] expected, byte[] value) throws IOException {
        return replace(key, expected, value, WriteOptions.DEFAULT);
    }

    /**
     * Stores a value only if the present one equals {@code expected}; returns whether it did. As with a put, the entry then
     * expires as the options say, or never.
     */
    boolean replace(byte[] key, byte[] expected, byte[] value, WriteOptions options) throws IOException;

    /** Removes a key only if its value equals {@code expected}, with the store's durability; returns whether it did. */
    default boolean delete(byte[] key, byte[] expected) throws IOException {
        return delete(key, expected, WriteOptions.DEFAULT);
    }

    /** Removes a key only if its value equals {@code expected}; returns whether it did. */
    boolean delete(byte[] key, byte[] expected, WriteOptions options) throws IOException;
}
