package dev.caskwright.infinispan;

import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.CompletableFuture;
import org.infinispan.Cache;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.persistence.rocksdb.configuration.RocksDBStoreConfigurationBuilder;

/**
 * Measures caches over this store, Infinispan's file store and its RocksDB store, in turns. A program:
 *
 * <pre>
 * java dev.caskwright.infinispan.StoreComparison DIRECTORY [ENTRIES] [ROUNDS]
 * </pre>
 *
 * <p>Prints medians of wall time, and of the processor time of all threads, which a busy machine disturbs less:
 * microseconds of a put, of a put when 64 are under way, of a random get, and milliseconds from a clean restart to the
 * first get. A local cache with 1,000 entries in memory, 256 segments, values of 100 bytes.
 */
final class StoreComparison {
    private static final int UNDER_WAY = 64;
    private static final int SINGLE = 1000;

    private enum Kind {
        CASKWRIGHT,
        FILE_STORE,
        ROCKSDB,
        CASKWRIGHT_SYNC,
        FILE_STORE_SYNC
    }

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** When something began, in nanoseconds of either clock. */
    private record Moment(long wall, long processor) {
        static Moment now() {
            return new Moment(System.nanoTime(), SYSTEM.getProcessCpuTime());
        }
    }

    private StoreComparison() {}

    public static void main(String[] arguments) throws Exception {
        int entries = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 20_000;
        int rounds = arguments.length > 2 ? Integer.parseInt(arguments[2]) : 5;
        Map<String, double[]> figures = new TreeMap<>();
        for (int round = 0; round < rounds; round++) {
            for (Kind kind : Kind.values()) {
                Path directory = Files.createTempDirectory(Path.of(arguments[0]), "compare");
                measure(kind, directory, entries, round, rounds, figures);
                try (var files = Files.walk(directory)) {
                    for (Path each : files.sorted(Comparator.reverseOrder()).toList()) {
                        Files.deleteIfExists(each);
                    }
                }
            }
        }
        figures.forEach((name, all) -> {
            Arrays.sort(all);
            System.out.printf("%-40s %10.1f%n", name, all[all.length / 2]);
        });
        System.exit(0);
    }

    private static DefaultCacheManager open(Kind kind, Path directory) {
        ConfigurationBuilder builder = new ConfigurationBuilder();
        builder.memory().maxCount(1000);
        switch (kind) {
            case CASKWRIGHT, CASKWRIGHT_SYNC ->
                builder.persistence()
                        .addStore(CaskwrightStoreConfigurationBuilder.class)
                        .path(directory.toString())
                        .syncWrites(kind == Kind.CASKWRIGHT_SYNC);
            case FILE_STORE, FILE_STORE_SYNC ->
                builder.persistence()
                        .addSoftIndexFileStore()
                        .dataLocation(directory.resolve("data").toString())
                        .indexLocation(directory.resolve("index").toString())
                        .syncWrites(kind == Kind.FILE_STORE_SYNC);
            case ROCKSDB ->
                builder.persistence()
                        .addStore(RocksDBStoreConfigurationBuilder.class)
                        .location(directory.resolve("data").toString())
                        .expiredLocation(directory.resolve("expired").toString());
        }
        DefaultCacheManager manager = new DefaultCacheManager(new GlobalConfigurationBuilder().build());
        manager.defineConfiguration(Caches.NAME, builder.build());
        return manager;
    }

    private static void measure(
            Kind kind, Path directory, int entries, int round, int rounds, Map<String, double[]> figures)
            throws Exception {
        Random random = new Random(round);
        boolean isSync = kind == Kind.CASKWRIGHT_SYNC || kind == Kind.FILE_STORE_SYNC;
        int asked = isSync ? entries / 10 : entries;
        int single = isSync ? SINGLE / 4 : SINGLE;
        try (DefaultCacheManager manager = open(kind, directory)) {
            Cache<Integer, byte[]> cache = manager.getCache(Caches.NAME);
            Moment start = Moment.now();
            List<CompletableFuture<?>> underWay = new ArrayList<>();
            for (int i = 0; i < asked; i++) {
                underWay.add(cache.putAsync(i, value(random)));
                if (underWay.size() == UNDER_WAY) {
                    CompletableFuture.allOf(underWay.toArray(CompletableFuture[]::new))
                            .join();
                    underWay.clear();
                }
            }
            CompletableFuture.allOf(underWay.toArray(CompletableFuture[]::new)).join();
            note(figures, "putAsync x 64, µs: " + kind, round, rounds, start, asked * 1000.0);
            start = Moment.now();
            for (int i = 0; i < single; i++) {
                cache.put(random.nextInt(asked), value(random));
            }
            note(figures, "put, µs: " + kind, round, rounds, start, single * 1000.0);
            start = Moment.now();
            for (int i = 0; i < SINGLE; i++) {
                if (cache.get(random.nextInt(asked)).length != 100) {
                    throw new IllegalStateException("wrong value");
                }
            }
            note(figures, "get, µs: " + kind, round, rounds, start, SINGLE * 1000.0);
        }
        Moment start = Moment.now();
        try (DefaultCacheManager manager = open(kind, directory)) {
            if (manager.<Integer, byte[]>getCache(Caches.NAME).get(1) == null) {
                throw new IllegalStateException("lost: " + kind);
            }
            note(figures, "restart to first get, ms: " + kind, round, rounds, start, 1e6);
        }
    }

    private static byte[] value(Random random) {
        byte[] value = new byte[100];
        random.nextBytes(value);
        return value;
    }

    private static void note(
            Map<String, double[]> figures, String name, int round, int rounds, Moment start, double divisor) {
        double wall = (System.nanoTime() - start.wall()) / divisor;
        double processor = (SYSTEM.getProcessCpuTime() - start.processor()) / divisor;
        figures.computeIfAbsent(name + ", wall", each -> new double[rounds])[round] = wall;
        figures.computeIfAbsent(name + ", processor", each -> new double[rounds])[round] = processor;
    }
}
