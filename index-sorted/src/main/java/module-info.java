/** An ordered key index on the heap. */
module dev.caskwright.index.sorted {
    requires transitive dev.caskwright.api;

    exports dev.caskwright.index.sorted;

    provides dev.caskwright.api.spi.index.KeyIndexProvider with
            dev.caskwright.index.sorted.SortedKeyIndex.Provider;
}
