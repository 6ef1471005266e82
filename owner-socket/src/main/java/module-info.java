/** A look at a store that a process has open, by asking that process. */
module dev.caskwright.owner {
    requires transitive dev.caskwright.api;
    requires jdk.net;
    requires static org.jspecify;

    exports dev.caskwright.owner;
}
