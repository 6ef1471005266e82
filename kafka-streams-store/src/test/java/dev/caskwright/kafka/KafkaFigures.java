package dev.caskwright.kafka;

import dev.caskwright.api.spi.io.SideFiles;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumMap;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Locale;
import java.util.Map;
import java.util.Properties;
import java.util.Random;
import org.apache.kafka.common.TopicPartition;
import org.apache.kafka.common.serialization.Serdes;
import org.apache.kafka.common.serialization.StringSerializer;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.StreamsConfig;
import org.apache.kafka.streams.TestInputTopic;
import org.apache.kafka.streams.Topology;
import org.apache.kafka.streams.TopologyTestDriver;
import org.apache.kafka.streams.processor.api.Processor;
import org.apache.kafka.streams.processor.api.Record;
import org.apache.kafka.streams.state.KeyValueBytesStoreSupplier;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.KeyValueStore;
import org.apache.kafka.streams.state.StoreBuilder;
import org.apache.kafka.streams.state.Stores;

/**
 * Measures what docs/kafka-streams.md says, beside Kafka's RocksDB store, in turns; some minutes:
 *
 * <pre>
 * ./mvnw -q -pl kafka-streams-store -am test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java -XX:+UseSerialGC -Xmx1g -cp kafka-streams-store/target/test-classes:kafka-streams-store/target/classes:$(cat kafka-streams-store/target/classpath) \
 *   dev.caskwright.kafka.KafkaFigures DIRECTORY
 * </pre>
 *
 * <p>Key-value stores in a task of the test driver: keys of 16 bytes, values of 100, a commit each 1,000 puts. The limit is Kafka's store
 * in memory, which has the same serializing and metering layers before it. Memory is that of a process with eight stores; restarts are
 * those of a process that was killed. The directory must be on the disk that is meant; what is made there is deleted again.
 */
public final class KafkaFigures {
    private static final int ROUNDS = Integer.getInteger("caskwright.figures.rounds", 5);
    private static final int WARM_UP = 2;
    private static final int KEYS = Integer.getInteger("caskwright.figures.keys", 200_000);
    private static final int OPERATIONS = 100_000;
    private static final int RANGES = 1_000;
    private static final int RANGE = 100;
    private static final int COMMITTED_AT_ONCE = 1_000;
    private static final int VALUE = 100;
    private static final int STORES = 8;
    private static final int KILLS = 3;
    private static final int MEMORY_TURNS = 3;
    private static final int BEFORE_KILL = 100;
    private static final String MIB = "memory of a process, MiB";
    private static final String PRIVATE_MIB = "  without mapped files, MiB";

    /** Whose store. */
    private enum Kind {
        CASKWRIGHT("Caskwright"),
        STANDARD("on io=standard"),
        ROCKSDB("RocksDB"),
        MEMORY("in memory"),
        NONE("no store");

        private final String title;

        Kind(String title) {
            this.title = title;
        }

        KeyValueBytesStoreSupplier supplier(String name) {
            return switch (this) {
                case CASKWRIGHT, STANDARD -> CaskwrightStores.keyValueStore(name, StoreFormat.PLAIN);
                case ROCKSDB -> Stores.persistentKeyValueStore(name);
                default -> Stores.inMemoryKeyValueStore(name);
            };
        }
    }

    /** A task with some stores of a kind. */
    private static final class Task implements AutoCloseable {
        private final TopologyTestDriver driver;
        private final TestInputTopic<String, String> ticks;

        Task(Kind kind, Path directory, int stores, boolean isLogged) {
            Topology topology = new Topology();
            topology.addSource("source", "ticks");
            topology.addProcessor(
                    "nothing",
                    () -> new Processor<Object, Object, Object, Object>() {
                        @Override
                        public void process(Record<Object, Object> record) {}
                    },
                    "source");
            for (int i = 0; i < stores; i++) {
                StoreBuilder<KeyValueStore<Bytes, byte[]>> builder = Stores.keyValueStoreBuilder(
                                kind.supplier("store" + i), Serdes.Bytes(), Serdes.ByteArray())
                        .withCachingDisabled();
                topology.addStateStore(
                        isLogged ? builder.withLoggingEnabled(Map.of()) : builder.withLoggingDisabled(), "nothing");
            }
            Properties properties = new Properties();
            properties.put(StreamsConfig.APPLICATION_ID_CONFIG, "figures");
            properties.put(StreamsConfig.BOOTSTRAP_SERVERS_CONFIG, "none:1");
            properties.put(StreamsConfig.STATE_DIR_CONFIG, directory.toString());
            properties.put(StreamsConfig.DEFAULT_KEY_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
            properties.put(StreamsConfig.DEFAULT_VALUE_SERDE_CLASS_CONFIG, Serdes.StringSerde.class);
            if (kind == Kind.STANDARD) {
                properties.put("caskwright.engine.io", "standard");
            }
            driver = new TopologyTestDriver(topology, properties);
            ticks = driver.createInputTopic("ticks", new StringSerializer(), new StringSerializer());
        }

        KeyValueStore<Bytes, byte[]> store(int i) {
            return driver.getKeyValueStore("store" + i);
        }

        void commit() {
            ticks.pipeInput("tick", "tack");
        }

        @Override
        public void close() {
            driver.close();
        }
    }

