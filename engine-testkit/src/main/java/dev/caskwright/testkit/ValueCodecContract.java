package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.codec.ValueCodec;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import org.junit.jupiter.api.Test;

/**
 * What every codec of values keeps. Random tests name their seed; {@code -Dcaskwright.seed=N} repeats one.
 *
 * <p>That damaged bytes never decode is not asked for: an engine has checksums for that. But they must not do harm.
 */
public abstract class ValueCodecContract {
    private static final int[] LENGTHS = {
        1, 2, 3, 7, 8, 15, 16, 17, 31, 64, 100, 255, 256, 1_000, 4_095, 4_096, 65_535, 65_536, 65_537, 300_000, 1 << 20
    };
    private static final int MARGIN = 32;
    private static final int THREADS = 4;

    private final long seed = Long.getLong("caskwright.seed", System.nanoTime());
    private final Random random = new Random(seed);

    /** Makes the codec. */
    protected abstract ValueCodec newCodec();

    @Test
    final void valuesComeBackWhateverTheirLengthAndContent() {
        ValueCodec codec = newCodec();
        for (int length : LENGTHS) {
            for (byte[] value : values(length)) {
                assertComesBack(codec, value);
            }
        }
        for (int i = 0; i < 100; i++) {
            int length = 1 + random.nextInt(2_000);
            for (byte[] value : values(length)) {
                assertComesBack(codec, value);
            }
        }
    }

    @Test
    final void anotherCodecOfTheNameDecodesWhatOneHasEncoded() {
        byte[] value = text(5_000);
        byte[] encoded = encoded(newCodec(), value);
        assertThat(decoded(newCodec(), encoded, value.length))
                .as("seed=%d", seed)
                .isEqualTo(value);
    }

    @Test
    final void valuesThatRepeatThemselvesGetShorter() {
        byte[] value = text(20_000);
        assertThat(encoded(newCodec(), value).length).as("seed=%d", seed).isLessThan(value.length * 3 / 4);
    }

    @Test
    final void whatIsWrittenIsBoundedAndStaysWhereItBelongs() {
        ValueCodec codec = newCodec();
        for (int length : LENGTHS) {
            for (byte[] value : values(length)) {
                int most = codec.maxEncodedLength(length);
                byte[] target = new byte[MARGIN + most + MARGIN];
                Arrays.fill(target, (byte) 0x5A);
                byte[] source = framed(value);
                int written = codec.encode(source, MARGIN, length, target, MARGIN);
                assertThat(written).as("seed=%d, length=%d", seed, length).isBetween(1, most);
                assertFrame(target, most, "the frame of what was encoded, seed=" + seed + ", length=" + length);
                assertThat(Arrays.equals(source, framed(value)))
                        .as("the source is as it was, seed=%d", seed)
                        .isTrue();
                byte[] back = new byte[MARGIN + length + MARGIN];
                Arrays.fill(back, (byte) 0x5A);
                byte[] code = target.clone();
                codec.decode(target, MARGIN, written, back, MARGIN, length);
                assertFrame(back, length, "the frame of what was decoded, seed=" + seed + ", length=" + length);
                assertThat(Arrays.equals(back, MARGIN, MARGIN + length, value, 0, length))
                        .as("the value, seed=%d, length=%d", seed, length)
                        .isTrue();
                assertThat(Arrays.equals(target, code))
                        .as("the code is as it was, seed=%d", seed)
                        .isTrue();
            }
        }
    }

    @Test
    final void noValueIsLongerThanItsCodeAllows() {
        ValueCodec codec = newCodec();
        for (int length : LENGTHS) {
            byte[] value = new byte[length]; // nothing gets shorter than zeros
            byte[] encoded = encoded(codec, value);
            assertThat(codec.maxDecodedLength(encoded.length))
                    .as("length=%d", length)
                    .isGreaterThanOrEqualTo(length);
        }
    }

    @Test
    final void whatIsCutShortOrClaimsAnotherLengthIsRefused() {
        ValueCodec codec = newCodec();
        for (byte[] value : List.of(text(3_000), noise(500))) {
            byte[] encoded = encoded(codec, value);
            for (int length : new int[] {1, encoded.length / 2, encoded.length - 1}) {
                assertThat(refuses(codec, Arrays.copyOf(encoded, length), value.length))
                        .as("cut short, seed=%d, length=%d of %d", seed, length, encoded.length)
                        .isTrue();
            }
            assertThat(refuses(codec, encoded, value.length - 1))
                    .as("claims less, seed=%d", seed)
                    .isTrue();
            assertThat(refuses(codec, encoded, value.length + 1))
                    .as("claims more, seed=%d", seed)
                    .isTrue();
        }
    }

