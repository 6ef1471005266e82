package dev.caskwright.index.btree;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import dev.caskwright.testkit.OrderedKeyIndexContract;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

final class BTreeKeyIndexTest extends OrderedKeyIndexContract {
    /** A page of 1024 references, with its header. */
    private static final long PAGE_BYTES = 16 + 1024 * 4;

    @Override
    protected OrderedKeyIndex newIndex(KeyIndexContext context) {
        return new BTreeKeyIndex();
    }

    @Override
    protected KeyIndex newLimitedIndex(KeyIndexContext context, long maxBytes) {
        return new BTreeKeyIndex(maxBytes);
    }

    @Test
    void isFoundByName() throws Exception {
        KeyIndexContext context = new KeyIndexContext(0, 0, 1, (key, offset, length, locator) -> true);
        try (KeyIndex index = Backends.keyIndex("btree").open(context)) {
            assertThat(index).isInstanceOf(BTreeKeyIndex.class);
        }
    }

    @Test
    void nodesAreGivenBackWhenKeysGo() throws Exception {
        BTreeKeyIndex index = new BTreeKeyIndex();
        int count = 100_000;
        for (int i = 0; i < count; i++) {
            put(index, i);
        }
        int full = index.nodes();
        for (int i = 0; i < count; i++) {
            assertThat(remove(index, i)).isTrue();
        }
        assertThat(index.size()).isZero();
        assertThat(full).isGreaterThan(count / BTreeKeyIndex.MAX_NODE_SIZE);
        assertThat(index.nodes()).isLessThan(100);
        assertThat(index.isRebuilding()).isFalse();
    }

    @Test
    @Tag("slow")
    void aWindowThatMovesOnKeepsItsSize() throws Exception {
        BTreeKeyIndex index = new BTreeKeyIndex();
        int window = 20_000;
        long settled = 0;
        for (int i = 0; i < 15 * window; i++) {
            put(index, i);
            if (i >= window) {
                assertThat(remove(index, i - window)).isTrue();
            }
            settled = i == 5 * window ? index.memoryBytes() : settled;
            assertThat(index.memoryBytes()).isLessThan(window * 150L);
        }
        assertThat(index.memoryBytes()).isLessThan(3 * settled);
        for (int i = 14 * window; i < 15 * window; i++) {
            assertThat(get(index, i)).isEqualTo(i + 1);
        }
    }

    @Test
    @Tag("slow")
    void whatChangesDuringARebuildIsInTheNewTree() throws Exception {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        BTreeKeyIndex index = new BTreeKeyIndex();
        int count = 60_000;
        long[] model = new long[count];
        for (int i = 0; i < count; i++) {
            put(index, i);
            model[i] = i + 1;
        }
        int rebuilds = 0;
        boolean rebuilding = false;
        for (long version = count + 1; version < 20L * count; version++) {
            int number = random.nextInt(count);
            // Removals prevail until few keys are left, then puts do.
            boolean filling = version / 200_000 % 2 == 1;
            byte[] key = key(number);
            if (random.nextInt(4) == 0 == filling) {
                boolean removed = index.remove(key, 0, key.length, model[number]);
                assertThat(removed).as("seed=%d", seed).isEqualTo(model[number] != KeyIndex.ABSENT);
                model[number] = KeyIndex.ABSENT;
            } else if (model[number] == KeyIndex.ABSENT) {
                assertThat(index.putIfAbsent(key, 0, key.length, version)).isEqualTo(KeyIndex.ABSENT);
                model[number] = version;
            } else {
                assertThat(index.replace(key, 0, key.length, model[number], version))
                        .as("seed=%d", seed)
                        .isTrue();
                model[number] = version;
            }
            rebuilds += index.isRebuilding() && !rebuilding ? 1 : 0;
            if (rebuilding && !index.isRebuilding()) {
                assertMatches(index, model, seed);
            }
            rebuilding = index.isRebuilding();
        }
        assertMatches(index, model, seed);
        assertThat(rebuilds).as("rebuilds, seed=%d", seed).isGreaterThanOrEqualTo(2);
    }

