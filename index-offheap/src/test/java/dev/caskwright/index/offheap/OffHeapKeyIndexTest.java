package dev.caskwright.index.offheap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.testkit.KeyIndexContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import net.openhft.chronicle.core.OS;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

final class OffHeapKeyIndexTest extends KeyIndexContract {
    @Override
    protected KeyIndex newIndex(KeyIndexContext context) throws IOException {
        return new OffHeapKeyIndex(context);
    }

    @Test
    void isFoundByName() throws Exception {
        try (KeyIndex index = Backends.keyIndex("offheap").open(context(0, 0))) {
            assertThat(index).isInstanceOf(OffHeapKeyIndex.class);
        }
    }

    @Test
    @Tag("slow")
    void growsToTwoThousandTimesWhatWasExpected() throws Exception {
        int count = 500_000;
        try (KeyIndex index = new OffHeapKeyIndex(context(250, 16))) {
            for (int i = 0; i < count; i++) {
                put(index, i, i + 1);
            }
            assertThat(index.size()).isEqualTo(count);
            for (int i = 0; i < count; i++) {
                if (get(index, i) != i + 1) {
                    assertThat(get(index, i)).as("key %d", i).isEqualTo(i + 1);
                }
            }
            assertThat(index.memoryBytes()).isBetween(24L * count, 120L * count);
        }
    }

    @Test
    void keysMuchLongerThanExpectedFit() throws Exception {
        // In bytes this is far more than the map was made for, long before the number of keys is.
        int count = 20_000;
        Random random = new Random(3);
        byte[][] keys = new byte[count][];
        try (KeyIndex index = new OffHeapKeyIndex(context(count, 8))) {
            for (int i = 0; i < count; i++) {
                keys[i] = new byte[OffHeapKeyIndex.MAX_OFF_HEAP_KEY_LENGTH - 3 + random.nextInt(7)];
                random.nextBytes(keys[i]);
                assertThat(index.put(keys[i], 0, keys[i].length, i + 1)).isEqualTo(KeyIndex.ABSENT);
            }
            for (int i = 0; i < count; i++) {
                assertThat(index.get(keys[i], 0, keys[i].length)).isEqualTo(i + 1);
            }
            assertThat(index.memoryBytes()).isGreaterThan(500L * count);
        }
    }

    @Test
    void aRightHintIsEnough() throws Exception {
        int count = 300_000;
        try (KeyIndex index = new OffHeapKeyIndex(context(count, 12))) {
            long before = index.memoryBytes();
            for (int i = 0; i < count; i++) {
                put(index, i, i + 1);
            }
            assertThat((double) index.memoryBytes() / before).isBetween(0.99, 1.1);
        }
    }

