package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * The part of the index contract about what a key is: all its bytes, and nothing but them.
 */
abstract class KeyIndexKeysContract extends KeyIndexFixture {
    private static final int MAX_KEY_LENGTH = 0xFFFF;

    @Test
    void keysThatDifferOnlyInTrailingZerosAreDifferent() throws Exception {
        byte[][] all = new byte[64][];
        for (int i = 0; i < all.length; i++) {
            all[i] = new byte[i + 1];
        }
        assertHoldsEachUnderItsOwnLocator(new IndexedKeys(all));
    }

    @Test
    void keysOfEveryLengthAreHeld() throws Exception {
        List<byte[]> all = new ArrayList<>();
        Random random = new Random(7);
        for (int length = 1; length <= 300; length++) {
            all.add(randomBytes(random, length));
        }
        for (int length : new int[] {1023, 1024, 4096, 16_383, 16_384, 32_767, 32_768, 65_534, MAX_KEY_LENGTH}) {
            all.add(randomBytes(random, length));
        }
        assertHoldsEachUnderItsOwnLocator(new IndexedKeys(all.toArray(new byte[0][])));
    }

    @Test
    void longKeysWithASharedPrefixAreDifferent() throws Exception {
        byte[][] all = new byte[100][];
        for (int i = 0; i < all.length; i++) {
            all[i] = new byte[MAX_KEY_LENGTH];
            Arrays.fill(all[i], (byte) 'p');
            all[i][i == 0 ? MAX_KEY_LENGTH - 1 : MAX_KEY_LENGTH - 1 - i % 10] = (byte) i;
        }
        assertHoldsEachUnderItsOwnLocator(new IndexedKeys(all));
    }

    @Test
    void aKeyIsASliceThatIsNeitherKeptNorChanged() throws Exception {
        IndexedKeys keys = keys("alpha", "beta");
        byte[] array = bytes("--alpha--");
        byte[] before = array.clone();
        try (KeyIndex index = open(keys)) {
            index.put(array, 2, 5, IndexedKeys.locator(0, 1));
            assertThat(array).isEqualTo(before);
            Arrays.fill(array, (byte) 'x');
            assertThat(get(index, keys.key(0))).isEqualTo(IndexedKeys.locator(0, 1));
            byte[] other = bytes("alphabet");
            assertThat(index.get(other, 0, 5)).isEqualTo(IndexedKeys.locator(0, 1));
            assertThat(index.get(other, 0, 6)).isEqualTo(KeyIndex.ABSENT);
            assertThat(index.get(other, 0, 4)).isEqualTo(KeyIndex.ABSENT);
            assertThat(index.replace(other, 0, 5, IndexedKeys.locator(0, 1), IndexedKeys.locator(0, 2)))
                    .isTrue();
            assertThat(index.remove(bytes("xxalpha"), 2, 5, IndexedKeys.locator(0, 2)))
                    .isTrue();
            assertThat(index.size()).isZero();
        }
    }

    /**
     * An index that neither holds a key nor compares it with the record takes a hash for the key. With a good hash no test
     * meets two keys of the same one, and a store of billions of keys does.
     */
    @Test
    void anIndexThatDoesNotHoldItsKeysComparesThem() throws Exception {
        Random random = new Random(3);
        byte[][] all = new byte[200][];
        for (int i = 0; i < all.length; i++) {
            all[i] = randomBytes(random, 10_000);
        }
        IndexedKeys keys = new IndexedKeys(all);
        AtomicLong comparisons = new AtomicLong();
        KeyIndexContext context = new KeyIndexContext(0, 0, 0x5EED, (key, offset, length, locator) -> {
            comparisons.incrementAndGet();
            return keys.matches(key, offset, length, locator);
        });
        try (KeyIndex index = newIndex(context)) {
            for (int i = 0; i < all.length; i++) {
                put(index, keys, i, 1);
            }
            boolean holdsKeys = index.memoryBytes() >= 10_000L * all.length;
            for (int i = 0; i < all.length; i++) {
                comparisons.set(0);
                assertThat(get(index, keys.key(i))).isEqualTo(IndexedKeys.locator(i, 1));
                assertThat(holdsKeys || comparisons.get() > 0)
                        .as("%s bytes cannot hold keys of 2,000,000, and get compared none", index.memoryBytes())
                        .isTrue();
            }
        }
    }

    @Test
    void keysWithTheSameHashCodeAreDifferent() throws Exception {
        byte[][] all = new byte[1 << 10][];
        for (int i = 0; i < all.length; i++) {
            StringBuilder text = new StringBuilder();
            for (int bit = 0; bit < 10; bit++) {
                text.append((i >>> bit & 1) == 0 ? "Aa" : "BB");
            }
            all[i] = bytes(text.toString());
        }
        assertThat(Arrays.hashCode(all[7])).isEqualTo(Arrays.hashCode(all[900]));
        assertHoldsEachUnderItsOwnLocator(new IndexedKeys(all));
    }

    private void assertHoldsEachUnderItsOwnLocator(IndexedKeys keys) throws IOException {
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                assertThat(put(index, keys, i, 1)).as("key %d", i).isEqualTo(KeyIndex.ABSENT);
            }
            assertThat(index.size()).isEqualTo(keys.count());
            for (int i = 0; i < keys.count(); i++) {
                assertThat(get(index, keys.key(i))).as("key %d", i).isEqualTo(IndexedKeys.locator(i, 1));
            }
            for (int i = 0; i < keys.count(); i += 2) {
                assertThat(remove(index, keys, i, 1)).as("key %d", i).isTrue();
            }
            for (int i = 0; i < keys.count(); i++) {
                long expected = i % 2 == 0 ? KeyIndex.ABSENT : IndexedKeys.locator(i, 1);
                assertThat(get(index, keys.key(i))).as("key %d", i).isEqualTo(expected);
            }
        }
    }
}