    @Test
    void aScanGoesOnInTheNewTree() throws Exception {
        for (boolean descending : new boolean[] {false, true}) {
            BTreeKeyIndex index = new BTreeKeyIndex();
            int count = 50_000;
            for (int i = 0; i < count; i++) {
                put(index, i);
            }
            List<Integer> seen = new ArrayList<>();
            boolean[] rebuilt = new boolean[2];
            int[] stale = {0};
            // Keys divisible by ten stay. While the scan is in its first third, all others go.
            int[] next = {0};
            index.scan(null, true, descending, (key, locator) -> {
                int number = ByteBuffer.wrap(key).getInt();
                Arrays.fill(key, (byte) 0x55); // it is the visitor's
                if (number % 10 == 0) {
                    seen.add(number);
                    // An iterator has read the leaf that it is in, and no more.
                    stale[0] += rebuilt[1] && locator == number + 1 ? 1 : 0;
                }
                boolean before = rebuilt[1];
                for (int i = 0; i < 30 && next[0] < count; next[0]++) {
                    if (next[0] % 10 != 0) {
                        assertThat(remove(index, next[0])).isTrue();
                        i++;
                    }
                    rebuilt[0] |= index.isRebuilding();
                    rebuilt[1] |= rebuilt[0] && !index.isRebuilding();
                }
                if (rebuilt[1] && !before) {
                    for (int i = 0; i < count; i += 10) {
                        byte[] stable = key(i);
                        assertThat(index.replace(stable, 0, stable.length, i + 1, count + i + 1))
                                .isTrue();
                    }
                }
                return true;
            });
            assertThat(rebuilt).as("a rebuild began and ended").containsExactly(true, true);
            assertThat(stale[0]).as("locators of the old tree").isLessThan(2 * BTreeKeyIndex.MAX_NODE_SIZE);
            List<Integer> expected = new ArrayList<>();
            for (int i = 0; i < count; i += 10) {
                expected.add(descending ? 0 : expected.size(), i);
            }
            assertThat(seen).isEqualTo(expected);
        }
    }

    @Test
    void aScanGoesOnInTheNewTreeFromAnyKeyOfANode() throws Exception {
        for (boolean descending : new boolean[] {false, true}) {
            for (int turn = 1; turn <= BTreeKeyIndex.MAX_NODE_SIZE; turn += descending ? 1 : 8) {
                BTreeKeyIndex index = new BTreeKeyIndex();
                int count = 1_800;
                for (int i = 0; i < count; i++) {
                    put(index, i);
                }
                int removed = 0;
                while (!index.isRebuilding()) {
                    assertThat(remove(index, removed++)).isTrue();
                }
                List<Integer> seen = new ArrayList<>();
                int end = turn;
                index.scan(null, true, descending, (key, locator) -> {
                    seen.add(ByteBuffer.wrap(key).getInt());
                    Arrays.fill(key, (byte) 0x55); // it is the visitor's
                    while (seen.size() == end && index.isRebuilding()) {
                        put(index, count - 1);
                    }
                    return true;
                });
                assertThat(index.isRebuilding()).isFalse();
                List<Integer> expected = new ArrayList<>();
                for (int i = removed; i < count; i++) {
                    expected.add(descending ? 0 : expected.size(), i);
                }
                assertThat(seen).as("turn=%d, descending=%s", turn, descending).isEqualTo(expected);
            }
        }
    }

    @Test
    @Tag("slow")
    void readersAndScansSeeEveryStableKeyWhileTreesAreRebuilt() throws Exception {
        long seed = System.nanoTime();
        BTreeKeyIndex index = new BTreeKeyIndex();
        int count = 40_000;
        int step = 50;
        for (int i = 0; i < count; i += step) {
            put(index, i);
        }
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService threads = Executors.newFixedThreadPool(3);
        try {
            List<Future<?>> readers = new ArrayList<>();
            readers.add(threads.submit(() -> {
                Random random = new Random(seed);
                while (!done.get()) {
                    int number = random.nextInt(count / step) * step;
                    assertThat(get(index, number)).as("seed=%d", seed).isEqualTo(number + 1);
                }
                return null;
            }));
            for (boolean descending : new boolean[] {false, true}) {
                readers.add(threads.submit(() -> {
                    while (!done.get()) {
                        assertScanSeesStableKeys(index, count, step, descending);
                    }
                    return null;
                }));
            }
            Random random = new Random(seed);
            int rebuilds = 0;
            for (int round = 0; round < 12; round++) {
                for (int i = 0; i < count; i++) {
                    int number = random.nextInt(count);
                    if (number % step != 0) {
                        put(index, number);
                    }
                }
                boolean rebuilding = false;
                for (int i = 0; i < count; i++) {
                    if (i % step != 0) {
                        remove(index, i);
                    }
                    rebuilds += rebuilding && !index.isRebuilding() ? 1 : 0;
                    rebuilding = index.isRebuilding();
                }
            }
            done.set(true);
            for (Future<?> reader : readers) {
                reader.get();
            }
            assertThat(rebuilds).isGreaterThanOrEqualTo(12);
        } finally {
            done.set(true);
            threads.shutdownNow();
        }
    }

