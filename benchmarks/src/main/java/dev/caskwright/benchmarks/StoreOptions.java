package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;

/**
 * How a contender is opened.
 *
 * @param durability what every put promises when it returns
 * @param expectedKeys how many keys will be stored, for stores that must be sized up front
 * @param valueSize bytes of a value
 */
record StoreOptions(Durability durability, long expectedKeys, int valueSize) {
    /** The memory that a store may use for a cache of its own, where it has one: the same for all. */
    static final long CACHE_BYTES = 512L << 20;

    boolean isSync() {
        return durability == Durability.SYNC;
    }

    long dataBytes() {
        return expectedKeys * (Dataset.KEY_SIZE + (long) valueSize);
    }
}
