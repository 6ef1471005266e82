package dev.caskwright.api.spi.cache;

/** Makes a cache for a store that is being opened. The store closes it. */
@FunctionalInterface
public interface ValueCacheFactory {
    /** Returns a new, empty cache. */
    ValueCache open();
}
