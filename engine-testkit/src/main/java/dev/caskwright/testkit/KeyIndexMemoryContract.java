package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import java.io.IOException;
import java.lang.management.BufferPoolMXBean;
import java.lang.management.ManagementFactory;
import java.util.Random;
import org.junit.jupiter.api.Test;

/**
 * The part of the index contract about memory: what is taken, told, made ready and given back.
 */
abstract class KeyIndexMemoryContract extends KeyIndexKeysContract {
    /** What the process may take for itself, beside the index. */
    private static final long MEMORY_SLACK = 4L << 20;

    @Test
    void growsToManyKeysAndCountsThem() throws Exception {
        IndexedKeys keys = numberedKeys(200_000);
        try (KeyIndex index = open(keys)) {
            long empty = index.memoryBytes();
            for (int i = 0; i < keys.count(); i++) {
                assertThat(put(index, keys, i, 1)).isEqualTo(KeyIndex.ABSENT);
            }
            assertThat(index.size()).isEqualTo(keys.count());
            for (int i = 0; i < keys.count(); i++) {
                assertThat(get(index, keys.key(i))).isEqualTo(IndexedKeys.locator(i, 1));
            }
            assertThat(index.memoryBytes() - empty)
                    .as("200,000 locators of 8 bytes need memory")
                    .isGreaterThan(8L * keys.count() - empty);
        }
    }

    @Test
    void hintsChangeNothingButSize() throws Exception {
        IndexedKeys keys = numberedKeys(1_000);
        for (long expected : new long[] {0, 1, 1_000, 100_000}) {
            try (KeyIndex index = newIndex(new KeyIndexContext(expected, 16, 3, keys))) {
                for (int i = 0; i < keys.count(); i++) {
                    put(index, keys, i, 1);
                }
                for (int i = 0; i < keys.count(); i++) {
                    assertThat(get(index, keys.key(i))).isEqualTo(IndexedKeys.locator(i, 1));
                }
            }
        }
    }

