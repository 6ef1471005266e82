/** A key index on the heap. */
module dev.caskwright.index.hashmap {
    requires transitive dev.caskwright.api;

    exports dev.caskwright.index.hashmap;

    provides dev.caskwright.api.spi.index.KeyIndexProvider with
            dev.caskwright.index.hashmap.HashKeyIndex.Provider;
}