    @Test
    @Tag("slow")
    void memoryShrinksWhenMostKeysGo() throws Exception {
        int count = 200_000;
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 0))) {
            for (int i = 0; i < count; i++) {
                put(index, i, i + 1);
            }
            long full = index.memoryBytes();
            for (int i = 0; i < count - 1_000; i++) {
                assertThat(remove(index, i, i + 1)).isTrue();
            }
            assertThat(index.memoryBytes()).isLessThan(full / 8);
            for (int i = count - 1_000; i < count; i++) {
                assertThat(get(index, i)).isEqualTo(i + 1);
            }
        }
    }

    @Test
    void closingGivesAllMemoryBackAtOnce() throws Exception {
        long before = OS.memory().nativeMemoryUsed();
        KeyIndex index = new OffHeapKeyIndex(context(0, 0));
        for (int i = 0; i < 100_000; i++) {
            put(index, i, i + 1);
        }
        assertThat(OS.memory().nativeMemoryUsed() - before).isEqualTo(index.memoryBytes());
        index.close();
        assertThat(OS.memory().nativeMemoryUsed()).isEqualTo(before);
    }

    @Test
    void madeRoomIsUsedWithoutMoreMemory() throws Exception {
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 12))) {
            for (int i = 0; i < 10_000; i++) {
                put(index, i, i + 1);
            }
            index.ensureRoom(100_000);
            long before = index.memoryBytes();
            for (int i = 10_000; i < 110_000; i++) {
                put(index, i, i + 1);
            }
            assertThat(index.memoryBytes()).isLessThanOrEqualTo(before);
        }
    }

    @Test
    @Tag("slow")
    void readersFindStableKeysThroughGrowthAndShrinking() throws Exception {
        long seed = System.nanoTime();
        int stable = 1_000;
        int count = 60_000;
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(2);
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 0))) {
            for (int i = 0; i < stable; i++) {
                put(index, i, i + 1);
            }
            List<Future<?>> readers = new ArrayList<>();
            for (int thread = 0; thread < 2; thread++) {
                Random random = new Random(seed + thread);
                readers.add(threads.submit(() -> {
                    while (!done.get()) {
                        int number = random.nextInt(stable);
                        assertThat(get(index, number)).as("seed=%d", seed).isEqualTo(number + 1);
                    }
                    return null;
                }));
            }
            for (int round = 0; round < 6; round++) {
                for (int i = stable; i < count; i++) {
                    put(index, i, i + 1);
                }
                for (int i = stable; i < count; i++) {
                    assertThat(remove(index, i, i + 1)).as("seed=%d", seed).isTrue();
                }
            }
            done.set(true);
            for (Future<?> reader : readers) {
                reader.get();
            }
            assertThat(index.size()).isEqualTo(stable);
        } finally {
            done.set(true);
            threads.shutdownNow();
        }
    }

    @Test
    @Tag("slow")
    void closingBesideReadersAndWritersIsAnIllegalStateForThem() throws Exception {
        for (int round = 0; round < 20; round++) {
            ExecutorService threads = Executors.newFixedThreadPool(3);
            try {
                KeyIndex index = new OffHeapKeyIndex(context(0, 0));
                for (int i = 0; i < 2_000; i++) {
                    put(index, i, i + 1);
                }
                AtomicBoolean started = new AtomicBoolean();
                List<Future<?>> users = new ArrayList<>();
                for (int thread = 0; thread < 3; thread++) {
                    boolean writes = thread == 2;
                    int delay = 97 * round;
                    users.add(threads.submit(() -> {
                        assertThatThrownBy(() -> {
                                    for (int i = 0; ; i = (i + 1) % 50_000) {
                                        if (writes) {
                                            put(index, i, i + 1);
                                            if (i == 3_000 + delay) {
                                                started.set(true);
                                            }
                                        } else if (i < 2_000) {
                                            assertThat(get(index, i)).isEqualTo(i + 1);
                                        }
                                    }
                                })
                                .isInstanceOf(IllegalStateException.class);
                        return null;
                    }));
                }
                while (!started.get()) {
                    Thread.onSpinWait();
                }
                index.close();
                for (Future<?> user : users) {
                    user.get();
                }
            } finally {
                threads.shutdownNow();
            }
        }
    }

    @Test
    void anInterruptedThreadReadsAndWrites() throws Exception {
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 0))) {
            Thread.currentThread().interrupt();
            for (int i = 0; i < 50_000; i++) {
                put(index, i, i + 1);
            }
            assertThat(get(index, 49_999)).isEqualTo(50_000);
            assertThat(Thread.interrupted()).isTrue();
        }
    }

    @Test
    void aLocatorOfNoRecordIsRefused() throws Exception {
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 0))) {
            assertThatThrownBy(() -> index.put(new byte[1], 0, 1, KeyIndex.ABSENT))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(index.size()).isZero();
        }
    }

    @Test
    void noLocatorOfNoRecordIsTakenForAKeyOfAnyLength() throws Exception {
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 0))) {
            for (int length : new int[] {1, OffHeapKeyIndex.MAX_OFF_HEAP_KEY_LENGTH + 1}) {
                byte[] key = new byte[length];
                assertThatThrownBy(() -> index.putIfAbsent(key, 0, length, KeyIndex.ABSENT))
                        .isInstanceOf(IllegalArgumentException.class);
                index.put(key, 0, length, 7);
                assertThatThrownBy(() -> index.replace(key, 0, length, 7, KeyIndex.ABSENT))
                        .isInstanceOf(IllegalArgumentException.class);
                assertThat(index.get(key, 0, length)).isEqualTo(7);
            }
        }
    }

    @Test
    void everyOperationFindsAKeyOfAnyLengthWhereItIs() throws Exception {
        int longest = OffHeapKeyIndex.MAX_OFF_HEAP_KEY_LENGTH;
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 0))) {
            for (int length = longest - 1; length <= longest + 1; length++) {
                byte[] key = new byte[length];
                assertThat(index.put(key, 0, length, 1)).isEqualTo(KeyIndex.ABSENT);
                assertThat(index.put(key, 0, length, 2)).isEqualTo(1);
                assertThat(index.putIfAbsent(key, 0, length, 3)).isEqualTo(2);
                assertThat(index.get(key, 0, length)).isEqualTo(2);
                assertThat(index.replace(key, 0, length, 3, 4)).isFalse();
                assertThat(index.replace(key, 0, length, 2, 4)).isTrue();
                assertThat(index.get(key, 0, length)).isEqualTo(4);
                assertThat(index.remove(key, 0, length, 2)).isFalse();
                assertThat(index.size()).isEqualTo(1);
                assertThat(index.remove(key, 0, length, 4)).isTrue();
                assertThat(index.get(key, 0, length)).isEqualTo(KeyIndex.ABSENT);
                assertThat(index.size()).isZero();
            }
        }
    }

    @Test
    void theLibraryTellsNobodyUnlessSomebodySaidSo() throws Exception {
        String property = "chronicle.analytics.disable";
        String before = System.getProperty(property);
        try {
            System.clearProperty(property);
            new OffHeapKeyIndex(context(0, 0)).close();
            assertThat(System.getProperty(property)).isEqualTo("true");
            System.setProperty(property, "false");
            new OffHeapKeyIndex(context(0, 0)).close();
            assertThat(System.getProperty(property)).isEqualTo("false");
        } finally {
            System.setProperty(property, before == null ? "true" : before);
        }
    }

    @Test
    void aSizeBeyondAllMemoryIsItsOwnErrorAndTakesNone() {
        long before = OS.memory().nativeMemoryUsed();
        assertThatThrownBy(() -> new OffHeapKeyIndex(context(Long.MAX_VALUE, 512)))
                .isInstanceOf(IndexMemoryException.class)
                .hasMessageContaining("keys=" + Long.MAX_VALUE / 8);
        assertThat(OS.memory().nativeMemoryUsed()).isEqualTo(before);
    }

    @Test
    void keysOnTheHeapAreCountedToo() throws Exception {
        int longest = OffHeapKeyIndex.MAX_OFF_HEAP_KEY_LENGTH;
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 0))) {
            long empty = index.memoryBytes();
            index.put(new byte[longest], 0, longest, 1);
            assertThat(index.memoryBytes()).as("off the heap").isEqualTo(empty);
            index.put(new byte[longest + 1], 0, longest + 1, 2);
            assertThat(index.memoryBytes()).isBetween(empty + longest, empty + 2L * longest);
            assertThat(index.size()).isEqualTo(2);
        }
    }

    @Test
    void theExpectedLengthOfKeysDecidesHowMuchMemoryThereIs() throws Exception {
        long[] bytes = new long[4];
        int[] lengths = {0, OffHeapKeyIndex.DEFAULT_KEY_LENGTH, OffHeapKeyIndex.MAX_OFF_HEAP_KEY_LENGTH, 60_000};
        for (int i = 0; i < lengths.length; i++) {
            try (KeyIndex index = new OffHeapKeyIndex(context(20_000, lengths[i]))) {
                bytes[i] = index.memoryBytes();
            }
        }
        assertThat(bytes[0]).isEqualTo(bytes[1]).isGreaterThan(20_000 * 24);
        assertThat(bytes[2]).isEqualTo(bytes[3]).isGreaterThan(20_000 * 520);
    }

    @Test
    void roomIsMadeInEachShardForItsShareAndALittleMore() throws Exception {
        try (KeyIndex small = new OffHeapKeyIndex(context(0, 12));
                KeyIndex large = new OffHeapKeyIndex(context(100_000, 12))) {
            long empty = small.memoryBytes();
            small.ensureRoom(1);
            small.ensureRoom(1_900); // one of 8 shards takes 563
            assertThat(small.memoryBytes()).isEqualTo(empty);
            small.ensureRoom(2_200);
            assertThat(small.memoryBytes()).isGreaterThan(empty);
            small.ensureRoom(100_000);
            assertThat(small.memoryBytes()).isBetween(large.memoryBytes(), 3 * large.memoryBytes());
        }
    }

    @Test
    void writersNeedNotTakeTurns() throws Exception {
        try (KeyIndex index = new OffHeapKeyIndex(context(0, 0))) {
            assertThat(index.allowsConcurrentWriters()).isTrue();
        }
    }

    @Test
    void aClosedIndexAnswersNothing() throws Exception {
        KeyIndex index = new OffHeapKeyIndex(context(0, 0));
        byte[] key = new byte[OffHeapKeyIndex.MAX_OFF_HEAP_KEY_LENGTH + 1];
        index.put(key, 0, key.length, 1);
        index.close();
        assertThatThrownBy(() -> index.get(key, 0, key.length)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> index.remove(key, 0, key.length, 1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> index.ensureRoom(1)).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(index::memoryBytes).isInstanceOf(IllegalStateException.class);
    }

    private static KeyIndexContext context(long keys, int keyLength) {
        return new KeyIndexContext(keys, keyLength, 7, (key, offset, length, locator) -> true);
    }

    private static void put(KeyIndex index, int number, long locator) throws IOException {
        index.put(key(number), 0, 12, locator);
    }

    private static boolean remove(KeyIndex index, int number, long expected) throws IOException {
        return index.remove(key(number), 0, 12, expected);
    }

    private static long get(KeyIndex index, int number) throws IOException {
        return index.get(key(number), 0, 12);
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(12).putInt(number).putLong(number * 31L).array();
    }
}
