package dev.caskwright.index.btree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Named;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Each operation on blocks, compared with the same operation on a list. */
final class PackedKeysTest {
    private static final PackedKeys KEYS = PackedKeys.INSTANCE;

    static Stream<Named<List<byte[]>>> keys() {
        List<byte[]> numbers = new ArrayList<>();
        List<byte[]> prefixes = new ArrayList<>();
        List<byte[]> suffixes = new ArrayList<>();
        for (int i = 0; i < 9; i++) {
            // From 0x20 to 0xE0: the upper half is negative as a signed byte.
            byte number = (byte) (0x20 + 24 * i);
            numbers.add(new byte[] {number, 1, 2});
            prefixes.add(new byte[] {number, 1, 2, 3, 4, 5, 6, 7});
            suffixes.add(new byte[] {-1, 1, 2, 3, 4, 5, 6, 7, 8, number, 9});
        }
        List<byte[]> mixed = List.of(
                new byte[0],
                new byte[] {0},
                new byte[] {0, 0},
                new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9},
                new byte[] {1, 2, 3, 4, 5, 6, 7, 8, 9, 10},
                new byte[] {(byte) 0x80},
                new byte[] {-1, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0});
        return Stream.of(
                Named.of("shorter than a prefix", numbers),
                Named.of("as long as a prefix", prefixes),
                Named.of("longer than a prefix", suffixes),
                Named.of("of different lengths", mixed));
    }

    @ParameterizedTest
    @MethodSource("keys")
    void aKeyIsInsertedAtAnyPlace(List<byte[]> keys) {
        for (int place = 0; place < keys.size(); place++) {
            List<byte[]> others = without(keys, place);
            Object before = block(others);
            Object after = KEYS.valueArrayPut(before, place, keys.get(place));
            assertHolds(after, keys);
            assertHolds(before, others);
        }
    }

    @ParameterizedTest
    @MethodSource("keys")
    void aKeyIsDeletedFromAnyPlace(List<byte[]> keys) {
        Object block = block(keys);
        for (int place = 0; place < keys.size(); place++) {
            assertHolds(KEYS.valueArrayDeleteValue(block, place + 1), without(keys, place));
        }
        assertHolds(block, keys);
    }

    @ParameterizedTest
    @MethodSource("keys")
    void aKeyIsExchangedAtAnyPlace(List<byte[]> keys) {
        for (int place = 0; place < keys.size(); place++) {
            for (int length : new int[] {0, 3, 8, 11, 12}) {
                byte[] other = new byte[length];
                Arrays.fill(other, (byte) 42);
                List<byte[]> expected = new ArrayList<>(keys);
                expected.set(place, other);
                assertHolds(KEYS.valueArrayUpdateVal(block(keys), place, other), expected);
            }
        }
    }

    @ParameterizedTest
    @MethodSource("keys")
    void anyRangeIsCopied(List<byte[]> keys) {
        Object block = block(keys);
        for (int from = 0; from <= keys.size(); from++) {
            for (int to = from; to <= keys.size(); to++) {
                assertHolds(KEYS.valueArrayCopyOfRange(block, from, to), keys.subList(from, to));
            }
        }
    }

    @ParameterizedTest
    @MethodSource("keys")
    void aKeyIsFoundAndAnAbsentOnesPlaceIsToldByIt(List<byte[]> keys) {
        for (int absent = 0; absent < keys.size(); absent++) {
            Object block = block(without(keys, absent));
            for (int i = 0; i < keys.size(); i++) {
                int place = i > absent ? i - 1 : i;
                assertThat(KEYS.valueArraySearch(block, keys.get(i))).isEqualTo(i == absent ? -1 - place : place);
                assertThat(KEYS.valueArraySearch(block, keys.get(i), KEYS)).isEqualTo(i == absent ? -1 - place : place);
            }
        }
    }

    @Test
    void aPrefixIsBelowAndAnExtensionAboveAKey() {
        for (int length : new int[] {2, 8, 9, 20}) {
            byte[] key = new byte[length];
            key[0] = 7;
            Object block = block(List.of(key));
            for (int other = 1; other < 30; other++) {
                int expected = other < length ? -1 : other == length ? 0 : -2;
                assertThat(KEYS.valueArraySearch(block, Arrays.copyOf(key, other)))
                        .as("length=%d, other=%d", length, other)
                        .isEqualTo(expected);
            }
        }
    }

    @Test
    void keysOfOneLengthTakeNoMoreThanTheirBytes() {
        Object block = block(List.of(new byte[] {1, 1}, new byte[] {2, 2}, new byte[] {3, 3}));
        assertThat((byte[]) block).hasSize(PackedKeys.HEADER_BYTES + 3 * 2);
        Object mixed = KEYS.valueArrayPut(block, 3, new byte[] {4});
        assertThat((byte[]) mixed).hasSize(PackedKeys.HEADER_BYTES + 3 * 2 + 1 + 4 * PackedKeys.END_BYTES);
        Object emptied = KEYS.valueArrayDeleteValue(block(List.of(new byte[5])), 1);
        assertThat(emptied).isSameAs(KEYS.valueArrayEmpty());
        // What was mixed may have one length again when it starts again.
        assertThat((byte[]) KEYS.valueArrayPut(emptied, 0, new byte[9])).hasSize(PackedKeys.HEADER_BYTES + 9);
    }

    @Test
    void aProbeTellsTheFirstKeyOfWhereItSearchedLast() {
        List<byte[]> keys = List.of(new byte[] {3}, new byte[] {5});
        PackedKeys.LeafProbe probe = new PackedKeys.LeafProbe(new byte[] {4});
        assertThat(probe.firstKey()).isNull();
        assertThat(KEYS.valueArraySearch(block(keys), probe)).isEqualTo(-2);
        assertThat(probe.firstKey()).isEqualTo(keys.get(0));
        assertThat(KEYS.valueArraySearch(block(keys.subList(1, 2)), probe, KEYS))
                .isEqualTo(-1);
        assertThat(probe.firstKey()).isEqualTo(keys.get(1));
        assertThat(KEYS.valueArraySearch(KEYS.valueArrayEmpty(), probe)).isEqualTo(-1);
        assertThat(probe.firstKey()).isNull();
    }

    @Test
    void keysAreComparedAsUnsignedBytes() {
        assertThat(KEYS.compare(new byte[] {1}, new byte[] {-1})).isNegative();
        assertThat(KEYS.compare(new byte[] {-1}, new byte[] {1})).isPositive();
        assertThat(KEYS.compare(new byte[] {1}, new byte[] {1, 0})).isNegative();
        assertThat(KEYS.compare(new byte[] {1}, new byte[] {1})).isZero();
    }

    @Test
    void nothingIsSerialized() {
        assertThatThrownBy(() -> KEYS.serialize(null, null)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> KEYS.deserialize(null, 0)).isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> KEYS.valueArraySerialize(null, null))
                .isInstanceOf(UnsupportedOperationException.class);
        assertThatThrownBy(() -> KEYS.valueArrayDeserialize(null, 0)).isInstanceOf(UnsupportedOperationException.class);
    }

    private static Object block(List<byte[]> keys) {
        return KEYS.valueArrayFromArray(keys.toArray());
    }

    private static List<byte[]> without(List<byte[]> keys, int place) {
        List<byte[]> others = new ArrayList<>(keys);
        others.remove(place);
        return others;
    }

    private static void assertHolds(Object block, List<byte[]> keys) {
        List<byte[]> found = new ArrayList<>();
        for (int i = 0; i < KEYS.valueArraySize(block); i++) {
            found.add((byte[]) KEYS.valueArrayGet(block, i));
        }
        assertThat(found).usingElementComparator(Arrays::compareUnsigned).containsExactlyElementsOf(keys);
    }
}
