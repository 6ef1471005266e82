/** A storage engine whose files are those of bolt. */
module dev.caskwright.bolt {
    requires transitive dev.caskwright.api;
    requires dev.caskwright.io.standard;
    requires org.slf4j;

    exports dev.caskwright.bolt;

    provides dev.caskwright.api.spi.engine.EngineProvider with
            dev.caskwright.bolt.BoltProvider;
}
