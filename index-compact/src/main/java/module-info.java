/** A key index off the heap that holds no keys. */
module dev.caskwright.index.compact {
    requires transitive dev.caskwright.api;
    // For giving direct memory back at once.
    requires jdk.unsupported;

    exports dev.caskwright.index.compact;

    provides dev.caskwright.api.spi.index.KeyIndexProvider with
            dev.caskwright.index.compact.CompactKeyIndex.Provider;
}
