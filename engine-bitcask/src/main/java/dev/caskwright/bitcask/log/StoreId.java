package dev.caskwright.bitcask.log;

/** The random number that names a store: every file carries it, and no file of another store is believed. */
record StoreId(long high, long low) {
    /** Returns the seed of the masks in record headers. */
    long seed() {
        return (high ^ Long.rotateLeft(low, 32)) * 0x9E3779B97F4A7C15L;
    }
}
