package dev.caskwright.bitcask.log.format;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.testkit.KeyValues;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

final class BloomFilterTest {
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 10, 1_000, 100_000})
    void noKeyIsDeniedAndFewOthersAreNot(int count) {
        BloomFilter filter = BloomFilter.forKeys(count);
        for (int i = 0; i < count; i++) {
            byte[] key = key(i);
            filter.add(key, 0, key.length);
        }
        BloomFilter copy = BloomFilter.ofBits(filter.bits(), 0, filter.size());
        for (int i = 0; i < count; i++) {
            byte[] key = key(i);
            assertThat(filter.mayContain(key, 0, key.length)).isTrue();
            assertThat(copy.mayContain(key, 0, key.length)).isTrue();
        }
        int hits = 0;
        int others = 50_000;
        for (int i = 0; i < others; i++) {
            byte[] key = key(1_000_000 + i);
            if (filter.mayContain(key, 0, key.length)) {
                hits++;
            }
        }
        assertThat(hits).as("false hits among %s", others).isLessThan(others * 2 / 100);
        assertThat(filter.size()).isLessThanOrEqualTo(Math.max(8, count * 10 / 8 + 1));
    }

    private static byte[] key(int number) {
        return switch (number % 3) {
            case 0 -> ByteBuffer.allocate(8).putLong(number).array();
            case 1 -> KeyValues.bytes("user:" + number);
            default -> ByteBuffer.allocate(4).putInt(number).array();
        };
    }

    @Test
    void keysAreSlices() {
        Random random = new Random(3);
        BloomFilter filter = BloomFilter.forKeys(40);
        byte[] source = new byte[100];
        random.nextBytes(source);
        for (int length = 1; length < 40; length++) {
            filter.add(source, 7, length);
        }
        for (int length = 1; length < 40; length++) {
            byte[] moved = new byte[60];
            System.arraycopy(source, 7, moved, 20, length);
            assertThat(filter.mayContain(moved, 20, length)).isTrue();
        }
    }

    @Test
    void anEmptyFilterDeniesEverything() {
        BloomFilter filter = BloomFilter.forKeys(0);
        assertThat(filter.mayContain(KeyValues.bytes("key"), 0, 3)).isFalse();
    }

    /** The filters in hint files of before have these bits. */
    @ParameterizedTest
    @CsvSource({
        "1, 0050005000200020",
        "8, 2200000089000040",
        "11, 1040808000000408",
        "40, 8000200011400020",
    })
    void theBitsOfAKeyAreThoseOfBefore(int length, String bits) {
        byte[] key = new byte[length];
        for (int i = 0; i < length; i++) {
            key[i] = (byte) (i * 37 - 50);
        }
        BloomFilter filter = BloomFilter.forKeys(2);
        filter.add(key, 0, length);
        assertThat(HexFormat.of().formatHex(filter.bits())).isEqualTo(bits);
    }

    @Test
    void aKeyHasSixBitsOfAllAndAFilterTenForEach() {
        assertThat(BloomFilter.forKeys(1_000).size()).isEqualTo(1_251);
        assertThat(BloomFilter.forKeys(1L << 40).size()).isEqualTo(64 << 20);
        BloomFilter filter = BloomFilter.forKeys(100);
        filter.add(new byte[] {5}, 0, 1);
        List<Integer> set = new ArrayList<>();
        for (int bit = 0; bit < 8 * filter.size(); bit++) {
            if ((filter.bits()[bit / 8] & 1 << bit % 8) != 0) {
                set.add(bit);
            }
        }
        assertThat(set).containsExactly(88, 299, 416, 533, 862, 979);
    }
}
