package dev.caskwright.bitcask;

import static dev.caskwright.testkit.KeyValues.bytes;
import static dev.caskwright.testkit.KeyValues.key;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CodecException;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.DeflateCodec;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.Arrays;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** Codecs that throw what they like, or are taken for another one: no value that nobody wrote, and nothing but that value is lost. */
final class HostileCodecTest {
    private static final ValueCodec DEFLATE = new DeflateCodec();

    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();
    private final byte[] value = KeyValues.text(new Random(5), 1_000);

    /** What a library throws that misses its native code: not always one of the errors that the JVM has for it. */
    private static final class LibraryError extends Error {
        private static final long serialVersionUID = 1L;

        LibraryError() {
            super("planted");
        }
    }

    private EngineBuilder builder() {
        return CrashFixture.builder(disk.factory(CrashFixture.HOME), clock);
    }

    private BitcaskEngine open(@Nullable ValueCodec codec) throws IOException {
        return codec == null ? builder().open() : builder().codec(codec).open();
    }

    private void write(ValueCodec codec) throws IOException {
        try (BitcaskEngine engine = open(codec)) {
            engine.put(key(1), value);
        }
    }

    @Test
    void aCodecOfTheSameIdAndAnotherNameDecodesNothing() throws IOException {
        write(DEFLATE);
        ValueCodec other = new DeflateCodec() {
            @Override
            public String name() {
                return "other";
            }

            @Override
            public void decode(
                    byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
                Arrays.fill(target, targetOffset, targetOffset + targetLength, (byte) 'x');
            }
        };
        try (BitcaskEngine engine = builder().codec(other).recodeOnMerge(true).open()) {
            assertThatThrownBy(() -> engine.get(key(1)))
                    .isInstanceOfSatisfying(
                            CodecException.class, e -> assertThat(e.codec()).isEqualTo("deflate"));
            assertThatThrownBy(() -> engine.put(key(2), value)).hasMessageContaining("known=deflate, given=other");
            engine.put(key(2), value, WriteOptions.DEFAULT.codec(ValueCodec.NONE));
            engine.merge(); // copies as it is what it cannot recode
            assertThat(engine.get(key(2))).isEqualTo(value);
        }
        try (BitcaskEngine engine = open(DEFLATE)) {
            assertThat(engine.get(key(1))).isEqualTo(value);
        }
    }

    @Test
    void aCodecWithADictionaryIsNotAskedForValuesWithoutIfThereIsOneWithout() throws IOException {
        write(new FoundCodec());
        ValueCodec onlyItsOwn = new DeflateCodec() {
            @Override
            public String name() {
                return "found";
            }

            @Override
            public int id() {
                return 201;
            }

            @Override
            public byte[] dictionary() {
                return bytes("dictionary");
            }

            @Override
            public void decode(
                    byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
                throw new IllegalStateException("encoded with another dictionary");
            }
        };
        try (BitcaskEngine engine = open(onlyItsOwn)) {
            assertThat(engine.get(key(1))).isEqualTo(value);
        }
    }

    @Test
    void anErrorOfALibraryIsToldOfItsCodecAndHarmsNothingElse() throws IOException {
        write(DEFLATE);
        ValueCodec broken = new DeflateCodec() {
            @Override
            public int maxEncodedLength(int length) {
                throw new LibraryError();
            }

            @Override
            public long maxDecodedLength(int encodedLength) {
                throw new LibraryError();
            }
        };
        try (BitcaskEngine engine = open(broken)) {
            assertThatThrownBy(() -> engine.put(key(2), value)).isInstanceOfSatisfying(CodecException.class, e -> {
                assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED);
                assertThat(e).hasMessageContaining("a codec cannot run here").hasMessageContaining("planted");
            });
            assertThatThrownBy(() -> engine.get(key(1))).isInstanceOf(CodecException.class);
            engine.put(key(2), value, WriteOptions.DEFAULT.codec(ValueCodec.NONE));
            assertThat(engine.get(key(2))).isEqualTo(value);
            assertThat(engine.health()).isNull();
        }
        ValueCodec unsound = new DeflateCodec() {
            @Override
            public long maxDecodedLength(int encodedLength) {
                throw new IllegalStateException("planted");
            }
        };
        try (BitcaskEngine engine = open(unsound)) {
            assertThatThrownBy(() -> engine.get(key(1))).isInstanceOf(CorruptRecordException.class);
        }
    }

    @Test
    void aDictionaryThatItsCodecDoesNotTakeFailsTheWriteAndNothingElse() throws IOException {
        write(DEFLATE.withDictionary(bytes("dictionary of something else")));
        for (Throwable thrown : new Throwable[] {new IllegalStateException("planted"), new LibraryError()}) {
            ValueCodec refusing = new DeflateCodec() {
                @Override
                public ValueCodec withDictionary(byte[] given) {
                    if (thrown instanceof Error e) {
                        throw e;
                    }
                    throw (RuntimeException) thrown;
                }
            };
            try (BitcaskEngine engine =
                    builder().codec(refusing).recodeOnMerge(true).open()) {
                assertThatThrownBy(() -> engine.put(key(2), value))
                        .isInstanceOfSatisfying(
                                CodecException.class,
                                e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED));
                assertThat(engine.health()).isNull();
                engine.merge();
            }
        }
        try (BitcaskEngine engine = open(DEFLATE)) {
            assertThat(engine.get(key(1))).isEqualTo(value);
        }
    }

    @Test
    void aValueThatIsTooLongForTheHeapIsMergedAsItIsStored() throws IOException {
        write(DEFLATE);
        ValueCodec greedy = new DeflateCodec() {
            @Override
            public byte[] dictionary() {
                return bytes("another");
            }

            @Override
            public void decode(
                    byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
                throw new OutOfMemoryError("planted");
            }
        };
        try (BitcaskEngine engine = builder().codec(greedy).recodeOnMerge(true).open()) {
            engine.put(key(2), value);
            engine.merge();
        }
        try (BitcaskEngine engine = open(DEFLATE)) {
            assertThat(engine.get(key(1))).isEqualTo(value);
            assertThat(engine.get(key(2))).isEqualTo(value);
        }
    }

    @Test
    void aValueThatIsTooLongForTheHeapKeepsNoOtherOneFromBeingVerified() throws IOException {
        try (BitcaskEngine engine = open(new FoundCodec())) {
            engine.put(key(1), value);
            engine.put(key(2), bytes("plain"));
        }
        FoundCodec.isGreedy = true;
        try {
            VerifyReport report = BitcaskEngine.verify(CrashFixture.HOME, disk.factory(CrashFixture.HOME));
            assertThat(report.records()).isGreaterThanOrEqualTo(2);
            assertThat(report.damages())
                    .singleElement()
                    .satisfies(damage -> assertThat(damage.what())
                            .isEqualTo("a value cannot be checked, for want of memory: length=1000"));
        } finally {
            FoundCodec.isGreedy = false;
        }
    }
}
