package dev.caskwright.importer;

/**
 * What files of a store do not say themselves.
 *
 * @param expireAfterSeconds after how many seconds an entry of a store that notes only when it was written expires; 0 for never
 * @param database which of several databases is read, counted from 0
 */
public record ReadOptions(long expireAfterSeconds, int database) {
    /** Entries never expire; the first database. */
    public static final ReadOptions DEFAULT = new ReadOptions(0, 0);

    /** Checks both. */
    public ReadOptions {
        if (expireAfterSeconds < 0) {
            throw new IllegalArgumentException("seconds until expiry must not be negative: " + expireAfterSeconds);
        }
        if (database < 0) {
            throw new IllegalArgumentException("the number of a database must not be negative: " + database);
        }
    }
}
