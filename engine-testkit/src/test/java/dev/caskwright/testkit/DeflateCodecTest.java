package dev.caskwright.testkit;

import dev.caskwright.api.spi.codec.ValueCodec;
import org.junit.jupiter.api.Nested;

/** The test kit's own codec keeps the contract, with and without a dictionary. */
final class DeflateCodecTest extends ValueCodecContract {
    @Override
    protected ValueCodec newCodec() {
        return new DeflateCodec();
    }

    @Nested
    final class WithDictionary extends ValueCodecContract {
        @Override
        protected ValueCodec newCodec() {
            return new DeflateCodec().withDictionary(KeyValues.bytes("aword0 bword1 cword2 dword3 eword4 fword5 "));
        }
    }
}
