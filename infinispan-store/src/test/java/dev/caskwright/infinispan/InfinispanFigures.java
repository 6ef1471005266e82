package dev.caskwright.infinispan;

import com.sun.management.OperatingSystemMXBean;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.sorted.SortedKeyIndex;
import dev.caskwright.io.mmap.MmapIoManager;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.HashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import org.infinispan.Cache;
import org.infinispan.configuration.cache.ConfigurationBuilder;
import org.infinispan.configuration.global.GlobalConfigurationBuilder;
import org.infinispan.manager.DefaultCacheManager;
import org.infinispan.persistence.rocksdb.configuration.RocksDBStoreConfigurationBuilder;

/**
 * Measures what docs/infinispan.md says, beside Infinispan's file store and its RocksDB store, in turns; some minutes:
 *
 * <pre>
 * ./mvnw -q -pl infinispan-store -am test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java -XX:+UseSerialGC -Xmx2g -cp infinispan-store/target/test-classes:infinispan-store/target/classes:$(cat infinispan-store/target/classpath) \
 *   dev.caskwright.infinispan.InfinispanFigures DIRECTORY
 * </pre>
 *
 * <p>A local cache with 1,000 entries in memory, 256 segments, values of 100 bytes. The limits are a cache without a store, which
 * keeps all in memory, and this store's engine without Infinispan, which one thread calls. The directory must be on the disk that is
 * meant; what is made there is deleted again.
 */
public final class InfinispanFigures {
    private static final int ROUNDS = Integer.getInteger("caskwright.figures.rounds", 5);
    private static final int WARM_UP = 2;
    private static final int ENTRIES = Integer.getInteger("caskwright.figures.entries", 40_000);
    private static final int SINGLE = 4_000;
    private static final int GETS = 20_000;
    private static final int DURABLE = 3_200;
    private static final int DURABLE_SINGLE = 100;
    private static final int STORED = Integer.getInteger("caskwright.figures.stored", 1_000_000);
    private static final int UNDER_WAY = 64;
    private static final int LOADED_AT_ONCE = 1_000;
    private static final int VALUE = 100;

