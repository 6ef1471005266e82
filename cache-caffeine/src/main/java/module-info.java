/** A cache of values on Caffeine. */
module dev.caskwright.cache.caffeine {
    requires transitive dev.caskwright.api;
    requires com.github.benmanes.caffeine;
    requires static org.jspecify;

    exports dev.caskwright.cache.caffeine;
}
