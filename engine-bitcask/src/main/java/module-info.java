/** The engine: a segmented record log joined with a key index and an IO manager. */
module dev.caskwright.bitcask {
    requires transitive dev.caskwright.api;
    requires dev.caskwright.index.hashmap;
    requires dev.caskwright.io.standard;
    requires static com.google.errorprone.annotations; // read by the compiler alone
    requires org.slf4j;
    requires static jdk.jfr; // events are recorded where it is there

    exports dev.caskwright.bitcask;

    provides dev.caskwright.api.spi.engine.EngineProvider with
            dev.caskwright.bitcask.BitcaskProvider;
}
