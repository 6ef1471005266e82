package dev.caskwright.testkit;

import dev.caskwright.api.spi.codec.ValueCodec;
import java.util.Arrays;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Does the contract of codecs bite? Every defect is convicted by the test that it names. */
final class ConvictedCodecsTest {
    /** What can be wrong with a codec. */
    enum Defect {
        NONE(""),
        OTHER_BYTES("valuesComeBackWhateverTheirLengthAndContent"),
        FORGETS_THE_LAST_BYTE("valuesComeBackWhateverTheirLengthAndContent"),
        SHRINKS_BY_A_LIE("valuesComeBackWhateverTheirLengthAndContent"),
        FAILS_TO_ENCODE("valuesComeBackWhateverTheirLengthAndContent"),
        FAILS_TO_DECODE("valuesComeBackWhateverTheirLengthAndContent"),
        FAILS_FOR_LONG_VALUES("valuesComeBackWhateverTheirLengthAndContent"),
        DEPENDS_ON_THE_OBJECT("anotherCodecOfTheNameDecodesWhatOneHasEncoded"),
        NEVER_SHRINKS("valuesThatRepeatThemselvesGetShorter"),
        GROWS_WITHOUT_BOUND("whatIsWrittenIsBoundedAndStaysWhereItBelongs"),
        WRITES_BEHIND_THE_CODE("whatIsWrittenIsBoundedAndStaysWhereItBelongs"),
        WRITES_BEFORE_THE_CODE("whatIsWrittenIsBoundedAndStaysWhereItBelongs"),
        WRITES_BEHIND_THE_VALUE("whatIsWrittenIsBoundedAndStaysWhereItBelongs"),
        CHANGES_THE_SOURCE("whatIsWrittenIsBoundedAndStaysWhereItBelongs"),
        IGNORES_OFFSETS("whatIsWrittenIsBoundedAndStaysWhereItBelongs"),
        BOUNDS_TOO_LOW("noValueIsLongerThanItsCodeAllows"),
        TAKES_ANY_LENGTH("whatIsCutShortOrClaimsAnotherLengthIsRefused"),
        SHARES_A_BUFFER("threadsDoNotDisturbEachOther"),
        CHANGES_ITS_ID("nameAndIdStayTheSameAndAreInRange"),
        HAS_NO_ID("nameAndIdStayTheSameAndAreInRange"),
        IS_CALLED_NONE("nameAndIdStayTheSameAndAreInRange"),
        FORGETS_ITS_DICTIONARY("aCodecWithADictionaryIsMadeAgainFromIt");

        private final String test;

        Defect(String test) {
            this.test = test;
        }
    }

    private static volatile Defect planted = Defect.NONE;

    @ParameterizedTest
    @EnumSource(mode = EnumSource.Mode.EXCLUDE, names = "NONE")
    void everyDefectIsConvicted(Defect defect) {
        planted = defect;
        Conviction.assertConvicted(Broken.class, defect.test, defect);
    }

    @Test
    void aCodecWithoutADefectIsAcquittedByEveryTestNamed() {
        planted = Defect.NONE;
        for (Defect defect : Defect.values()) {
            if (defect != Defect.NONE) {
                Conviction.assertAcquitted(Broken.class, defect.test);
            }
        }
    }

    static final class Broken extends ValueCodecContract {
        @Override
        protected ValueCodec newCodec() {
            return new BreakableCodec(new DeflateCodec().withDictionary(KeyValues.bytes("aword0 bword1 ")), planted);
        }
    }

    /** Has one defect, and is sound otherwise. */
    private static final class BreakableCodec implements ValueCodec {
        private static volatile int made;

        private final ValueCodec sound;
        private final Defect defect;
        private final int number;
        private final byte[] shared = new byte[1 << 21];

        @SuppressWarnings("NonAtomicVolatileUpdate") // of one thread
        BreakableCodec(ValueCodec sound, Defect defect) {
            this.sound = sound;
            this.defect = defect;
            this.number = ++made;
        }

        @Override
        public String name() {
            return defect == Defect.IS_CALLED_NONE ? NONE : sound.name();
        }

        @Override
        public int id() {
            return switch (defect) {
                case CHANGES_ITS_ID -> 1 + number % 100;
                case HAS_NO_ID -> 0;
                default -> sound.id();
            };
        }

        @Override
        public int maxEncodedLength(int length) {
            return sound.maxEncodedLength(length) + 8;
        }

        @Override
        public int encode(byte[] source, int offset, int length, byte[] target, int targetOffset) {
            if (defect == Defect.FAILS_TO_ENCODE && length > 1_000
                    || defect == Defect.FAILS_FOR_LONG_VALUES && length > 500_000) {
                throw new IllegalStateException("planted");
            }
            int from = defect == Defect.IGNORES_OFFSETS ? 0 : offset;
            int written;
            if (defect == Defect.SHARES_A_BUFFER) {
                written = sound.encode(source, from, length, shared, 0);
                Thread.yield();
                System.arraycopy(shared, 0, target, targetOffset, written);
            } else if (defect == Defect.NEVER_SHRINKS && length > 15_000) {
                System.arraycopy(source, from, target, targetOffset, length);
                return length;
            } else {
                written = sound.encode(source, from, length, target, targetOffset);
            }
            switch (defect) {
                case CHANGES_THE_SOURCE -> source[offset] ^= 1;
                case WRITES_BEFORE_THE_CODE -> target[Math.max(0, targetOffset - 1)] = 1;
                case WRITES_BEHIND_THE_CODE ->
                    target[Math.min(target.length - 1, targetOffset + maxEncodedLength(length))] = 1;
                case DEPENDS_ON_THE_OBJECT -> target[targetOffset + written - 1] ^= (byte) number;
                default -> {}
            }
            return switch (defect) {
                case SHRINKS_BY_A_LIE -> Math.max(1, written - 9);
                case GROWS_WITHOUT_BOUND -> maxEncodedLength(length) + 1;
                default -> written;
            };
        }

        @Override
        public void decode(byte[] source, int offset, int length, byte[] target, int targetOffset, int targetLength) {
            if (defect == Defect.FAILS_TO_DECODE) {
                throw new IllegalStateException("planted");
            }
            byte[] code = Arrays.copyOfRange(source, offset, offset + length);
            if (defect == Defect.DEPENDS_ON_THE_OBJECT) {
                code[length - 1] ^= (byte) number;
            }
            try {
                sound.decode(code, 0, length, target, targetOffset, targetLength);
            } catch (RuntimeException e) {
                if (defect != Defect.TAKES_ANY_LENGTH) {
                    throw e;
                }
            }
            int last = targetOffset + targetLength - 1;
            switch (defect) {
                case OTHER_BYTES -> target[last] ^= 1;
                case FORGETS_THE_LAST_BYTE -> target[last] = 0;
                case WRITES_BEHIND_THE_VALUE -> target[Math.min(target.length - 1, last + 1)] = 1;
                default -> {}
            }
        }

        @Override
        public long maxDecodedLength(int encodedLength) {
            return defect == Defect.BOUNDS_TOO_LOW ? 10L * encodedLength : sound.maxDecodedLength(encodedLength);
        }

        @Override
        public byte[] dictionary() {
            return sound.dictionary();
        }

        @Override
        public ValueCodec withDictionary(byte[] dictionary) {
            return new BreakableCodec(
                    defect == Defect.FORGETS_ITS_DICTIONARY ? new DeflateCodec() : sound.withDictionary(dictionary),
                    defect);
        }
    }
}
