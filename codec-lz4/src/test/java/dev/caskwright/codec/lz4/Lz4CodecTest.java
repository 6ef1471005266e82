package dev.caskwright.codec.lz4;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.testkit.ValueCodecContract;
import org.junit.jupiter.api.Test;

final class Lz4CodecTest extends ValueCodecContract {
    @Override
    protected ValueCodec newCodec() {
        return new Lz4Codec();
    }

    @Test
    void isFoundByItsName() {
        assertThat(Backends.codec("lz4")).isInstanceOf(Lz4Codec.class);
    }
}
