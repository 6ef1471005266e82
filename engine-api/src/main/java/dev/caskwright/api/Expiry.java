package dev.caskwright.api;

import java.io.IOException;

/**
 * Entries may expire: an expired key is absent in every read at once, and never comes back. An engine that does not hold
 * this facet refuses {@link WriteOptions} and batches with an expiry with {@link MissingFacetException}, before anything
 * is written.
 *
 * <p>Every put sets the expiry again: one without an expiry makes a key persist that would have expired.
 */
public interface Expiry extends Facet {
    /** Takes the expiry from an entry, with the store's durability; returns whether the key was there. */
    default boolean persist(byte[] key) throws IOException {
        return expire(key, WriteOptions.DEFAULT);
    }

    /**
     * Gives the entry another expiry and the same value: that of {@code options}, or none, which makes it persist.
     * Returns whether the key was there.
     */
    boolean expire(byte[] key, WriteOptions options) throws IOException;
}
