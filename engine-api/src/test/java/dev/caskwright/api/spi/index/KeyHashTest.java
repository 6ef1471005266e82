package dev.caskwright.api.spi.index;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.Arrays;
import java.util.HashSet;
import java.util.Random;
import java.util.Set;
import org.junit.jupiter.api.Test;

final class KeyHashTest {
    private static final KeyHash HASH = new KeyHash(42);

    @Test
    void aHashNeverChanges() {
        // Hashes are stored in index images and filters: another result is another format.
        byte[] text = "The quick brown fox jumps over the lazy dog, twice.".getBytes(StandardCharsets.US_ASCII);
        long combined = 0;
        for (int length = 0; length <= text.length; length++) {
            combined = 31 * combined + HASH.hash(text, 0, length);
        }
        assertThat(combined).isEqualTo(-1787594054986734893L);
    }

    @Test
    void aHashIsOfTheSliceOnly() {
        Random random = new Random(1);
        for (int length = 0; length < 200; length++) {
            byte[] key = new byte[length];
            random.nextBytes(key);
            byte[] padded = new byte[length + 20];
            random.nextBytes(padded);
            System.arraycopy(key, 0, padded, 9, length);
            assertThat(HASH.hash(padded, 9, length)).isEqualTo(HASH.hash(key, 0, length));
        }
    }

    @Test
    void anotherSeedIsAnotherHash() {
        byte[] key = new byte[16];
        Set<Long> hashes = new HashSet<>();
        for (long seed = 0; seed < 10_000; seed++) {
            hashes.add(new KeyHash(seed).hash(key, 0, key.length));
        }
        assertThat(hashes).hasSize(10_000);
    }

    @Test
    void zerosOfEveryLengthHashDifferently() {
        byte[] zeros = new byte[10_000];
        Set<Long> hashes = new HashSet<>();
        for (int length = 0; length <= zeros.length; length++) {
            hashes.add(HASH.hash(zeros, 0, length));
        }
        assertThat(hashes).hasSize(zeros.length + 1);
    }

    @Test
    void everyBitOfAKeyFlipsEveryBitOfTheHashHalfTheTime() {
        int rounds = 2_000;
        Random random = new Random(7);
        for (int length : new int[] {1, 2, 3, 4, 7, 8, 9, 15, 16, 17, 31, 32, 33, 64}) {
            int[][] flips = new int[length * Byte.SIZE][Long.SIZE];
            byte[] key = new byte[length];
            for (int round = 0; round < rounds; round++) {
                random.nextBytes(key);
                // One byte has only 256 values: the seed varies too.
                KeyHash hash = new KeyHash(round);
                long before = hash.hash(key, 0, length);
                for (int bit = 0; bit < flips.length; bit++) {
                    key[bit / 8] ^= (byte) (1 << bit % 8);
                    count(flips[bit], before ^ hash.hash(key, 0, length));
                    key[bit / 8] ^= (byte) (1 << bit % 8);
                }
            }
            for (int[] row : flips) {
                for (int flipped : row) {
                    // Six standard deviations: a chance of one in 500 million for each of 100,000 numbers.
                    assertThat(Math.abs(flipped - rounds / 2.0))
                            .as("length=%d", length)
                            .isLessThan(6.5 * Math.sqrt(rounds) / 2);
                }
            }
        }
    }

    @Test
    void likeKeysFallEvenlyIntoBuckets() {
        int buckets = 1 << 12;
        int keys = 100 * buckets;
        for (int layout = 0; layout < 4; layout++) {
            int[] byTop = new int[buckets];
            int[] byBottom = new int[buckets];
            Set<Long> hashes = new HashSet<>();
            for (int i = 0; i < keys; i++) {
                byte[] key = likeKey(layout, i);
                long hash = HASH.hash(key, 0, key.length);
                byTop[(int) (hash >>> 52)]++;
                byBottom[(int) hash & buckets - 1]++;
                hashes.add(hash);
            }
            assertThat(hashes).as("layout %d", layout).hasSize(keys);
            assertThat(chiSquare(byTop, 100)).as("layout %d", layout).isLessThan(limit(buckets));
            assertThat(chiSquare(byBottom, 100)).as("layout %d", layout).isLessThan(limit(buckets));
        }
    }

    private static byte[] likeKey(int layout, int number) {
        return switch (layout) {
            case 0 -> ByteBuffer.allocate(4).putInt(number).array();
            case 1 -> ByteBuffer.allocate(16).putLong(8, number).array();
            case 2 -> ByteBuffer.allocate(40).putInt(3, number << 8).array();
            default -> ("user:" + number).getBytes(StandardCharsets.US_ASCII);
        };
    }

    private static void count(int[] row, long flipped) {
        for (int bit = 0; bit < Long.SIZE; bit++) {
            row[bit] += (int) (flipped >>> bit & 1);
        }
    }

    private static double chiSquare(int[] counts, double expected) {
        return Arrays.stream(counts)
                .mapToDouble(count -> (count - expected) * (count - expected) / expected)
                .sum();
    }

    /** Returns what chi-square of so many buckets exceeds by six standard deviations only. */
    private static double limit(int buckets) {
        return buckets + 6 * Math.sqrt(2.0 * buckets);
    }
}
