package dev.caskwright.api;

/**
 * A cache of values.
 *
 * @param hits reads that were answered from the cache
 * @param misses reads that were not
 * @param evictions entries that went because others needed the room
 * @param entries entries now cached
 * @param bytes about how much memory they take
 */
public record CacheStats(long hits, long misses, long evictions, long entries, long bytes) {
    static final CacheStats NONE = new CacheStats(0, 0, 0, 0, 0);
}
