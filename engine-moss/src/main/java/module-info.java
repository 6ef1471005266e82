/** A storage engine that keeps sorted segments in memory, over any other engine, its own files or nothing. */
module dev.caskwright.moss {
    requires transitive dev.caskwright.api;
    requires dev.caskwright.io.standard;

    exports dev.caskwright.moss;

    provides dev.caskwright.api.spi.engine.EngineProvider with
            dev.caskwright.moss.MossProvider;
}
