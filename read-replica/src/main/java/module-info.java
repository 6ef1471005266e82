/** A store that follows another one, for reads, by backup and change feed. */
module dev.caskwright.replica {
    requires transitive dev.caskwright.api;
    requires dev.caskwright.bitcask;
    requires dev.caskwright.owner;
    requires org.slf4j;
    requires static org.jspecify;

    exports dev.caskwright.replica;
}
