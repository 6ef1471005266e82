package dev.caskwright.benchmarks;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.index.sorted.SortedKeyIndex;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.moss.MossBatch;
import dev.caskwright.moss.MossBuilder;
import dev.caskwright.moss.MossEngine;
import dev.caskwright.moss.MossIterator;
import dev.caskwright.moss.MossSnapshot;
import dev.caskwright.moss.MossStats;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.concurrent.ConcurrentSkipListMap;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Supplier;
import java.util.zip.CRC32C;
import org.h2.mvstore.MVMap;
import org.h2.mvstore.MVStore;
import org.h2.mvstore.type.ByteArrayDataType;
import org.rocksdb.Options;
import org.rocksdb.RocksDB;
import org.rocksdb.RocksDBException;
import org.rocksdb.RocksIterator;

/**
 * Measures what docs/moss.md says, beside RocksDB, MVStore and the JDK's skip list, in turns: a million random keys of 20 bytes
 * with values of 100, in batches of 100 unless the name says otherwise. Each line has one round; the first one warms up.
 *
 * <pre>
 * ./mvnw -q -pl benchmarks -am test-compile
 * ./mvnw -q -pl benchmarks dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java -Xmx4g -cp benchmarks/target/test-classes:benchmarks/target/classes:$(cat benchmarks/target/classpath) \
 *   dev.caskwright.benchmarks.MossFigures DIRECTORY [NAME ...]
 * </pre>
 *
 * <p>The names are memory, drained, bitcask, logged, forced, single, iterate, gets and snapshot. The directory must be on the disk that is
 * meant; what is made there is deleted again.
 */
public final class MossFigures {
    private static final int KEYS = Integer.getInteger("caskwright.figures.keys", 1_000_000);
    private static final int ROUNDS = Integer.getInteger("caskwright.figures.rounds", 4);
    private static final int BATCH = 100;
    private static final int VALUE = 100;
    private static final int KEY = 20;
    private static final int LOGGED_BESIDE = 4; // of each entry: kind and lengths
    private static final long LOG_FILE = 64 << 20;
    private static final List<String> NAMES =
            List.of("memory", "drained", "bitcask", "logged", "forced", "single", "iterate", "gets", "snapshot");

    private final Path directory;
    private final byte[][] keys = new byte[KEYS][KEY];
    private final byte[] value = new byte[VALUE];
    private int made;

    private MossFigures(Path directory) {
        this.directory = directory;
        Random random = new Random(1);
        for (byte[] key : keys) {
            random.nextBytes(key);
        }
        random.nextBytes(value);
    }

