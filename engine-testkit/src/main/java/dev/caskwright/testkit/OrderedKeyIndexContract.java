package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.OrderedKeyIndex;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collections;
import java.util.HashSet;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.Set;
import java.util.TreeMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.TimeoutException;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.stream.IntStream;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;

/** What every {@link OrderedKeyIndex} must do, beside what every {@link KeyIndex} must. */
public abstract class OrderedKeyIndexContract extends KeyIndexContract {
    @Override
    protected abstract OrderedKeyIndex newIndex(KeyIndexContext context) throws IOException;

    @Test
    void scanningAnEmptyIndexVisitsNothing() throws Exception {
        try (OrderedKeyIndex index = openOrdered(new IndexedKeys())) {
            assertThat(scan(index, null, true, false)).isEmpty();
            assertThat(scan(index, bytes("a"), true, true)).isEmpty();
        }
    }

    @Test
    void keysAreComparedAsUnsignedBytesWithAPrefixFirst() throws Exception {
        byte[][] ordered = {
            {0},
            {0, 0},
            {0, 1},
            {1},
            {1, 0},
            {0x7F},
            {0x7F, (byte) 0xFF},
            {(byte) 0x80},
            {(byte) 0x80, 0},
            {(byte) 0xFF},
            {(byte) 0xFF, 0},
            {(byte) 0xFF, (byte) 0xFF},
            {(byte) 0xFF, (byte) 0xFF, 0}
        };
        IndexedKeys keys = new IndexedKeys(ordered);
        List<Integer> numbers =
                new ArrayList<>(IntStream.range(0, ordered.length).boxed().toList());
        List<Integer> insertion = new ArrayList<>(numbers);
        Collections.shuffle(insertion, new Random(5));
        try (OrderedKeyIndex index = openOrdered(keys)) {
            for (int number : insertion) {
                put(index, keys, number, 1);
            }
            assertThat(scan(index, null, true, false)).isEqualTo(numbers);
            Collections.reverse(numbers);
            assertThat(scan(index, null, true, true)).isEqualTo(numbers);
        }
    }

    @Test
    void keysAreComparedToTheirLastByte() throws Exception {
        byte[] lastBytes = {0, 1, 0x7F, (byte) 0x80, (byte) 0xFF};
        Random random = new Random(9);
        for (int shared : new int[] {1, 2, 3, 7, 8, 15, 16, 23, 24, 25, 31, 32, 63, 64, 100, 255, 256, 4_096, 65_533}) {
            byte[] prefix = new byte[shared];
            random.nextBytes(prefix);
            byte[][] ordered = new byte[1 + 2 * lastBytes.length][];
            ordered[0] = prefix;
            for (int i = 0; i < lastBytes.length; i++) {
                ordered[1 + 2 * i] = Arrays.copyOf(prefix, shared + 1);
                ordered[1 + 2 * i][shared] = lastBytes[i];
                ordered[2 + 2 * i] = Arrays.copyOf(ordered[1 + 2 * i], shared + 2);
            }
            IndexedKeys keys = new IndexedKeys(ordered);
            List<Integer> numbers =
                    new ArrayList<>(IntStream.range(0, ordered.length).boxed().toList());
            Collections.shuffle(numbers, random);
            try (OrderedKeyIndex index = openOrdered(keys)) {
                for (int number : numbers) {
                    put(index, keys, number, 1);
                }
                Collections.sort(numbers);
                assertThat(scan(index, null, true, false))
                        .as("shared=%s", shared)
                        .isEqualTo(numbers);
                for (int i = 0; i < ordered.length; i++) {
                    assertThat(scan(index, ordered[i], false, false))
                            .as("shared=%s, after %s", shared, i)
                            .isEqualTo(numbers.subList(i + 1, numbers.size()));
                    List<Integer> before = new ArrayList<>(numbers.subList(0, i));
                    Collections.reverse(before);
                    assertThat(scan(index, ordered[i], false, true))
                            .as("shared=%s, before %s", shared, i)
                            .isEqualTo(before);
                }
            }
        }
    }

    @Test
    void aScanHoldsUpNoWriter() throws Exception {
        IndexedKeys keys = numberedKeys(1_000);
        ExecutorService threads = Executors.newSingleThreadExecutor();
        try (OrderedKeyIndex index = openOrdered(keys)) {
            for (int i = 0; i < keys.count(); i += 2) {
                put(index, keys, i, 1);
            }
            int[] visits = new int[1];
            index.scan(null, true, false, (key, locator) -> {
                if (visits[0]++ == 100) {
                    Future<?> writer = threads.submit(() -> {
                        for (int i = 0; i < keys.count(); i += 2) {
                            put(index, keys, i, 2);
                            put(index, keys, i + 1, 2);
                            remove(index, keys, i + 1, 2);
                        }
                        return null;
                    });
                    awaitBesideAScan(writer);
                }
                return true;
            });
            assertThat(visits[0]).isGreaterThanOrEqualTo(keys.count() / 2);
        } finally {
            shutDown(threads);
        }
    }

