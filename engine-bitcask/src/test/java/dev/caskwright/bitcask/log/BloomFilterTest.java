package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.testkit.KeyValues;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
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
}