    /** Measures the figures that are named, or all. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 0) {
            throw new IllegalArgumentException("needs a directory, and takes names: " + NAMES);
        }
        MossFigures figures = new MossFigures(Path.of(arguments[0]));
        List<String> names = arguments.length > 1 ? Arrays.asList(arguments).subList(1, arguments.length) : NAMES;
        for (String name : names) {
            for (int round = 0; round < ROUNDS; round++) {
                figures.measure(name);
            }
        }
    }

    private void measure(String name) throws Exception {
        switch (name) {
            case "memory" -> {
                tell(name, "moss", load(memory(), WriteOptions.NONE, false));
                tell(name, "RocksDB, no log", rocks(true, 0));
                tell(name, "MVStore, no file", mvStore());
            }
            case "drained" -> tell(name, "moss", load(files(), WriteOptions.NONE, true));
            case "bitcask" -> drainedToBitcask();
            case "logged" -> {
                tell(name, "moss", load(files(), WriteOptions.WRITE, false));
                tell(name, "moss, no log", load(files(), WriteOptions.NONE, false));
                tell(name, "bare log, mapped", bareLog(false));
                tell(name, "bare log, by calls", bareLog(true));
                tell(name, "RocksDB", rocks(false, 0));
            }
            case "forced" -> tell(name, "moss", load(files(), WriteOptions.SYNC, false));
            case "single" -> singles();
            case "iterate" -> iterate();
            case "gets" -> gets();
            case "snapshot" -> snapshots();
            default -> throw new IllegalArgumentException("no such figure: name=" + name + ", known=" + NAMES);
        }
    }

    private static void tell(String name, String who, double perSecond) {
        System.out.println(String.format(Locale.ROOT, "%-10s %-24s %,14.0f /s", name, who, perSecond));
    }

    private static double perSecond(long count, long startNanos) {
        return count * 1e9 / (System.nanoTime() - startNanos);
    }

    private MossBuilder memory() {
        return MossEngine.inMemory().maxMemoryBytes(2L << 30);
    }

    private MossBuilder files() throws IOException {
        return MossEngine.builder(newDirectory()).io(MmapIoManager::open).maxMemoryBytes(1L << 30);
    }

    private Path newDirectory() throws IOException {
        Path path = directory.resolve("figures" + made++);
        SideFiles.deleteTree(path);
        return path;
    }

    private void deleteLast() throws IOException {
        SideFiles.deleteTree(directory.resolve("figures" + (made - 1)));
    }

    private double load(MossBuilder builder, WriteOptions level, boolean isDrained) throws IOException {
        double rate;
        try (MossEngine engine = builder.open()) {
            rate = load(engine, level, isDrained);
        }
        if (made > 0) {
            deleteLast(); // nothing, if the engine was in memory
        }
        return rate;
    }

    private double load(MossEngine engine, WriteOptions level, boolean isDrained) throws IOException {
        int count = level == WriteOptions.SYNC ? KEYS / 20 : KEYS;
        MossBatch batch = new MossBatch();
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            batch.put(keys[i], value);
            if (batch.size() == BATCH) {
                engine.write(batch, level);
                batch.clear();
            }
        }
        if (isDrained) {
            engine.flush();
        }
        return perSecond(count, start);
    }

    /** Appends and checksums the bytes of the batches, in pieces as moss logs them, and does nothing else. */
    private double bareLog(boolean isSequential) throws IOException {
        byte[] batch = new byte[BATCH * (KEY + VALUE + LOGGED_BESIDE)];
        CRC32C checksum = new CRC32C();
        double rate;
        Path path = newDirectory();
        try (IoManager io = MmapIoManager.open(Files.createDirectories(path), true)) {
            long start = System.nanoTime();
            WritableFile file = null;
            long length = 0;
            for (int i = 0; i + BATCH <= KEYS; i += BATCH) {
                if (file == null || length > LOG_FILE) {
                    if (file != null) {
                        file.close();
                    }
                    String name = i + ".log";
                    file = isSequential ? io.createSequential(name, 0) : io.create(name, 0);
                    length = 0;
                }
                for (int at = 0, j = i; j < i + BATCH; j++) {
                    System.arraycopy(keys[j], 0, batch, at, KEY);
                    System.arraycopy(value, 0, batch, at + KEY, VALUE);
                    at += KEY + VALUE + LOGGED_BESIDE;
                }
                checksum.reset();
                checksum.update(batch, 0, batch.length);
                batch[0] = (byte) checksum.getValue();
                file.write(length, batch, 0, batch.length);
                length += batch.length;
            }
            file.close();
            rate = perSecond(KEYS, start);
        }
        SideFiles.deleteTree(path);
        return rate;
    }

    private void drainedToBitcask() throws IOException {
        drainedToBitcask("btree", BTreeKeyIndex::new);
        drainedToBitcask("sorted", SortedKeyIndex::new);
    }

