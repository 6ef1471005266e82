package dev.caskwright.kafka;

import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.Stores;

/**
 * Measures a key-value store beside Kafka's RocksDB store, in turns, in one task of the test driver. A program:
 *
 * <pre>
 * java dev.caskwright.kafka.RocksDbComparison DIRECTORY [KEYS] [ROUNDS]
 * </pre>
 *
 * <p>Prints the medians of the rounds in microseconds: puts of 100 bytes at random over KEYS keys with a commit each
 * 1,000, random gets, and ranges of 100 entries.
 */
final class RocksDbComparison {
    private static final int OPERATIONS = 50_000;
    private static final int RANGES = 500;

    private RocksDbComparison() {}

    public static void main(String[] arguments) throws Exception {
        Path base = Path.of(arguments[0]);
        int keys = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 200_000;
        int rounds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 7;
        Map<String, double[]> figures = new TreeMap<>();
        Path directory = Files.createTempDirectory(base, "compare");
        KeyValueBytesStoreSupplier ours = CaskwrightStores.keyValueStore("caskwright", StoreFormat.PLAIN);
        KeyValueBytesStoreSupplier theirs = Stores.persistentKeyValueStore("rocksdb-store");
        try (Beside<KeyValueStore<Bytes, byte[]>> both = new Beside<>(
                directory,
                Stores.keyValueStoreBuilder(ours, Serdes.Bytes(), Serdes.ByteArray()),
                Stores.keyValueStoreBuilder(theirs, Serdes.Bytes(), Serdes.ByteArray()),
                Map.of())) {
            for (String name : new String[] {ours.name(), theirs.name()}) {
                KeyValueStore<Bytes, byte[]> store = both.store(name);
                for (int i = 0; i < keys; i++) {
                    store.put(key(i), new byte[100]);
                }
                both.commit();
            }
            for (int round = 0; round < rounds; round++) {
                for (String name : new String[] {ours.name(), theirs.name()}) {
                    measure(both, name, keys, round, rounds, figures);
                }
            }
        } finally {
            try (var files = Files.walk(directory)) {
                for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                    Files.deleteIfExists(each);
                }
            }
        }
        figures.forEach((name, all) -> {
            Arrays.sort(all);
            System.out.printf("%-24s %8.2f µs%n", name, all[all.length / 2]);
        });
    }

    private static void measure(
            Beside<KeyValueStore<Bytes, byte[]>> both,
            String name,
            int keys,
            int round,
            int rounds,
            Map<String, double[]> figures) {
        KeyValueStore<Bytes, byte[]> store = both.store(name);
        Random random = new Random(round);
        long start = System.nanoTime();
        for (int i = 1; i <= OPERATIONS; i++) {
            byte[] value = new byte[100];
            random.nextBytes(value);
            store.put(key(random.nextInt(keys)), value);
            if (i % 1000 == 0) {
                both.commit();
            }
        }
        note(figures, "put " + name, round, rounds, start, OPERATIONS);
        start = System.nanoTime();
        for (int i = 0; i < OPERATIONS; i++) {
            if (store.get(key(random.nextInt(keys))).length != 100) {
                throw new IllegalStateException("wrong value");
            }
        }
        note(figures, "get " + name, round, rounds, start, OPERATIONS);
        start = System.nanoTime();
        for (int i = 0; i < RANGES; i++) {
            int from = random.nextInt(keys - 100);
            int seen = 0;
            try (KeyValueIterator<Bytes, byte[]> range = store.range(key(from), key(from + 99))) {
                for (; range.hasNext(); range.next()) {
                    seen++;
                }
            }
            if (seen != 100) {
                throw new IllegalStateException("wrong range: " + seen);
            }
        }
        note(figures, "range of 100 " + name, round, rounds, start, RANGES);
    }

    private static void note(
            Map<String, double[]> figures, String name, int round, int rounds, long start, int operations) {
        figures.computeIfAbsent(name, each -> new double[rounds])[round] =
                (System.nanoTime() - start) / 1000.0 / operations;
    }

    private static Bytes key(int number) {
        return Bytes.wrap(ByteBuffer.allocate(16)
                .putLong(0x6b6579206b657920L)
                .putLong(number)
                .array());
    }
}
