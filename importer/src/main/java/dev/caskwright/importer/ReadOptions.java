package dev.caskwright.importer;

import org.jspecify.annotations.Nullable;

/**
 * What files of a store do not say themselves.
 *
 * @param expireAfterSeconds after how many seconds an entry of a store that notes only when it was written expires; 0 for never
 * @param database which of several databases is read, counted from 0
 * @param part which of several named parts is read; null for the only one, or the one that has no name
 * @param elements what the store's keys and values are, where its files do not say; null if that was not told
 */
public record ReadOptions(
        long expireAfterSeconds,
        int database,
        @Nullable String part,
        @Nullable Elements elements) {
    /** Entries never expire; the first database; the only part. */
    public static final ReadOptions DEFAULT = new ReadOptions(0, 0, null, null);

    /** Returns options that name a part. */
    public static ReadOptions ofPart(String name) {
        return new ReadOptions(0, 0, name, null);
    }

    /** What keys and values are to the library that wrote them. */
    public enum Elements {
        /** Objects, each with its type beside it. */
        OBJECTS,
        /** Arrays of bytes. */
        BYTES,
        /** Strings. */
        STRINGS
    }

    /** Checks the numbers. */
    public ReadOptions {
        if (expireAfterSeconds < 0) {
            throw new IllegalArgumentException("seconds until expiry must not be negative: " + expireAfterSeconds);
        }
        if (database < 0) {
            throw new IllegalArgumentException("the number of a database must not be negative: " + database);
        }
    }
}