    private static final OperatingSystemMXBean SYSTEM =
            (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();

    /** Whose store. */
    private enum Kind {
        CASKWRIGHT("Caskwright"),
        FILE_STORE("file store"),
        ROCKSDB("RocksDB"),
        NO_STORE("no store"),
        ENGINE("engine alone");

        private final String title;

        Kind(String title) {
            this.title = title;
        }
    }

    private static final List<Kind> CACHES = List.of(Kind.CASKWRIGHT, Kind.FILE_STORE, Kind.ROCKSDB, Kind.NO_STORE);

    /** What is measured, and how many times better than the best of the peers it is to be. */
    private enum Row {
        PUT_ASYNC("putAsync x 64, µs", 2),
        PUT("put, µs", 1.5),
        GET("random get, µs", 2),
        DURABLE_ASYNC("synchronous putAsync x 64, µs", 2),
        DURABLE_PUT("synchronous put, µs", 2),
        RESTART("restart to first get, ms", 3);

        private final String title;
        private final double goal;

        Row(String title, double goal) {
            this.title = title;
            this.goal = goal;
        }
    }

    /** When something began, in nanoseconds of either clock. */
    private record Moment(long wall, long processor) {
        static Moment now() {
            return new Moment(System.nanoTime(), SYSTEM.getProcessCpuTime());
        }
    }

    private final Path directory;
    private final Map<Row, Map<Kind, List<double[]>>> figures = new EnumMap<>(Row.class);
    private boolean isWarmingUp;

    private InfinispanFigures(Path directory) {
        this.directory = directory;
    }

    /** Measures, and prints a table. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1) {
            throw new IllegalArgumentException("needs a directory");
        }
        InfinispanFigures figures = new InfinispanFigures(Path.of(arguments[0]));
        figures.measureAll();
        figures.tellAll();
        System.exit(0); // a store of RocksDB leaves threads
    }

    private void measureAll() throws Exception {
        for (int round = -WARM_UP; round < ROUNDS; round++) {
            isWarmingUp = round < 0;
            Random random = new Random(round);
            for (Kind kind : CACHES) {
                measure(kind, random);
            }
            measureEngine(random);
            measureDurable(Kind.CASKWRIGHT, random);
            measureDurable(Kind.FILE_STORE, random);
            measureDurableEngine(random);
            progress("round " + round);
        }
        measureRestarts();
    }

    private static void progress(String what) {
        System.err.println(what);
    }

    private void measure(Kind kind, Random random) throws IOException {
        Path store = newDirectory();
        try (DefaultCacheManager manager = open(kind, store, false)) {
            Cache<Integer, byte[]> cache = manager.getCache(Caches.NAME);
            Moment start = Moment.now();
            putAsync(cache, ENTRIES, random);
            note(Row.PUT_ASYNC, kind, start, ENTRIES * 1000.0);
            start = Moment.now();
            for (int i = 0; i < SINGLE; i++) {
                cache.put(random.nextInt(ENTRIES), value(random));
            }
            note(Row.PUT, kind, start, SINGLE * 1000.0);
            start = Moment.now();
            for (int i = 0; i < GETS; i++) {
                if (cache.get(random.nextInt(ENTRIES)).length != VALUE) {
                    throw new IllegalStateException("wrong value");
                }
            }
            note(Row.GET, kind, start, GETS * 1000.0);
        }
        SideFiles.deleteTree(store);
    }

    private static void putAsync(Cache<Integer, byte[]> cache, int entries, Random random) {
        List<CompletableFuture<?>> underWay = new ArrayList<>();
        for (int i = 0; i < entries; i++) {
            underWay.add(cache.putAsync(i, value(random)));
            if (underWay.size() == UNDER_WAY) {
                CompletableFuture.allOf(underWay.toArray(CompletableFuture[]::new))
                        .join();
                underWay.clear();
            }
        }
        CompletableFuture.allOf(underWay.toArray(CompletableFuture[]::new)).join();
    }

    private void measureEngine(Random random) throws IOException {
        Path store = newDirectory();
        try (StorageEngine engine = engine(store)) {
            Moment start = Moment.now();
            putBatches(engine, ENTRIES, WriteOptions.WRITE, random);
            note(Row.PUT_ASYNC, Kind.ENGINE, start, ENTRIES * 1000.0);
            start = Moment.now();
            for (int i = 0; i < SINGLE; i++) {
                engine.put(key(random.nextInt(ENTRIES)), value(random));
            }
            note(Row.PUT, Kind.ENGINE, start, SINGLE * 1000.0);
            start = Moment.now();
            for (int i = 0; i < GETS; i++) {
                if (engine.get(key(random.nextInt(ENTRIES))).length != VALUE) {
                    throw new IllegalStateException("wrong value");
                }
            }
            note(Row.GET, Kind.ENGINE, start, GETS * 1000.0);
        }
        SideFiles.deleteTree(store);
    }

    private static void putBatches(StorageEngine engine, int entries, WriteOptions level, Random random)
            throws IOException {
        WriteBatch batch = new WriteBatch();
        for (int i = 0; i < entries; i++) {
            batch.put(key(i), value(random));
            if (batch.size() == UNDER_WAY) {
                engine.write(batch, level);
                batch.clear();
            }
        }
        engine.write(batch, level);
    }

    private void measureDurable(Kind kind, Random random) throws IOException {
        Path store = newDirectory();
        try (DefaultCacheManager manager = open(kind, store, true)) {
            Cache<Integer, byte[]> cache = manager.getCache(Caches.NAME);
            Moment start = Moment.now();
            putAsync(cache, DURABLE, random);
            note(Row.DURABLE_ASYNC, kind, start, DURABLE * 1000.0);
            start = Moment.now();
            for (int i = 0; i < DURABLE_SINGLE; i++) {
                cache.put(random.nextInt(DURABLE), value(random));
            }
            note(Row.DURABLE_PUT, kind, start, DURABLE_SINGLE * 1000.0);
        }
        SideFiles.deleteTree(store);
    }

    private void measureDurableEngine(Random random) throws IOException {
        Path store = newDirectory();
        try (StorageEngine engine = engine(store)) {
            Moment start = Moment.now();
            putBatches(engine, DURABLE, WriteOptions.SYNC, random);
            note(Row.DURABLE_ASYNC, Kind.ENGINE, start, DURABLE * 1000.0);
            start = Moment.now();
            for (int i = 0; i < DURABLE_SINGLE; i++) {
                engine.put(key(random.nextInt(DURABLE)), value(random), WriteOptions.SYNC);
            }
            note(Row.DURABLE_PUT, Kind.ENGINE, start, DURABLE_SINGLE * 1000.0);
        }
        SideFiles.deleteTree(store);
    }

    private void measureRestarts() throws IOException {
        Map<Kind, Path> stores = new EnumMap<>(Kind.class);
        for (Kind kind : CACHES) {
            stores.put(kind, newDirectory());
            try (DefaultCacheManager manager = open(kind, stores.get(kind), false)) {
                fill(manager.getCache(Caches.NAME), kind == Kind.NO_STORE ? LOADED_AT_ONCE : STORED);
            }
            progress("filled for " + kind.title);
        }
        stores.put(Kind.ENGINE, newDirectory());
        try (StorageEngine engine = engine(stores.get(Kind.ENGINE))) {
            putBatches(engine, STORED, WriteOptions.WRITE, new Random(1));
        }
        for (int round = -1; round < ROUNDS; round++) {
            isWarmingUp = round < 0;
            for (Kind kind : CACHES) {
                Moment start = Moment.now();
                try (DefaultCacheManager manager = open(kind, stores.get(kind), false)) {
                    Object found = manager.getCache(Caches.NAME).get(STORED / 2);
                    note(Row.RESTART, kind, start, 1e6);
                    if (found == null && kind != Kind.NO_STORE) {
                        throw new IllegalStateException("lost: " + kind.title);
                    }
                }
            }
            Moment start = Moment.now();
            try (StorageEngine engine = engine(stores.get(Kind.ENGINE))) {
                engine.get(key(STORED / 2));
                note(Row.RESTART, Kind.ENGINE, start, 1e6);
            }
        }
        for (Path store : stores.values()) {
            SideFiles.deleteTree(store);
        }
    }

    private static void fill(Cache<Integer, byte[]> cache, int entries) {
        Random random = new Random(1);
        Map<Integer, byte[]> next = new HashMap<>();
        for (int i = 0; i < entries; i++) {
            next.put(i, value(random));
            if (next.size() == LOADED_AT_ONCE) {
                cache.putAll(next);
                next.clear();
            }
        }
    }

    private static DefaultCacheManager open(Kind kind, Path store, boolean isSync) {
        ConfigurationBuilder builder = new ConfigurationBuilder();
        builder.clustering().hash().numSegments(256);
        if (kind != Kind.NO_STORE) {
            builder.memory().maxCount(1000);
        }
        switch (kind) {
            case CASKWRIGHT ->
                builder.persistence()
                        .addStore(CaskwrightStoreConfigurationBuilder.class)
                        .path(store.toString())
                        .syncWrites(isSync);
            case FILE_STORE ->
                builder.persistence()
                        .addSoftIndexFileStore()
                        .dataLocation(store.resolve("data").toString())
                        .indexLocation(store.resolve("index").toString())
                        .syncWrites(isSync);
            case ROCKSDB ->
                builder.persistence()
                        .addStore(RocksDBStoreConfigurationBuilder.class)
                        .location(store.resolve("data").toString())
                        .expiredLocation(store.resolve("expired").toString());
            default -> {}
        }
        DefaultCacheManager manager = new DefaultCacheManager(new GlobalConfigurationBuilder().build());
        manager.defineConfiguration(Caches.NAME, builder.build());
        return manager;
    }

    private static StorageEngine engine(Path store) throws IOException {
        return BitcaskEngine.builder(store)
                .index(SortedKeyIndex::new)
                .io(MmapIoManager::open)
                .open();
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(10)
                .put((byte) 1)
                .putInt(number % 256)
                .putInt(number)
                .array();
    }

    private static byte[] value(Random random) {
        byte[] value = new byte[VALUE];
        random.nextBytes(value);
        return value;
    }

    private Path newDirectory() throws IOException {
        return Files.createTempDirectory(directory, "figures");
    }

    private void note(Row row, Kind kind, Moment start, double divisor) {
        double wall = (System.nanoTime() - start.wall()) / divisor;
        double processor = (SYSTEM.getProcessCpuTime() - start.processor()) / divisor;
        if (!isWarmingUp) {
            figures.computeIfAbsent(row, each -> new EnumMap<>(Kind.class))
                    .computeIfAbsent(kind, each -> new ArrayList<>())
                    .add(new double[] {wall, processor});
        }
    }

    /** Wall time and, behind a stroke, the processor time of all threads; what the better peer takes, divided by what this store does. */
    private void tellAll() {
        StringBuilder head = new StringBuilder(String.format(Locale.ROOT, "%-30s", "medians: wall / processor"));
        for (Kind kind : Kind.values()) {
            head.append(String.format(Locale.ROOT, " %19s", kind.title));
        }
        System.out.println(head.append("   times (processor), goal"));
        for (Row row : Row.values()) {
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-30s", row.title));
            for (Kind kind : Kind.values()) {
                double wall = median(row, kind, 0);
                line.append(
                        Double.isNaN(wall)
                                ? " ".repeat(20)
                                : String.format(Locale.ROOT, " %9.1f /%8.1f", wall, median(row, kind, 1)));
            }
            System.out.println(line.append(
                    String.format(Locale.ROOT, "   %5.2f (%.2f), %.1f", times(row, 0), times(row, 1), row.goal)));
        }
    }

    private double times(Row row, int clock) {
        double files = median(row, Kind.FILE_STORE, clock);
        double rocks = median(row, Kind.ROCKSDB, clock);
        boolean isBesideFilesOnly = Double.isNaN(rocks) || row == Row.RESTART;
        return (isBesideFilesOnly ? files : Math.min(files, rocks)) / median(row, Kind.CASKWRIGHT, clock);
    }

    private double median(Row row, Kind kind, int clock) {
        List<double[]> all = figures.getOrDefault(row, Map.of()).get(kind);
        if (all == null) {
            return Double.NaN;
        }
        double[] sorted = all.stream().mapToDouble(each -> each[clock]).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
