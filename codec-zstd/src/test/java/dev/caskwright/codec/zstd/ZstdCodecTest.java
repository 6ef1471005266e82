package dev.caskwright.codec.zstd;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ValueCodecContract;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Nested;
import org.junit.jupiter.api.Test;

final class ZstdCodecTest extends ValueCodecContract {
    private static final Random RANDOM = new Random(7);

    @Override
    protected ValueCodec newCodec() {
        return new ZstdCodec();
    }

    @Nested
    final class WithDictionary extends ValueCodecContract {
        private static final byte[] DICTIONARY = ZstdCodec.train(documents(2_000), 16 << 10);

        @Override
        protected ValueCodec newCodec() {
            return new ZstdCodec().withDictionary(DICTIONARY);
        }
    }

    @Nested
    final class AtTheFastestLevel extends ValueCodecContract {
        @Override
        protected ValueCodec newCodec() {
            return new ZstdCodec(-7);
        }
    }

    @Test
    void isFoundByItsName() {
        assertThat(Backends.codec("zstd")).isInstanceOf(ZstdCodec.class);
    }

    /** A record of a few bytes that claims 64 MiB is refused before memory is taken; what zstd makes shortest is not. */
    @Test
    void whatAFewBytesCanStandForIsBounded() {
        ZstdCodec codec = new ZstdCodec(19);
        assertThat(codec.maxDecodedLength(24)).isLessThan(1 << 20);
        for (int length : new int[] {1, 16, 1_000, 131_072, 131_073, 1 << 20, 64 << 20}) {
            byte[] target = new byte[codec.maxEncodedLength(length)];
            int encoded = codec.encode(new byte[length], 0, length, target, 0);
            assertThat(codec.maxDecodedLength(encoded))
                    .as("length=%d, encoded=%d", length, encoded)
                    .isGreaterThanOrEqualTo(length);
        }
    }

    @Test
    void aForgedDictionaryIsAnIllegalArgument() {
        byte[] forged = new byte[2_000];
        forged[0] = 0x37; // the magic number of a dictionary, and nothing sound after it
        forged[1] = (byte) 0xA4;
        forged[2] = 0x30;
        forged[3] = (byte) 0xEC;
        assertThatThrownBy(() -> new ZstdCodec().withDictionary(forged))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("not a dictionary of zstd");
    }

    @Test
    void aDictionaryMakesSmallValuesShorter() {
        ValueCodec trained = new ZstdCodec().withDictionary(ZstdCodec.train(documents(2_000), 16 << 10));
        long plain = 0;
        long without = 0;
        long with = 0;
        for (byte[] document : documents(200)) {
            plain += document.length;
            without += encodedLength(new ZstdCodec(), document);
            with += encodedLength(trained, document);
        }
        assertThat(with)
                .as("of %d bytes, %d without a dictionary", plain, without)
                .isLessThan(plain / 2);
        assertThat(with).isLessThan(without * 2 / 3);
    }

    @Test
    void codecsWithDifferentSettingsDoNotDisturbEachOther() {
        ValueCodec trained = new ZstdCodec().withDictionary(ZstdCodec.train(documents(2_000), 16 << 10));
        List<ValueCodec> codecs = List.of(new ZstdCodec(), trained, new ZstdCodec(9), new ZstdCodec(-3));
        byte[] document = documents(1).get(0);
        for (int i = 0; i < 100; i++) {
            ValueCodec codec = codecs.get(RANDOM.nextInt(codecs.size()));
            byte[] code = new byte[codec.maxEncodedLength(document.length)];
            int length = codec.encode(document, 0, document.length, code, 0);
            byte[] back = new byte[document.length];
            codec.decode(code, 0, length, back, 0, back.length);
            assertThat(back).isEqualTo(document);
        }
    }

    @Test
    void trainingNamesWhatIsMissing() {
        assertThatThrownBy(() -> ZstdCodec.train(documents(3), 16 << 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("count=3, at least=10");
        assertThatThrownBy(() -> ZstdCodec.train(documents(100), 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("maxLength out of range");
        List<byte[]> empty = new ArrayList<>();
        for (int i = 0; i < 20; i++) {
            empty.add(new byte[1]);
        }
        assertThatThrownBy(() -> ZstdCodec.train(empty, 16 << 10))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("give more of them");
        assertThatThrownBy(() -> new ZstdCodec(20))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("level out of range");
        assertThatThrownBy(() -> new ZstdCodec().withDictionary(new byte[0]))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("dictionary length out of range");
    }

    private static int encodedLength(ValueCodec codec, byte[] value) {
        return codec.encode(value, 0, value.length, new byte[codec.maxEncodedLength(value.length)], 0);
    }

    private static List<byte[]> documents(int count) {
        List<byte[]> documents = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            documents.add(KeyValues.bytes("{\"id\":" + RANDOM.nextInt(1_000_000) + ",\"name\":\"customer "
                    + RANDOM.nextInt(10_000) + "\",\"city\":\""
                    + List.of("Berlin", "Hamburg", "Köln").get(i % 3)
                    + "\",\"active\":" + RANDOM.nextBoolean() + ",\"balance\":" + RANDOM.nextInt(100_000) + "}"));
        }
        return documents;
    }
}