    private void drainedToBitcask(String indexName, Supplier<KeyIndex> index) throws IOException {
        Path path = newDirectory();
        try (StorageEngine lower = bitcask(path, index);
                MossEngine engine = MossEngine.inMemory()
                        .over(lower)
                        .maxMemoryBytes(1L << 30)
                        .open()) {
            tell("bitcask", "moss over " + indexName, load(engine, WriteOptions.NONE, true));
        }
        SideFiles.deleteTree(path);
        try (StorageEngine alone = bitcask(path, index)) {
            WriteBatch batch = new WriteBatch();
            long start = System.nanoTime();
            for (byte[] key : keys) {
                batch.put(key, value);
                if (batch.size() == BATCH) {
                    alone.write(batch);
                    batch.clear();
                }
            }
            alone.sync();
            tell("bitcask", indexName + " alone", perSecond(KEYS, start));
        }
        SideFiles.deleteTree(path);
    }

    private static BitcaskEngine bitcask(Path path, Supplier<KeyIndex> index) throws IOException {
        return BitcaskEngine.builder(path)
                .index(context -> index.get())
                .io(MmapIoManager::open)
                .open();
    }

    /** A batch of some of the keys, rewritten. */
    @FunctionalInterface
    private interface Rewrite {
        void batch(int first) throws IOException, RocksDBException;
    }

    /**
     * Loads RocksDB; then, if asked for, gets that many random keys, beside batches at a pace as those beside moss. Returns the rate of
     * what came last.
     */
    private double rocks(boolean isWithoutLog, int gets) throws Exception {
        Path path = newDirectory();
        Files.createDirectories(path);
        RocksDB.loadLibrary();
        double rate;
        try (Options options = new Options().setCreateIfMissing(true);
                org.rocksdb.WriteOptions level = new org.rocksdb.WriteOptions().setDisableWAL(isWithoutLog);
                RocksDB database = RocksDB.open(options, path.toString())) {
            long start = System.nanoTime();
            for (int i = 0; i + BATCH <= KEYS; i += BATCH) {
                write(database, level, i);
            }
            rate = perSecond(KEYS, start);
            if (gets > 0) {
                tell("gets", "RocksDB", gets(database, gets));
                AtomicBoolean isDone = new AtomicBoolean();
                Thread writer = new Thread(() -> rewrite(first -> write(database, level, first), isDone));
                writer.start();
                rate = gets(database, gets);
                isDone.set(true);
                writer.join();
            } else if (gets < 0) {
                rate = iterate(database);
            }
        }
        SideFiles.deleteTree(path);
        return rate;
    }

    private void write(RocksDB database, org.rocksdb.WriteOptions level, int first) throws RocksDBException {
        try (org.rocksdb.WriteBatch batch = new org.rocksdb.WriteBatch()) {
            for (int i = first; i < first + BATCH; i++) {
                batch.put(keys[i], value);
            }
            database.write(level, batch);
        }
    }

