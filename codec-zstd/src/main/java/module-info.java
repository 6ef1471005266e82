/** A codec that stores values by Zstandard. */
module dev.caskwright.codec.zstd {
    requires transitive dev.caskwright.api;
    requires static org.jspecify;
    requires com.github.luben.zstd_jni;

    exports dev.caskwright.codec.zstd;

    provides dev.caskwright.api.spi.codec.ValueCodec with
            dev.caskwright.codec.zstd.ZstdCodec;
}
