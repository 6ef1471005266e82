/** What users of a store call, and the interfaces that engines and their parts implement. */
module dev.caskwright.api {
    requires static transitive org.jspecify;

    exports dev.caskwright.api;
    exports dev.caskwright.api.spi;
    exports dev.caskwright.api.spi.cache;
    exports dev.caskwright.api.spi.codec;
    exports dev.caskwright.api.spi.engine;
    exports dev.caskwright.api.spi.index;
    exports dev.caskwright.api.spi.io;
    exports dev.caskwright.api.spi.log;

    uses dev.caskwright.api.spi.engine.EngineProvider;
    uses dev.caskwright.api.spi.io.IoManagerProvider;
    uses dev.caskwright.api.spi.index.KeyIndexProvider;
    uses dev.caskwright.api.spi.codec.ValueCodec;
}