    private double gets(RocksDB database, int count) throws RocksDBException {
        Random random = new Random(2);
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            if (database.get(keys[random.nextInt(KEYS)]) == null) {
                throw new IllegalStateException("a key is missing");
            }
        }
        return perSecond(count, start);
    }

    private static double iterate(RocksDB database) {
        long count = 0;
        long start = System.nanoTime();
        try (RocksIterator iterator = database.newIterator()) {
            for (iterator.seekToFirst(); iterator.isValid(); iterator.next()) {
                count += iterator.key().length + iterator.value().length > 0 ? 1 : 0;
            }
        }
        return perSecond(count, start);
    }

    private double mvStore() {
        try (MVStore store = new MVStore.Builder().open()) {
            MVMap<byte[], byte[]> map = store.openMap(
                    "data",
                    new MVMap.Builder<byte[], byte[]>()
                            .keyType(ByteArrayDataType.INSTANCE)
                            .valueType(ByteArrayDataType.INSTANCE));
            long start = System.nanoTime();
            for (byte[] key : keys) {
                map.put(key, value);
            }
            return perSecond(KEYS, start);
        }
    }

    private void singles() throws IOException {
        try (MossEngine engine = memory().open()) {
            long start = System.nanoTime();
            for (byte[] key : keys) {
                engine.put(key, value, WriteOptions.NONE);
            }
            tell("single", "moss", perSecond(KEYS, start));
        }
        ConcurrentSkipListMap<byte[], byte[]> map = new ConcurrentSkipListMap<>(Arrays::compareUnsigned);
        long start = System.nanoTime();
        for (byte[] key : keys) {
            map.put(key.clone(), value.clone());
        }
        tell("single", "ConcurrentSkipListMap", perSecond(KEYS, start));
    }

    private static double iterate(MossEngine engine) throws IOException {
        long count = 0;
        long start = System.nanoTime();
        try (MossIterator entries = engine.iterator()) {
            while (entries.next()) {
                count += entries.keyView().remaining() + entries.valueView().remaining() > 0 ? 1 : 0;
            }
        }
        return perSecond(count, start);
    }

    private void iterate() throws Exception {
        try (MossEngine engine = memory().open()) {
            load(engine, WriteOptions.NONE, false);
            tell("iterate", "moss, as written", iterate(engine));
            engine.compact();
            tell("iterate", "moss, joined in memory", iterate(engine));
        }
        try (MossEngine engine = files().cleanBytes(0).open()) {
            load(engine, WriteOptions.NONE, true);
            engine.compact();
            tell("iterate", "moss, from files", iterate(engine));
            MossStats figures = engine.stats().group(MossStats.class).orElseThrow();
            System.out.println(String.format(
                    Locale.ROOT, "disk       %.3f x the data", figures.fileBytes() / (double) KEYS / (KEY + VALUE)));
        }
        deleteLast();
        tell("iterate", "RocksDB", rocks(false, -1));
    }

    private double gets(MossEngine engine, int count) throws IOException {
        Random random = new Random(2);
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            if (engine.get(keys[random.nextInt(KEYS)]) == null) {
                throw new IllegalStateException("a key is missing");
            }
        }
        return perSecond(count, start);
    }

    private void gets() throws Exception {
        int count = KEYS / 2;
        try (MossEngine engine = memory().open()) {
            load(engine, WriteOptions.NONE, false);
            AtomicBoolean isDone = new AtomicBoolean();
            Thread writer = new Thread(() -> rewrite(first -> write(engine, first), isDone));
            writer.start();
            double rate = gets(engine, count);
            isDone.set(true);
            writer.join();
            tell("gets", "moss, beside merges", rate);
        }
        try (MossEngine engine = files().cleanBytes(0).open()) {
            load(engine, WriteOptions.NONE, true);
            engine.compact();
            tell("gets", "moss, from files", gets(engine, count));
        }
        deleteLast();
        tell("gets", "RocksDB, beside writes", rocks(false, count));
    }

    private void write(MossEngine engine, int first) throws IOException {
        MossBatch batch = new MossBatch();
        for (int i = first; i < first + BATCH; i++) {
            batch.put(keys[i], value);
        }
        engine.write(batch, WriteOptions.NONE);
    }

    /** Writes some of the keys again at a steady pace, so that merges run. */
    private static void rewrite(Rewrite rewrite, AtomicBoolean isDone) {
        try {
            for (int i = 0; !isDone.get(); i = (i + BATCH) % (KEYS - BATCH)) {
                rewrite.batch(i);
                Thread.sleep(Duration.ofMillis(1).toMillis());
            }
        } catch (IOException | RocksDBException e) {
            throw new IllegalStateException(e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
        }
    }

    private void snapshots() throws IOException {
        try (MossEngine engine = memory().open()) {
            load(engine, WriteOptions.NONE, false);
            int count = 1_000_000;
            long start = System.nanoTime();
            for (int i = 0; i < count; i++) {
                try (MossSnapshot snapshot = engine.snapshot()) {
                    if (snapshot.version() == 0) {
                        throw new IllegalStateException("the snapshot is empty");
                    }
                }
            }
            double nanos = 1e9 / perSecond(count, start);
            System.out.println(String.format(Locale.ROOT, "snapshot   opened and closed in %,.0f ns", nanos));
        }
    }
}
