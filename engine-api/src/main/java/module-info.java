/** What users of a store call, and the interfaces that engines and their parts implement. */
module dev.caskwright.api {
    requires static transitive org.jspecify;

    exports dev.caskwright.api;
    exports dev.caskwright.api.spi;

    uses dev.caskwright.api.spi.EngineProvider;
    uses dev.caskwright.api.spi.IoManagerProvider;
    uses dev.caskwright.api.spi.KeyIndexProvider;
    uses dev.caskwright.api.spi.ValueCodec;
}