    private final Path directory;
    private final Map<String, Map<Kind, List<Double>>> figures = new LinkedHashMap<>();
    private boolean isWarmingUp;

    private KafkaFigures(Path directory) {
        this.directory = directory;
    }

    /** Measures, and prints a table; or is a process that is measured. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length == 1) {
            KafkaFigures figures = new KafkaFigures(Path.of(arguments[0]));
            figures.measureAccess();
            figures.measureMemory();
            figures.measureRestarts();
            figures.tellAll();
        } else if (arguments.length == 3 && arguments[1].equals("memory")) {
            holdMemory(Kind.valueOf(arguments[2]), Path.of(arguments[0]));
        } else if (arguments.length == 3 && arguments[1].equals("kill")) {
            putUntilKilled(Kind.valueOf(arguments[2]), Path.of(arguments[0]));
        } else {
            throw new IllegalArgumentException("needs a directory");
        }
    }

    private void measureAccess() throws IOException {
        Map<Kind, Task> tasks = new EnumMap<>(Kind.class);
        List<Path> made = new ArrayList<>();
        for (Kind kind : List.of(Kind.CASKWRIGHT, Kind.ROCKSDB, Kind.MEMORY)) {
            made.add(newDirectory());
            Task task = new Task(kind, made.get(made.size() - 1), 1, false);
            tasks.put(kind, task);
            fill(task, 0, KEYS);
        }
        for (int round = -WARM_UP; round < ROUNDS; round++) {
            isWarmingUp = round < 0;
            for (Map.Entry<Kind, Task> each : tasks.entrySet()) {
                measureAccess(each.getKey(), each.getValue(), round);
            }
            System.err.println("round " + round);
        }
        isWarmingUp = false;
        tasks.values().forEach(Task::close);
        for (Path each : made) {
            SideFiles.deleteTree(each);
        }
    }

    private void measureAccess(Kind kind, Task task, int round) {
        KeyValueStore<Bytes, byte[]> store = task.store(0);
        Random random = new Random(round);
        long start = System.nanoTime();
        for (int i = 1; i <= OPERATIONS; i++) {
            store.put(key(random.nextInt(KEYS)), value(random));
            if (i % COMMITTED_AT_ONCE == 0) {
                task.commit();
            }
        }
        note("put, µs", kind, micros(start, OPERATIONS));
        start = System.nanoTime();
        for (int i = 0; i < OPERATIONS; i++) {
            if (store.get(key(random.nextInt(KEYS))).length != VALUE) {
                throw new IllegalStateException("wrong value");
            }
        }
        note("get, µs", kind, micros(start, OPERATIONS));
        start = System.nanoTime();
        for (int i = 0; i < RANGES; i++) {
            int from = random.nextInt(KEYS - RANGE);
            int seen = 0;
            try (KeyValueIterator<Bytes, byte[]> range = store.range(key(from), key(from + RANGE - 1))) {
                for (; range.hasNext(); range.next()) {
                    seen++;
                }
            }
            if (seen != RANGE) {
                throw new IllegalStateException("wrong range: " + seen);
            }
        }
        note("range of 100, µs", kind, micros(start, RANGES));
    }

    private static void fill(Task task, int number, int keys) {
        Random random = new Random(number);
        KeyValueStore<Bytes, byte[]> store = task.store(number);
        for (int i = 0; i < keys; i++) {
            store.put(key(i), value(random));
            if (i % COMMITTED_AT_ONCE == 0) {
                task.commit();
            }
        }
        task.commit();
    }

    private static double micros(long start, int operations) {
        return (System.nanoTime() - start) / 1000.0 / operations;
    }

    private void measureMemory() throws Exception {
        for (int turn = 0; turn < MEMORY_TURNS; turn++) {
            for (Kind kind : Kind.values()) {
                measureMemory(kind);
            }
            System.err.println("memory, turn " + turn);
        }
    }

    private void measureMemory(Kind kind) throws Exception {
        Path state = newDirectory();
        Process process = start(state, "memory", kind);
        try (BufferedReader lines = process.inputReader()) {
            note(MIB, kind, Double.parseDouble(lines.readLine()));
            note(PRIVATE_MIB, kind, Double.parseDouble(lines.readLine()));
        } finally {
            process.destroyForcibly().waitFor();
        }
        SideFiles.deleteTree(state);
    }

    /** Fills eight stores, reads from all, and tells what memory that takes. */
    private static void holdMemory(Kind kind, Path directory) throws IOException {
        try (Task task = new Task(kind, directory, kind == Kind.NONE ? 1 : STORES, false)) {
            Random random = new Random(1);
            for (int i = 0; i < STORES && kind != Kind.NONE; i++) {
                fill(task, i, KEYS);
                for (int get = 0; get < KEYS; get++) {
                    task.store(i).get(key(random.nextInt(KEYS)));
                }
            }
            System.gc();
            long mapped = kibibytes("RssFile");
            long all = kibibytes("VmRSS");
            System.out.println(all / 1024);
            System.out.println((all - mapped) / 1024);
        }
    }

