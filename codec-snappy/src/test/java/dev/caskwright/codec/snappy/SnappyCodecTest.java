package dev.caskwright.codec.snappy;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.testkit.ValueCodecContract;
import org.junit.jupiter.api.Test;

final class SnappyCodecTest extends ValueCodecContract {
    @Override
    protected ValueCodec newCodec() {
        return new SnappyCodec();
    }

    @Test
    void isFoundByItsName() {
        assertThat(Backends.codec("snappy")).isInstanceOf(SnappyCodec.class);
    }
}