    @Test
    void aRebuildBeginsWhenNodesAreLessThanAThirdFull() throws Exception {
        BTreeKeyIndex index = new BTreeKeyIndex();
        int count = 5_000;
        for (int i = 0; i < count; i++) {
            put(index, i);
        }
        int nodes = index.nodes();
        assertThat(nodes).isGreaterThan(count / BTreeKeyIndex.MAX_NODE_SIZE);
        int next = 0;
        while (index.size() > nodes * BTreeKeyIndex.MAX_NODE_SIZE / 3) {
            assertThat(remove(index, next++)).isTrue();
            assertThat(index.isRebuilding()).isFalse();
        }
        // Only a removal begins one.
        assertThat(index.replace(key(next), 0, 12, next + 1, next + 1)).isTrue();
        assertThat(index.isRebuilding()).isFalse();
        assertThat(remove(index, next++)).isTrue();
        assertThat(index.isRebuilding()).isTrue();
        // The step of each change is some keys, so that it ends after a few.
        for (int i = 0; i < nodes; i++) {
            put(index, count - 1);
        }
        assertThat(index.isRebuilding()).isFalse();
        assertThat(index.nodes()).isLessThan(nodes);
        assertThat(index.size()).isEqualTo(count - next);
        for (int i = 0; i < count; i++) {
            assertThat(get(index, i)).isEqualTo(i < next ? KeyIndex.ABSENT : i + 1);
        }
    }

    @Test
    void everyKindOfChangeDuringARebuildIsInTheNewTree() throws Exception {
        BTreeKeyIndex index = new BTreeKeyIndex();
        int count = 5_000;
        for (int i = 0; i < count; i++) {
            put(index, i);
        }
        int next = 0;
        while (!index.isRebuilding()) {
            assertThat(remove(index, next++)).isTrue();
        }
        // The first of these also has the first keys that are left copied, so that the others fall among them.
        put(index, next);
        byte[] added = key(1);
        assertThat(index.putIfAbsent(added, 0, 12, 77)).isEqualTo(KeyIndex.ABSENT);
        assertThat(index.putIfAbsent(key(next + 1), 0, 12, 77)).isEqualTo(next + 2);
        assertThat(index.replace(key(next + 2), 0, 12, next + 3, 88)).isTrue();
        assertThat(index.replace(key(next + 3), 0, 12, 1, 88)).isFalse();
        assertThat(remove(index, next + 4)).isTrue();
        byte[] last = key(count - 1);
        assertThat(index.put(last, 0, 12, 99)).isEqualTo(count);
        assertThat(index.isRebuilding()).isTrue();
        while (index.isRebuilding()) {
            index.put(last, 0, 12, 99);
        }
        assertThat(get(index, 1)).isEqualTo(77);
        assertThat(get(index, next)).isEqualTo(next + 1);
        assertThat(get(index, next + 1)).isEqualTo(next + 2);
        assertThat(get(index, next + 2)).isEqualTo(88);
        assertThat(get(index, next + 3)).isEqualTo(next + 4);
        assertThat(get(index, next + 4)).isEqualTo(KeyIndex.ABSENT);
        assertThat(get(index, count - 1)).isEqualTo(99);
        assertThat(index.size()).isEqualTo(count - next);
    }

    @Test
    void aSmallTreeIsNeverRebuilt() throws Exception {
        BTreeKeyIndex index = new BTreeKeyIndex();
        int count = 0;
        while (index.nodes() < 64) {
            put(index, count++);
        }
        for (int i = 0; i < count; i++) {
            assertThat(remove(index, i)).isTrue();
            assertThat(index.isRebuilding()).isFalse();
        }
        assertThat(index.nodes()).isEqualTo(64);
    }