    private static long kibibytes(String name) throws IOException {
        for (String line : Files.readAllLines(Path.of("/proc/self/status"))) {
            if (line.startsWith(name + ":")) {
                return Long.parseLong(line.replaceAll("\\D", ""));
            }
        }
        throw new IOException("the system does not tell: " + name);
    }

    private void measureRestarts() throws Exception {
        for (Kind kind : List.of(Kind.CASKWRIGHT, Kind.ROCKSDB)) {
            Path state = newDirectory();
            for (int kill = 0; kill < KILLS; kill++) {
                long committed = putAndKill(state, kind);
                long start = System.nanoTime();
                try (Task task = new Task(kind, state, 1, true)) {
                    Long stored = task.driver
                            .getAllStateStores()
                            .get("store0")
                            .committedOffset(new TopicPartition("figures-store0-changelog", 0));
                    note("start after a kill, ms", kind, micros(start, 1000));
                    note("restored though committed", kind, Math.max(0, committed - (stored == null ? -1 : stored)));
                }
            }
            SideFiles.deleteTree(state);
        }
    }

    private static long putAndKill(Path state, Kind kind) throws Exception {
        Process process = start(state, "kill", kind);
        try (BufferedReader lines = process.inputReader()) {
            long committed = -1;
            for (int i = 0; i < BEFORE_KILL; i++) {
                committed = Long.parseLong(lines.readLine());
            }
            process.toHandle().destroyForcibly(); // leaves the stream open
            for (String line = lines.readLine(); line != null && line.matches("\\d+"); line = lines.readLine()) {
                committed = Math.max(committed, Long.parseLong(line)); // a line may have been cut
            }
            return committed;
        } finally {
            process.destroyForcibly().waitFor();
        }
    }

    /** Puts and commits, and tells the offset of the changelog after each commit. */
    private static void putUntilKilled(Kind kind, Path directory) {
        try (Task task = new Task(kind, directory, 1, true)) {
            Random random = new Random(1);
            for (long next = 0; ; ) {
                for (int i = 0; i < COMMITTED_AT_ONCE; i++, next++) {
                    task.store(0).put(key(random.nextInt(KEYS)), value(random));
                }
                task.commit();
                System.out.println(next - 1);
            }
        }
    }

    private static Process start(Path state, String what, Kind kind) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:+UseSerialGC",
                        "-Xms16m", // or the heap would never be smaller than a share of the machine's memory
                        "-Xmx1g",
                        "-XX:MinHeapFreeRatio=10",
                        "-XX:MaxHeapFreeRatio=20",
                        "-Dcaskwright.figures.keys=" + KEYS,
                        "-cp",
                        System.getProperty("java.class.path"),
                        KafkaFigures.class.getName(),
                        state.toString(),
                        what,
                        kind.name())
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private static Bytes key(int number) {
        return Bytes.wrap(ByteBuffer.allocate(16)
                .putLong(0x6b6579206b657920L)
                .putLong(number)
                .array());
    }

    private static byte[] value(Random random) {
        byte[] value = new byte[VALUE];
        random.nextBytes(value);
        return value;
    }

    private Path newDirectory() throws IOException {
        return Files.createTempDirectory(directory, "figures");
    }

    private void note(String row, Kind kind, double figure) {
        if (!isWarmingUp) {
            figures.computeIfAbsent(row, each -> new EnumMap<>(Kind.class))
                    .computeIfAbsent(kind, each -> new ArrayList<>())
                    .add(figure);
        }
    }

    private void tellAll() {
        StringBuilder head = new StringBuilder(String.format(Locale.ROOT, "%-28s", "medians"));
        for (Kind kind : Kind.values()) {
            head.append(String.format(Locale.ROOT, " %14s", kind.title));
        }
        System.out.println(head.append("   RocksDB / Caskwright"));
        figures.forEach((row, kinds) -> {
            StringBuilder line = new StringBuilder(String.format(Locale.ROOT, "%-28s", row));
            for (Kind kind : Kind.values()) {
                line.append(
                        kinds.containsKey(kind)
                                ? String.format(Locale.ROOT, " %14.2f", median(kinds.get(kind)))
                                : " ".repeat(15));
            }
            double times = median(kinds.get(Kind.ROCKSDB)) / median(kinds.get(Kind.CASKWRIGHT));
            System.out.println(line.append(String.format(Locale.ROOT, "   %6.2f", times)));
        });
    }

    private static double median(List<Double> all) {
        double[] sorted = all.stream().mapToDouble(each -> each).toArray();
        Arrays.sort(sorted);
        return sorted[sorted.length / 2];
    }
}