    @Test
    void madeRoomIsThere() throws Exception {
        IndexedKeys keys = numberedKeys(20_000);
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                if (i % 1_000 == 0) {
                    index.ensureRoom(1_000);
                }
                put(index, keys, i, 1);
            }
            assertThat(index.size()).isEqualTo(keys.count());
        }
    }

    @Test
    void changesThatComeAndGoDoNotGrowTheIndex() throws Exception {
        // A window of keys moves on: what is deleted must make room for what comes.
        int window = 5_000;
        IndexedKeys keys = numberedKeys(20 * window);
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < 3 * window; i++) {
                moveWindow(index, keys, window, i);
            }
            long settled = index.memoryBytes();
            for (int i = 3 * window; i < keys.count(); i++) {
                moveWindow(index, keys, window, i);
            }
            assertThat(index.size()).isEqualTo(window);
            assertThat(index.memoryBytes()).isLessThanOrEqualTo(2 * settled);
            for (int i = 0; i < keys.count(); i++) {
                long expected = i >= keys.count() - window ? IndexedKeys.locator(i, 1) : KeyIndex.ABSENT;
                assertThat(get(index, keys.key(i))).isEqualTo(expected);
            }
        }
    }

    @Test
    void theSameKeysDeletedAndPutAgainDoNotGrowTheIndex() throws Exception {
        IndexedKeys keys = numberedKeys(2_000);
        try (KeyIndex index = open(keys)) {
            long settled = 0;
            for (int round = 1; round <= 60; round++) {
                for (int i = 0; i < keys.count(); i++) {
                    assertThat(put(index, keys, i, round)).isEqualTo(KeyIndex.ABSENT);
                }
                for (int i = 0; i < keys.count(); i++) {
                    assertThat(remove(index, keys, i, round)).isTrue();
                }
                assertThat(index.size()).isZero();
                settled = round == 10 ? index.memoryBytes() : settled;
            }
            assertThat(index.memoryBytes()).isLessThanOrEqualTo(2 * settled);
        }
    }

    @Test
    void roomForAnyNumberOfChangesIsThere() throws Exception {
        long seed = seed();
        Random random = new Random(seed);
        IndexedKeys keys = numberedKeys(20_000);
        long[] model = new long[keys.count()];
        try (KeyIndex index = open(keys)) {
            for (int step = 1; step < 60_000; ) {
                int room = random.nextInt(10) == 0 ? random.nextInt(2_000) : 1 + random.nextInt(20);
                index.ensureRoom(room);
                for (int i = 0; i < room; i++) {
                    int number = random.nextInt(keys.count());
                    changeAndCheck(index, keys, model, number, ++step, random.nextInt(4), "seed=" + seed);
                }
            }
        }
    }

    @Test
    void anIndexThatIsFullRefusesRoomAndNotTheChangesItHasRoomFor() throws Exception {
        IndexedKeys keys = numberedKeys(500_000);
        KeyIndex limited = newLimitedIndex(new KeyIndexContext(0, 0, 0x5EED, keys), 4 << 20);
        assumeTrue(limited != null, "NOT PROVED: this index offers no way to limit its memory (newLimitedIndex)");
        try (KeyIndex index = limited) {
            int next = 0;
            boolean isFull = false;
            while (!isFull && next < keys.count()) {
                int room = Math.min(keys.count() - next, 1 + next % 100);
                try {
                    index.ensureRoom(room);
                } catch (IndexMemoryException e) {
                    isFull = true;
                    room = 0;
                }
                for (int i = 0; i < room; i++) {
                    assertThat(put(index, keys, next, 1)).isEqualTo(KeyIndex.ABSENT);
                    next++;
                }
            }
            assertThat(isFull).as("refused before %s keys", next).isTrue();
            assertThat(index.size()).isEqualTo(next);
            for (int i = 0; i < next; i++) {
                assertThat(get(index, keys.key(i))).isEqualTo(IndexedKeys.locator(i, 1));
            }
        }
    }

    @Test
    void memoryIsWhatTheIndexSays() throws Exception {
        IndexedKeys keys = longRandomKeys();
        long before = usedMemory();
        KeyIndex[] index = {open(keys)};
        for (int i = 0; i < keys.count(); i++) {
            put(index[0], keys, i, 1);
        }
        assertHonest(index, before);
        assertThat(keys.count()).isPositive(); // used to the end, so that no measure sees them go
    }

    @Test
    void whatIsRemovedOrReplacedTakesNoMemory() throws Exception {
        IndexedKeys keys = longRandomKeys();
        long before = usedMemory();
        KeyIndex[] index = {open(keys)};
        for (int round = 1; round <= 6; round++) {
            for (int i = 0; i < keys.count(); i++) {
                put(index[0], keys, i, 2L * round);
                put(index[0], keys, i, 2L * round + 1);
            }
            for (int i = round % 2; i < keys.count(); i += 2) {
                remove(index[0], keys, i, 2L * round + 1);
            }
        }
        assertHonest(index, before);
        assertThat(keys.count()).isPositive(); // used to the end, so that no measure sees them go
    }

    @Test
    void aClosedIndexHoldsNoMemory() throws Exception {
        IndexedKeys keys = longRandomKeys();
        long before = usedMemory();
        KeyIndex index = open(keys);
        for (int i = 0; i < keys.count(); i++) {
            put(index, keys, i, 1);
        }
        index.close();
        assertThat(usedMemory() - before).isLessThan(MEMORY_SLACK);
        assertThat(keys.count()).isPositive(); // used to the end, so that no measure sees them go
        assertThatThrownBy(index::size).isInstanceOf(IllegalStateException.class); // it is still referred to
    }

    private static IndexedKeys longRandomKeys() {
        Random random = new Random(11);
        byte[][] all = new byte[100_000][];
        for (int i = 0; i < all.length; i++) {
            all[i] = randomBytes(random, 100);
        }
        return new IndexedKeys(all);
    }

    /** Compares with the memory in use before the index was made, and with that in use when it is gone. */
    private static void assertHonest(KeyIndex[] index, long before) throws IOException {
        long told = index[0].memoryBytes();
        long with = usedMemory();
        index[0].close();
        index[0] = null;
        long without = Math.min(before, usedMemory());
        assertThat(with - without)
                .as("memory that the process took for an index that says it has %s bytes", told)
                .isLessThan(told * 5 / 4 + MEMORY_SLACK);
    }

    /** Returns how much memory is in use, on the heap and in direct buffers. What is allocated by other means is not seen. */
    private static long usedMemory() {
        long used = Long.MAX_VALUE;
        for (int i = 0; i < 4; i++) {
            System.gc();
            long now = ManagementFactory.getMemoryMXBean().getHeapMemoryUsage().getUsed();
            for (BufferPoolMXBean pool : ManagementFactory.getPlatformMXBeans(BufferPoolMXBean.class)) {
                now += pool.getName().equals("direct") ? pool.getMemoryUsed() : 0;
            }
            used = Math.min(used, now);
        }
        return used;
    }

    private static void moveWindow(KeyIndex index, IndexedKeys keys, int window, int next) throws IOException {
        put(index, keys, next, 1);
        if (next >= window) {
            assertThat(remove(index, keys, next - window, 1)).isTrue();
        }
    }
}
