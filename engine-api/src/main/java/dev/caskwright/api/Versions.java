package dev.caskwright.api;

import java.io.IOException;

/**
 * Every entry has the version of the write that made it: {@link Entry#version()} is positive and grows from write to
 * write, through restarts too. So equal versions of a key mean the same write.
 */
public interface Versions extends Facet {
    /** Stores a value only if the present entry has this version, with the store's durability; returns whether it had. */
    default boolean replaceVersion(byte[] key, long expectedVersion, byte[] value) throws IOException {
        return replaceVersion(key, expectedVersion, value, WriteOptions.DEFAULT);
    }

    /**
     * Stores a value only if the present entry has this {@link Entry#version()}; returns whether it had. Linearizable. As
     * with a put, the entry then expires as the options say, or never.
     */
    boolean replaceVersion(byte[] key, long expectedVersion, byte[] value, WriteOptions options) throws IOException;
}
