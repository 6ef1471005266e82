/** A codec that stores values by LZ4. */
@SuppressWarnings({"module", "requires-automatic"}) // the codec is called so
module dev.caskwright.codec.lz4 {
    requires transitive dev.caskwright.api;
    requires static org.jspecify;
    requires org.lz4.java;

    exports dev.caskwright.codec.lz4;

    provides dev.caskwright.api.spi.codec.ValueCodec with
            dev.caskwright.codec.lz4.Lz4Codec;
}
