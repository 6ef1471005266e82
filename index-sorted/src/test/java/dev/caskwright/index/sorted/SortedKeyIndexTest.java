package dev.caskwright.index.sorted;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.Backends;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.KeyIndexContext;
import dev.caskwright.api.spi.OrderedKeyIndex;
import dev.caskwright.testkit.OrderedKeyIndexContract;
import java.nio.ByteBuffer;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** What every ordered index must do, and what this one promises of its memory. Its parts have {@link TreeTest}. */
final class SortedKeyIndexTest extends OrderedKeyIndexContract {
    @Override
    protected OrderedKeyIndex newIndex(KeyIndexContext context) {
        return new SortedKeyIndex();
    }

    @Override
    protected KeyIndex newLimitedIndex(KeyIndexContext context, long maxBytes) {
        return new SortedKeyIndex(maxBytes);
    }

    @Test
    void isFoundByName() throws Exception {
        KeyIndexContext context = new KeyIndexContext(0, 0, 1, (key, offset, length, locator) -> true);
        try (KeyIndex index = Backends.keyIndex("sorted").open(context)) {
            assertThat(index).isInstanceOf(SortedKeyIndex.class);
        }
    }

    @Test
    void aRandomKeyOfSixteenBytesTakesAtMostFortySixBytes() {
        SortedKeyIndex index = new SortedKeyIndex();
        Random random = new Random(4);
        for (int i = 1; i <= 200_000; i++) {
            byte[] key = ByteBuffer.allocate(16)
                    .putLong(random.nextLong())
                    .putLong(i)
                    .array();
            index.put(key, 0, key.length, i);
        }
        assertThat((double) index.memoryBytes() / index.size()).isBetween(28.0, 46.0);
    }

    @Test
    void keysThatComeInOrderLeaveFullNodesBehind() {
        SortedKeyIndex index = new SortedKeyIndex();
        for (int i = 1; i <= 200_000; i++) {
            byte[] key = ByteBuffer.allocate(16).putInt(12, i).array();
            index.put(key, 0, key.length, i);
        }
        // The head and the locator, and a fiftieth of a node.
        assertThat((double) index.memoryBytes() / index.size()).isBetween(17.0, 22.0);
    }

    @Test
    void anIndexThatLostAllItsKeysIsAsGoodAsEmpty() {
        SortedKeyIndex index = new SortedKeyIndex();
        long empty = index.memoryBytes();
        Random random = new Random(5);
        for (int i = 1; i <= 100_000; i++) {
            byte[] key = key(i, random);
            index.put(key, 0, key.length, i);
        }
        random = new Random(5);
        for (int i = 1; i <= 100_000; i++) {
            byte[] key = key(i, random);
            assertThat(index.remove(key, 0, key.length, i)).isTrue();
        }
        assertThat(index.size()).isZero();
        assertThat(index.memoryBytes()).isLessThan(8 * empty);
    }

    private static byte[] key(int number, Random random) {
        return ByteBuffer.allocate(12).putLong(random.nextLong()).putInt(number).array();
    }
}