    @Test
    void memoryIsComputedFromNodesAndTheAverageKey() throws Exception {
        BTreeKeyIndex index = new BTreeKeyIndex();
        assertThat(index.memoryBytes()).isEqualTo(expectedMemory(index, 0, 0));
        int count = 30_000;
        for (int i = 0; i < count; i++) {
            put(index, i);
        }
        assertThat(index.memoryBytes()).isEqualTo(expectedMemory(index, count, 12));
        byte[] other = new byte[12 + 2 * (count + 1)];
        index.put(other, 0, other.length, 1);
        assertThat(index.memoryBytes())
                .as("keys of two lengths, 14 on average, with 4 bytes more each")
                .isEqualTo(expectedMemory(index, count + 1, 14 + 4));
        assertThat(index.remove(other, 0, other.length, 1)).isTrue();
        put(index, count);
        assertThat(index.memoryBytes()).isEqualTo(expectedMemory(index, count + 1, 12 + 4));
    }

    @Test
    void bothTreesOfARebuildAreCounted() throws Exception {
        BTreeKeyIndex index = new BTreeKeyIndex();
        int count = 20_000;
        for (int i = 0; i < count; i++) {
            put(index, i);
        }
        int next = 0;
        while (!index.isRebuilding()) {
            assertThat(remove(index, next++)).isTrue();
        }
        for (int i = 0; i < 100; i++) {
            put(index, count - 1);
        }
        assertThat(index.isRebuilding()).isTrue();
        long copied = 100 * 16;
        assertThat(index.memoryBytes() - expectedMemory(index, count - next, 12))
                .isBetween(PAGE_BYTES + copied * 20 + copied / 48 * 104, PAGE_BYTES + copied * 20 + copied / 16 * 104);
    }

    @Test
    @Tag("slow")
    void computedMemoryIsWhatTheHeapGrowsBy() throws Exception {
        for (int length : new int[] {8, 16, 64}) {
            int count = 200_000;
            long before = usedHeap();
            BTreeKeyIndex index = new BTreeKeyIndex();
            Random random = new Random(length);
            byte[] key = new byte[length];
            for (int i = 0; i < count; i++) {
                random.nextBytes(key);
                index.put(key, 0, length, i + 1);
            }
            double measured = usedHeap() - before;
            assertThat(index.memoryBytes() / measured)
                    .as("computed=%d, measured=%.0f, keyLength=%d", index.memoryBytes(), measured, length)
                    .isBetween(0.85, 1.15);
        }
    }

    @Test
    @Tag("slow")
    void computedMemoryFitsKeysOfDifferentLengths() throws Exception {
        int count = 200_000;
        long before = usedHeap();
        BTreeKeyIndex index = new BTreeKeyIndex();
        Random random = new Random(5);
        for (int i = 0; i < count; i++) {
            byte[] key = new byte[8 + random.nextInt(40)];
            random.nextBytes(key);
            index.put(key, 0, key.length, i + 1);
        }
        double measured = usedHeap() - before;
        assertThat(index.memoryBytes() / measured)
                .as("computed=%d, measured=%.0f", index.memoryBytes(), measured)
                .isBetween(0.85, 1.15);
    }

