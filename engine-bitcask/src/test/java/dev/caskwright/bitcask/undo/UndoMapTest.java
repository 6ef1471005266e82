package dev.caskwright.bitcask.undo;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Range;
import dev.caskwright.api.spi.index.KeyHash;
import dev.caskwright.testkit.KeyValues;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class UndoMapTest {
    private static final KeyHash HASH = new KeyHash(7);
    private static final int LONGEST = 0xFFFF;

    private final UndoMap map = new UndoMap(HASH);

    @Test
    void whatIsSavedFirstCounts() {
        byte[] key = KeyValues.bytes("key");
        assertThat(get(key)).isEqualTo(UndoMap.UNCHANGED);
        save(map, key, 8);
        save(map, key, 9);
        assertThat(get(key)).isEqualTo(8);
        assertThat(get(KeyValues.bytes("kez"))).isEqualTo(UndoMap.UNCHANGED);
    }

    @Test
    void keysMayBeSlicesAndOfAnyLength() {
        for (int length : new int[] {1, 2, LONGEST - 1, LONGEST, 3, LONGEST}) {
            byte[] array = new byte[length + 5];
            new Random(length).nextBytes(array);
            map.save(array, 3, length, length);
            assertThat(map.get(array, 3, length)).isEqualTo(length);
            assertThat(get(Arrays.copyOfRange(array, 3, 3 + length))).isEqualTo(length);
        }
    }

    @ParameterizedTest
    @ValueSource(longs = {1, 2, 3, 4})
    void randomHistoriesAgreeWithAModel(long seed) {
        Random random = new Random(seed);
        UndoMap other = new UndoMap(HASH);
        NavigableMap<byte[], Long> model = KeyValues.newMap();
        NavigableMap<byte[], Long> otherModel = KeyValues.newMap();
        int keys = 1 + random.nextInt(20_000);
        long passed = 0;
        for (int step = 0; step < 30_000; step++) {
            byte[] key = key(random.nextInt(keys));
            long locator = random.nextInt(4) == 0 ? 0 : 8L + step;
            if (random.nextBoolean()) {
                save(map, key, locator);
                model.putIfAbsent(key, locator);
            } else {
                save(other, key, locator);
                otherModel.putIfAbsent(key, locator);
            }
            if (random.nextInt(2_000) == 0) {
                assertRange(seed, model, key(random.nextInt(keys)), key(random.nextInt(keys)), random.nextInt(1 << 13));
            }
            if (random.nextInt(8_000) == 0) {
                passed = map.saveAll(other, passed);
                otherModel.forEach(model::putIfAbsent);
            }
        }
        map.saveAll(other, passed);
        otherModel.forEach(model::putIfAbsent);
        for (int i = 0; i < keys; i++) {
            byte[] key = key(i);
            assertThat(get(key)).as("seed=%s, key=%s", seed, i).isEqualTo(model.getOrDefault(key, UndoMap.UNCHANGED));
        }
        assertRange(seed, model, key(0), key(1), 0);
    }

    /** The lowest bits of {@code bounds} say which bounds there are, and which are inclusive. */
    private void assertRange(long seed, NavigableMap<byte[], Long> model, byte[] one, byte[] other, int bounds) {
        boolean isSwapped = Arrays.compareUnsigned(one, other) > 0;
        byte[] from = (bounds & 1) == 0 ? null : isSwapped ? other : one;
        byte[] to = (bounds & 2) == 0 ? null : isSwapped ? one : other;
        boolean fromInclusive = (bounds & 4) != 0 || Arrays.equals(from, to);
        boolean toInclusive = (bounds & 8) != 0 || Arrays.equals(from, to);
        NavigableMap<byte[], Long> expected = model;
        if (from != null) {
            expected = expected.tailMap(from, fromInclusive);
        }
        if (to != null) {
            expected = expected.headMap(to, toInclusive);
        }
        Range range = range(from, fromInclusive, to, toInclusive);
        int limit = 1 + (bounds >>> 5) % 200;
        Map<byte[], Long> found = walk((bounds & 16) == 0 ? range : range.descending(true), limit);
        assertThat(found.size()).as("seed=%s", seed).isEqualTo(expected.size());
        for (Map.Entry<byte[], Long> each : expected.entrySet()) {
            assertThat(found.get(each.getKey())).as("seed=%s", seed).isEqualTo(each.getValue());
        }
    }

    private static Range range(byte[] from, boolean fromInclusive, byte[] to, boolean toInclusive) {
        Range range = Range.all();
        if (from != null) {
            range = range.from(from, fromInclusive);
        }
        if (to != null) {
            range = range.to(to, toInclusive);
        }
        return range;
    }

    /** Walks a range in pieces of so many keys, and checks that pieces are bounded, in order, and get ahead. */
    private Map<byte[], Long> walk(Range range, int limit) {
        Map<byte[], Long> found = KeyValues.newMap();
        byte[] last = range.start();
        boolean inclusive = range.isStartInclusive();
        while (true) {
            KeyPiece piece = new KeyPiece(last, inclusive, range.isDescending(), range::isBeforeEnd, limit);
            map.addTo(piece);
            // The runs of a map are sources of their own; there are few.
            assertThat(piece.keys().size()).isLessThanOrEqualTo(32 * limit);
            for (Map.Entry<byte[], Long> each : piece.keys().entrySet()) {
                assertThat(found.put(each.getKey(), each.getValue())).isNull();
            }
            byte[] end = piece.end();
            if (end == null) {
                return found;
            }
            assertThat(found).as("it gets ahead").isNotEmpty();
            last = end;
            inclusive = false;
        }
    }

    /** What the writer told before, readers find, whatever it saves meanwhile; and never anything else. */
    @Test
    void readersBesideTheWriterFindWhatWasSaved() throws Exception {
        int keys = 200_000;
        AtomicInteger told = new AtomicInteger();
        List<Callable<Void>> readers = List.of(
                () -> {
                    Random random = new Random(1);
                    while (told.get() < keys) {
                        int saved = told.get();
                        int number = random.nextInt(keys);
                        long expected = 8L + number;
                        long found = get(key(number));
                        if (found != expected && (number < saved || found != UndoMap.UNCHANGED)) {
                            throw new AssertionError("key=" + number + ", saved=" + saved + ", found=" + found);
                        }
                    }
                    return null;
                },
                () -> {
                    Random random = new Random(2);
                    while (told.get() < keys) {
                        int saved = told.get();
                        byte[] from = key(random.nextInt(keys));
                        byte[] to = key(random.nextInt(keys));
                        KeyPiece found = new KeyPiece(
                                from, true, false, key -> Arrays.compareUnsigned(key, to) <= 0, Integer.MAX_VALUE);
                        map.addTo(found);
                        found.keys().forEach((key, locator) -> {
                            if (!Arrays.equals(key, key((int) (locator - 8)))) {
                                throw new AssertionError("a key with another's locator: " + locator);
                            }
                        });
                        int number = random.nextInt(keys);
                        byte[] wanted = key(number);
                        KeyPiece one =
                                new KeyPiece(wanted, true, false, key -> Arrays.equals(key, wanted), Integer.MAX_VALUE);
                        map.addTo(one);
                        if (number < saved && one.keys().size() != 1) {
                            throw new AssertionError("key=" + number + ", saved=" + saved + ", found=" + one.keys());
                        }
                    }
                    return null;
                });
        ExecutorService executor = Executors.newFixedThreadPool(readers.size());
        try {
            List<Future<Void>> results = new ArrayList<>();
            for (Callable<Void> reader : readers) {
                results.add(executor.submit(reader));
            }
            for (int i = 0; i < keys; i++) {
                save(map, key(i), 8L + i);
                told.set(i + 1);
            }
            for (Future<Void> result : results) {
                result.get();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    /** Keys whose order is not that of their numbers, of several lengths. */
    private static byte[] key(int number) {
        String text = Integer.toString(number);
        return KeyValues.bytes(new StringBuilder(text).reverse() + "/" + "x".repeat(number % 20));
    }

    private static void save(UndoMap map, byte[] key, long locator) {
        map.save(key, 0, key.length, locator);
    }

    private long get(byte[] key) {
        return map.get(key, 0, key.length);
    }
}