    /** Waits for a writer that only a lock held by the scan can keep; so long that no machine is that slow. */
    private static void awaitBesideAScan(Future<?> writer) throws IOException {
        try {
            writer.get(20, TimeUnit.SECONDS);
        } catch (TimeoutException e) {
            throw new AssertionError("a writer waits for a scan whose visitor is at work", e);
        } catch (InterruptedException | ExecutionException e) {
            throw new IOException(e);
        }
    }

    @Test
    void aScanStartsAtOrBehindItsBound() throws Exception {
        IndexedKeys keys = new IndexedKeys(bytes("b"), bytes("d"), bytes("f"));
        try (OrderedKeyIndex index = openOrdered(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                put(index, keys, i, 1);
            }
            assertThat(scan(index, bytes("d"), true, false)).containsExactly(1, 2);
            assertThat(scan(index, bytes("d"), false, false)).containsExactly(2);
            assertThat(scan(index, bytes("c"), true, false)).containsExactly(1, 2);
            assertThat(scan(index, bytes("c"), false, false)).containsExactly(1, 2);
            assertThat(scan(index, bytes("g"), true, false)).isEmpty();
            assertThat(scan(index, bytes("f"), false, false)).isEmpty();
            assertThat(scan(index, bytes("d"), true, true)).containsExactly(1, 0);
            assertThat(scan(index, bytes("d"), false, true)).containsExactly(0);
            assertThat(scan(index, bytes("e"), true, true)).containsExactly(1, 0);
            assertThat(scan(index, bytes("e"), false, true)).containsExactly(1, 0);
            assertThat(scan(index, bytes("a"), true, true)).isEmpty();
            assertThat(scan(index, bytes("b"), false, true)).isEmpty();
            assertThat(scan(index, null, false, false)).containsExactly(0, 1, 2);
            assertThat(scan(index, null, false, true)).containsExactly(2, 1, 0);
        }
    }

    @Test
    void aScanStopsWhenTheVisitorHasEnough() throws Exception {
        IndexedKeys keys = numberedKeys(100);
        try (OrderedKeyIndex index = openOrdered(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                put(index, keys, i, 1);
            }
            for (boolean descending : new boolean[] {false, true}) {
                List<Long> visited = new ArrayList<>();
                index.scan(null, true, descending, (key, locator) -> {
                    visited.add(locator);
                    return visited.size() < 3;
                });
                assertThat(visited).hasSize(3);
            }
        }
    }

    @Test
    void whatTheVisitorThrowsComesOut() throws Exception {
        IndexedKeys keys = numberedKeys(3);
        try (OrderedKeyIndex index = openOrdered(keys)) {
            put(index, keys, 0, 1);
            assertThatThrownBy(() -> index.scan(null, true, false, (key, locator) -> {
                        throw new IOException("enough");
                    }))
                    .isInstanceOf(IOException.class)
                    .hasMessage("enough");
            assertThat(scan(index, null, true, false)).containsExactly(0);
        }
    }

    @Test
    void aVisitedKeyBelongsToTheVisitor() throws Exception {
        IndexedKeys keys = numberedKeys(50);
        try (OrderedKeyIndex index = openOrdered(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                put(index, keys, i, 1);
            }
            List<byte[]> kept = new ArrayList<>();
            index.scan(null, true, false, (key, locator) -> kept.add(key));
            assertThat(kept).hasSize(keys.count());
            kept.forEach(key -> Arrays.fill(key, (byte) 0));
            for (int i = 0; i < keys.count(); i++) {
                assertThat(get(index, keys.key(i))).isEqualTo(IndexedKeys.locator(i, 1));
            }
        }
    }

    @Test
    void aVisitorMayReadTheIndex() throws Exception {
        IndexedKeys keys = numberedKeys(500);
        try (OrderedKeyIndex index = openOrdered(keys)) {
            for (int i = 0; i < keys.count(); i++) {
                put(index, keys, i, 1);
            }
            int[] visits = new int[1];
            index.scan(null, true, false, (key, locator) -> {
                assertThat(get(index, key)).isEqualTo(locator);
                visits[0]++;
                return true;
            });
            assertThat(visits[0]).isEqualTo(keys.count());
        }
    }

