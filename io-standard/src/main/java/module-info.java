/** The IO manager that reads and writes through file channels. */
module dev.caskwright.io.standard {
    requires transitive dev.caskwright.api;
    requires static org.jspecify;

    exports dev.caskwright.io.standard;

    provides dev.caskwright.api.spi.io.IoManagerProvider with
            dev.caskwright.io.standard.StandardIoManagerProvider;
}