    @Test
    final void damagedBytesDoNoHarm() {
        ValueCodec codec = newCodec();
        byte[] value = text(2_000);
        byte[] encoded = encoded(codec, value);
        for (int i = 0; i < 1_000; i++) {
            byte[] damaged = encoded.clone();
            for (int flips = 1 + random.nextInt(4); flips > 0; flips--) {
                damaged[random.nextInt(damaged.length)] ^= (byte) (1 << random.nextInt(8));
            }
            byte[] back = new byte[MARGIN + value.length + MARGIN];
            Arrays.fill(back, (byte) 0x5A);
            try {
                codec.decode(damaged, 0, damaged.length, back, MARGIN, value.length);
            } catch (RuntimeException e) {
                assertThat(e).isNotNull(); // any is fine
            }
            assertFrame(back, value.length, "the frame of what was decoded, seed=" + seed + ", round=" + i);
        }
        assertThat(decoded(codec, encoded, value.length))
                .as("afterwards, seed=%d", seed)
                .isEqualTo(value);
    }

    @Test
    final void threadsDoNotDisturbEachOther() throws Exception {
        ValueCodec codec = newCodec();
        ExecutorService threads = Executors.newFixedThreadPool(THREADS);
        try {
            List<Future<?>> done = new ArrayList<>();
            for (int t = 0; t < THREADS; t++) {
                byte[] value = text(500 + 700 * t);
                done.add(threads.submit(() -> {
                    for (int i = 0; i < 300; i++) {
                        assertComesBack(codec, value);
                    }
                }));
            }
            for (Future<?> each : done) {
                each.get();
            }
        } finally {
            threads.shutdownNow();
        }
    }

    @Test
    final void nameAndIdStayTheSameAndAreInRange() {
        ValueCodec codec = newCodec();
        assertThat(codec.name()).matches("[a-z0-9-]{1,32}").isNotEqualTo(ValueCodec.NONE);
        assertThat(codec.id()).isBetween(1, ValueCodec.MAX_ID);
        assertThat(newCodec().name()).isEqualTo(codec.name());
        assertThat(newCodec().id()).isEqualTo(codec.id());
    }

    @Test
    final void aCodecWithADictionaryIsMadeAgainFromIt() {
        ValueCodec codec = newCodec();
        byte[] dictionary = codec.dictionary();
        assertThat(dictionary.length).isLessThanOrEqualTo(ValueCodec.MAX_DICTIONARY_LENGTH);
        if (dictionary.length > 0) {
            byte[] value = text(300);
            ValueCodec again = newCodec().withDictionary(dictionary);
            assertThat(again.dictionary()).isEqualTo(dictionary);
            assertThat(decoded(again, encoded(codec, value), value.length))
                    .as("seed=%d", seed)
                    .isEqualTo(value);
        }
    }

    private List<byte[]> values(int length) {
        byte[] zeros = new byte[length];
        byte[] half = noise(length);
        System.arraycopy(text(length), 0, half, 0, length / 2);
        return List.of(text(length), noise(length), zeros, half);
    }

    private byte[] text(int length) {
        return KeyValues.text(random, length);
    }

    private byte[] noise(int length) {
        byte[] value = new byte[length];
        random.nextBytes(value);
        return value;
    }

    private static byte[] framed(byte[] value) {
        byte[] framed = new byte[MARGIN + value.length + MARGIN];
        System.arraycopy(value, 0, framed, MARGIN, value.length);
        return framed;
    }

    private void assertComesBack(ValueCodec codec, byte[] value) {
        assertThat(Arrays.equals(decoded(codec, encoded(codec, value), value.length), value))
                .as("the value comes back, seed=%d, length=%d", seed, value.length)
                .isTrue();
    }

    private static void assertFrame(byte[] target, int length, String what) {
        for (int i = 0; i < MARGIN; i++) {
            boolean isIntact = target[i] == 0x5A && target[MARGIN + length + i] == 0x5A;
            if (!isIntact) {
                throw new AssertionError(what + ": written to at " + i + " before it or after it");
            }
        }
    }

    private static byte[] encoded(ValueCodec codec, byte[] value) {
        byte[] target = new byte[codec.maxEncodedLength(value.length)];
        int length = codec.encode(value, 0, value.length, target, 0);
        return Arrays.copyOf(target, length);
    }

    private static byte[] decoded(ValueCodec codec, byte[] encoded, int length) {
        byte[] value = new byte[length];
        codec.decode(encoded, 0, encoded.length, value, 0, length);
        return value;
    }

    private static boolean refuses(ValueCodec codec, byte[] encoded, int length) {
        try {
            decoded(codec, encoded, length);
            return false;
        } catch (RuntimeException e) {
            return true;
        }
    }
}