    @Test
    void scansAgreeWithASortedModel() throws Exception {
        long seed = seed();
        Random random = new Random(seed);
        IndexedKeys keys = numberedKeys(800);
        NavigableMap<byte[], Integer> model = new TreeMap<>(Arrays::compareUnsigned);
        long[] locators = new long[keys.count()];
        try (OrderedKeyIndex index = openOrdered(keys)) {
            for (int step = 1; step <= 20_000; step++) {
                int number = random.nextInt(keys.count());
                byte[] key = keys.key(number);
                if (random.nextInt(step / 2_000 % 2 == 0 ? 4 : 2) == 0) {
                    boolean present = model.remove(key) != null;
                    assertThat(present && index.remove(key, 0, key.length, locators[number]))
                            .as("seed=%d", seed)
                            .isEqualTo(present);
                } else {
                    put(index, keys, number, step);
                    locators[number] = IndexedKeys.locator(number, step);
                    model.put(key, number);
                }
                if (step % 100 == 0) {
                    assertScanMatches(index, model, keys.key(random.nextInt(keys.count())), random, seed);
                }
            }
        }
    }

    @Test
    void aScanBesideAWriterVisitsEveryStableKeyOnceAndInOrder() throws Exception {
        long seed = seed();
        Random random = new Random(seed);
        IndexedKeys keys = numberedKeys(8_000);
        ExecutorService threads = Executors.newSingleThreadExecutor();
        AtomicBoolean stop = new AtomicBoolean();
        try (OrderedKeyIndex index = openOrdered(keys)) {
            // The keys with an even number stay (though their locators change); the others come and go.
            for (int i = 0; i < keys.count(); i += 2) {
                put(index, keys, i, 1);
            }
            CountDownLatch scanning = new CountDownLatch(1);
            Future<Integer> scans = threads.submit(() -> {
                int count = 0;
                while (!stop.get() || count < 2) {
                    assertStableKeysOnceInOrder(index, keys, count % 2 == 1, seed);
                    count++;
                    scanning.countDown();
                }
                return count;
            });
            scanning.await();
            long[] locators = new long[keys.count()];
            for (int step = 2; step < 100_000 && !scans.isDone(); step++) {
                int number = random.nextInt(keys.count());
                byte[] key = keys.key(number);
                if (number % 2 == 1 && locators[number] != KeyIndex.ABSENT) {
                    assertThat(index.remove(key, 0, key.length, locators[number]))
                            .isTrue();
                    locators[number] = KeyIndex.ABSENT;
                } else {
                    put(index, keys, number, step);
                    locators[number] = IndexedKeys.locator(number, step);
                }
            }
            stop.set(true);
            assertThat(join(scans)).isGreaterThanOrEqualTo(2);
        } finally {
            stop.set(true);
            shutDown(threads);
        }
    }

    @Test
    void aScanAfterCloseIsAnIllegalState() throws Exception {
        OrderedKeyIndex index = openOrdered(numberedKeys(1));
        index.close();
        assertThatThrownBy(() -> index.scan(null, true, false, (key, locator) -> true))
                .isInstanceOf(IllegalStateException.class);
    }

    private OrderedKeyIndex openOrdered(IndexedKeys keys) throws IOException {
        return newIndex(new KeyIndexContext(0, 0, 0x5EED, keys));
    }

    /** Returns the numbers of the keys that a scan visits, each checked to be under its own locator. */
    private static List<Integer> scan(
            OrderedKeyIndex index, byte @Nullable [] from, boolean inclusive, boolean descending) throws IOException {
        List<Integer> numbers = new ArrayList<>();
        index.scan(from, inclusive, descending, (key, locator) -> {
            assertThat(get(index, key)).isEqualTo(locator);
            return numbers.add(IndexedKeys.number(locator));
        });
        return numbers;
    }

    private static void assertScanMatches(
            OrderedKeyIndex index, NavigableMap<byte[], Integer> model, byte[] bound, Random random, long seed)
            throws IOException {
        boolean inclusive = random.nextBoolean();
        boolean descending = random.nextBoolean();
        byte[] from = random.nextInt(10) == 0 ? null : bound;
        NavigableMap<byte[], Integer> view = descending ? model.descendingMap() : model;
        List<Integer> expected = new ArrayList<>((from == null ? view : view.tailMap(from, inclusive)).values());
        assertThat(scan(index, from, inclusive, descending)).as("seed=%d", seed).isEqualTo(expected);
    }

    private static void assertStableKeysOnceInOrder(
            OrderedKeyIndex index, IndexedKeys keys, boolean descending, long seed) throws IOException {
        List<byte[]> visited = new ArrayList<>();
        Set<Integer> numbers = new HashSet<>();
        index.scan(null, true, descending, (key, locator) -> {
            int number = IndexedKeys.number(locator);
            assertThat(key).as("seed=%d", seed).isEqualTo(keys.key(number));
            assertThat(numbers.add(number)).as("visited once, seed=%d", seed).isTrue();
            return visited.add(key);
        });
        for (int i = 1; i < visited.size(); i++) {
            int order = Arrays.compareUnsigned(visited.get(i - 1), visited.get(i));
            assertThat(descending ? -order : order).as("seed=%d", seed).isNegative();
        }
        for (int i = 0; i < keys.count(); i += 2) {
            assertThat(numbers).as("stable keys, seed=%d", seed).contains(i);
        }
    }
}