    @Test
    void aLocatorOfNoRecordIsRefused() throws Exception {
        try (BTreeKeyIndex index = new BTreeKeyIndex()) {
            assertThatThrownBy(() -> index.put(new byte[1], 0, 1, KeyIndex.ABSENT))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> index.putIfAbsent(new byte[1], 0, 1, KeyIndex.ABSENT))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(index.size()).isZero();
            index.put(new byte[1], 0, 1, 7);
            assertThatThrownBy(() -> index.replace(new byte[1], 0, 1, 7, KeyIndex.ABSENT))
                    .isInstanceOf(IllegalArgumentException.class);
            assertThat(index.get(new byte[1], 0, 1)).isEqualTo(7);
        }
    }

    @Test
    void aClosedIndexAnswersNothing() {
        BTreeKeyIndex index = new BTreeKeyIndex();
        index.close();
        assertThatThrownBy(index::size).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(index::memoryBytes).isInstanceOf(IllegalStateException.class);
        assertThatThrownBy(() -> index.ensureRoom(1)).isInstanceOf(IllegalStateException.class);
    }

    private static long expectedMemory(BTreeKeyIndex index, int keys, int keyLength) {
        long nodes = index.nodes();
        return (nodes + 1023) / 1024 * PAGE_BYTES + keys * (keyLength + 8L) + nodes * (80 + 2L * keyLength);
    }

    private static void assertScanSeesStableKeys(BTreeKeyIndex index, int count, int step, boolean descending)
            throws IOException {
        int[] last = {descending ? count : -1};
        int[] stable = {0};
        index.scan(null, true, descending, (key, locator) -> {
            int number = ByteBuffer.wrap(key).getInt();
            assertThat(number).isBetween(descending ? 0 : last[0] + 1, descending ? last[0] - 1 : count);
            last[0] = number;
            stable[0] += number % step == 0 ? 1 : 0;
            return true;
        });
        assertThat(stable[0]).isEqualTo(count / step);
    }

    private static void assertMatches(BTreeKeyIndex index, long[] model, long seed) throws IOException {
        for (int i = 0; i < model.length; i++) {
            assertThat(get(index, i)).as("key=%d, seed=%d", i, seed).isEqualTo(model[i]);
        }
        assertThat(index.size())
                .isEqualTo(Arrays.stream(model)
                        .filter(locator -> locator != KeyIndex.ABSENT)
                        .count());
    }

    private static void put(BTreeKeyIndex index, int number) {
        byte[] key = key(number);
        index.put(key, 0, key.length, number + 1);
    }

    private static boolean remove(BTreeKeyIndex index, int number) {
        byte[] key = key(number);
        return index.remove(key, 0, key.length, number + 1);
    }

    private static long get(BTreeKeyIndex index, int number) {
        byte[] key = key(number);
        return index.get(key, 0, key.length);
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(12).putInt(number).putLong(number).array();
    }

    private static long usedHeap() {
        for (int i = 0; i < 3; i++) {
            System.gc();
        }
        return Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
    }

    /** It refuses before a change, keeps what it has, and takes keys again once there is room. */
    @Test
    void anIndexThatMayNotGrowRefuses() throws IOException {
        try (BTreeKeyIndex index = new BTreeKeyIndex(1 << 20)) {
            int taken = 0;
            try {
                for (; taken < 1_000_000; taken++) {
                    index.ensureRoom(1);
                    index.put(numbered(taken), 0, Integer.BYTES, taken + 1);
                }
            } catch (IndexMemoryException e) {
                assertThat(e).hasMessageContaining("raise -Xmx");
            }
            assertThat(taken).isBetween(5_000, 100_000);
            assertThat(index.memoryBytes()).isLessThan(1 << 20);
            assertThat(index.size()).isEqualTo(taken);
            for (int i = 0; i < taken - 100; i++) {
                assertThat(index.remove(numbered(i), 0, Integer.BYTES, i + 1)).isTrue();
            }
            index.ensureRoom(100);
            index.put(numbered(0), 0, Integer.BYTES, 1);
            assertThat(index.get(numbered(taken - 1), 0, Integer.BYTES)).isEqualTo(taken);
        }
    }

    /** A large batch may be the second write of a store: what the index takes for one key says nothing about many. */
    @Test
    void anIndexOfOneKeyHasRoomForMany() throws IOException {
        try (BTreeKeyIndex index = new BTreeKeyIndex(16 << 20)) {
            index.ensureRoom(1);
            index.put(numbered(1), 0, Integer.BYTES, 1);
            index.ensureRoom(50_000);
            assertThatThrownBy(() -> index.ensureRoom(200_000)).isInstanceOf(IndexMemoryException.class);
        }
    }

    /** ... but long keys do. */
    @Test
    void fewLongKeysTellThatLongOnesFollow() throws IOException {
        try (BTreeKeyIndex index = new BTreeKeyIndex(16 << 20)) {
            for (int i = 0; i < 10; i++) {
                byte[] key = ByteBuffer.allocate(60_000).putInt(i).array();
                index.ensureRoom(1);
                index.put(key, 0, key.length, i + 1);
            }
            assertThatThrownBy(() -> index.ensureRoom(2_000)).isInstanceOf(IndexMemoryException.class);
        }
    }

    private static byte[] numbered(int number) {
        return java.nio.ByteBuffer.allocate(Integer.BYTES).putInt(number).array();
    }
}
