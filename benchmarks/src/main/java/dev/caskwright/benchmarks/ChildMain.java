package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import java.io.BufferedWriter;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/** The main class of the JVMs in which {@link Bench} measures, one for each subject and round. */
final class ChildMain {
    /** The file that tells the parent that everything was put and acknowledged. */
    static final String READY = "ready";

    private static final int WARM_OPENS = 5;
    private static final int RAW_RECORDS = 1_000_000;

    private ChildMain() {}

    /** What a child does. */
    enum Task {
        /** Fill a store and measure. */
        STORE,
        /** Measure the bare limits. */
        RAW,
        /** Fill a store and wait to be killed. */
        FILL_AND_WAIT,
        /** Fill a store and close it. */
        FILL_AND_CLOSE,
        /** Open a store that was killed. */
        OPEN_KILLED,
        /** Open a store that was closed. */
        OPEN_CLEAN,
        /** Fill a large store, measure that, and wait to be killed. */
        SCALE_FILL,
        /** Open the large store that was killed. */
        SCALE_OPEN_KILLED,
        /** Open the large store that was closed. */
        SCALE_OPEN_CLEAN,
        /** Open the large store again and again. */
        SCALE_OPEN_WARM,
        /** Read from the large store and merge it. */
        SCALE_READ;

        String words() {
            return switch (this) {
                case STORE, RAW -> "measuring";
                case FILL_AND_WAIT, FILL_AND_CLOSE, SCALE_FILL -> "being filled";
                case OPEN_KILLED, SCALE_OPEN_KILLED -> "being opened after kill -9";
                case OPEN_CLEAN, SCALE_OPEN_CLEAN, SCALE_OPEN_WARM -> "being opened";
                case SCALE_READ -> "being read and merged";
            };
        }
    }

    /** Takes what {@link ChildJvm} passes: task, subject, directory, keys, value size, durability, seconds, works, output. */
    public static void main(String[] args) throws IOException, InterruptedException {
        Task task = Task.valueOf(args[0]);
        Path directory = Path.of(args[2]);
        long keys = Long.parseLong(args[3]);
        int valueSize = Integer.parseInt(args[4]);
        Durability durability = Durability.valueOf(args[5]);
        double seconds = Double.parseDouble(args[6]);
        Set<Work> works = EnumSet.noneOf(Work.class);
        Arrays.stream(args[7].split(",")).map(Work::of).forEach(works::add);
        watchParent();
        try (BufferedWriter writer = Files.newBufferedWriter(Path.of(args[8]))) {
            Consumer<Sample> output = sample -> write(writer, sample);
            if (task == Task.RAW) {
                raw(directory, keys, valueSize, durability, seconds, output);
                return;
            }
            Contender contender = Contender.of(args[1]);
            Dataset data = new Dataset(keys, valueSize);
            switch (task) {
                case FILL_AND_WAIT -> fillAndWait(contender, directory, data, durability);
                case FILL_AND_CLOSE -> fillAndClose(contender, directory, data, durability);
                case OPEN_KILLED -> open(contender, directory, data, durability, true, output);
                case OPEN_CLEAN -> open(contender, directory, data, durability, false, output);
                case SCALE_FILL -> scale(contender, directory, data, output).fillAndWait(directory.resolve(READY));
                case SCALE_OPEN_KILLED ->
                    scale(contender, directory, data, output).openKilled();
                case SCALE_OPEN_CLEAN ->
                    scale(contender, directory, data, output).openClean();
                case SCALE_OPEN_WARM ->
                    scale(contender, directory, data, output).openWarm();
                case SCALE_READ -> scale(contender, directory, data, output).readAndMerge(seconds);
                default -> new StoreRun(contender, directory, data, durability, seconds, output).run(works);
            }
        }
    }

    private static ScaleChild scale(Contender contender, Path directory, Dataset data, Consumer<Sample> output) {
        StoreOptions options = new StoreOptions(Durability.WRITE, data.keys(), data.valueSize());
        return new ScaleChild(contender, directory.resolve("store"), data, options, output);
    }

    private static void write(BufferedWriter writer, Sample sample) {
        try {
            writer.write(sample.toLine());
            writer.newLine();
            // What was measured before a failure is kept.
            writer.flush();
        } catch (IOException e) {
            throw new UncheckedIOException(e);
        }
    }

    private static void raw(
            Path directory, long keys, int valueSize, Durability durability, double seconds, Consumer<Sample> output)
            throws IOException {
        int records = (int) Math.min(keys, RAW_RECORDS);
        int[] numbers = Distribution.UNIFORM.numbers(records, records, 1);
        Files.createDirectories(directory);
        for (RawLimit limit : RawLimit.values()) {
            if (limit.isSync() != (durability == Durability.SYNC)) {
                continue;
            }
            if (limit == RawLimit.NO_OPERATION) {
                noise(seconds, numbers)
                        .forEach((detail, value) -> output.accept(
                                new Sample(limit.id(), Metric.LATENCY_GET, detail, keys, valueSize, value)));
                try (BackgroundWriter writer = new BackgroundWriter(directory.resolve("background"))) {
                    writer.start();
                    noise(seconds, numbers).forEach((detail, value) -> {
                        output.accept(new Sample(limit.id(), Metric.LATENCY_GET_MERGE, detail, keys, valueSize, value));
                        output.accept(new Sample(limit.id(), Metric.LATENCY_PUT_MERGE, detail, keys, valueSize, value));
                    });
                }
                continue;
            }
            Path file = directory.resolve(limit.id());
            try (RawLimit.Operation operation = limit.open(file, records)) {
                raw(operation, numbers, seconds / 2); // warms up
                double rate = raw(operation, numbers, seconds);
                output.accept(new Sample(limit.id(), limit.metric(), "", keys, valueSize, rate));
                if (limit.isRead()) {
                    double skewed = raw(operation, Distribution.ZIPF.numbers(records, records, 1), seconds);
                    output.accept(new Sample(limit.id(), Metric.GET_ZIPF, "", keys, valueSize, skewed));
                }
            }
            Files.delete(file);
        }
    }

    private static double raw(RawLimit.Operation operation, int[] numbers, double seconds) throws IOException {
        return Throughput.measure(1, seconds, operation.isSync() ? 1 : 64, thread -> operation::run, thread -> numbers);
    }

    private static Map<String, Double> noise(double seconds, int[] numbers) throws IOException {
        return Latency.summary(Latency.record(number -> number, numbers, 3 * seconds, 6 * seconds, () -> true));
    }

    private static KeyValueStore fill(Contender contender, Path directory, Dataset data, Durability durability)
            throws IOException {
        KeyValueStore store =
                contender.open(directory.resolve("store"), new StoreOptions(durability, data.keys(), data.valueSize()));
        byte[] key = new byte[Dataset.KEY_SIZE];
        byte[] value = new byte[data.valueSize()];
        for (long i = 0; i < data.keys(); i++) {
            data.key(i, key);
            data.value(i, 0, value);
            store.put(key, value);
        }
        return store;
    }

    private static void fillAndClose(Contender contender, Path directory, Dataset data, Durability durability)
            throws IOException {
        fill(contender, directory, data, durability).close();
    }

    private static void fillAndWait(Contender contender, Path directory, Dataset data, Durability durability)
            throws IOException, InterruptedException {
        try (KeyValueStore store = fill(contender, directory, data, durability)) {
            Files.createFile(directory.resolve(READY));
            new CountDownLatch(1).await();
            throw new IllegalStateException("woken up with " + store);
        }
    }

    /** If the parent goes away, this process must not stay and measure for nobody: its standard input then ends. */
    private static void watchParent() {
        Thread watcher = new Thread(ChildMain::haltWithParent, "parent-watcher");
        watcher.setDaemon(true);
        watcher.start();
    }

    private static void haltWithParent() {
        try {
            while (System.in.read() >= 0) {
                // Nobody writes: it only ends.
            }
        } catch (IOException e) {
            System.err.println("standard input failed: " + e);
        }
        Runtime.getRuntime().halt(1);
    }

    private static void open(
            Contender contender,
            Path directory,
            Dataset data,
            Durability durability,
            boolean killed,
            Consumer<Sample> output)
            throws IOException {
        StoreOptions options = new StoreOptions(durability, data.keys(), data.valueSize());
        Path path = directory.resolve("store");
        long start = System.nanoTime();
        KeyValueStore store = contender.open(path, options);
        double millis = (System.nanoTime() - start) / 1e6;
        byte[] first = store.get(data.key(0));
        long upTime = System.currentTimeMillis()
                - ManagementFactory.getRuntimeMXBean().getStartTime();
        output.accept(sample(contender, killed ? Metric.OPEN_KILLED : Metric.OPEN_CLEAN, data, millis));
        if (killed) {
            output.accept(sample(contender, Metric.SURVIVED, data, survived(store, data)));
            store.close();
            return;
        }
        if (first == null) {
            throw new IOException("a key is lost after a clean close");
        }
        output.accept(sample(contender, Metric.FIRST_GET, data, (double) upTime));
        double[] warm = new double[WARM_OPENS];
        for (int i = 0; i < WARM_OPENS; i++) {
            store.close();
            start = System.nanoTime();
            store = contender.open(path, options);
            warm[i] = (System.nanoTime() - start) / 1e6;
        }
        store.close();
        output.accept(sample(contender, Metric.OPEN_WARM, data, Spread.of(warm).median()));
    }

    private static double survived(KeyValueStore store, Dataset data) throws IOException {
        byte[] value = new byte[data.valueSize()];
        long found = 0;
        for (long i = 0; i < data.keys(); i++) {
            data.value(i, 0, value);
            if (Arrays.equals(store.get(data.key(i)), value)) {
                found++;
            }
        }
        return 100.0 * found / data.keys();
    }

    private static Sample sample(Contender contender, Metric metric, Dataset data, double value) {
        return new Sample(contender.id(), metric, "", data.keys(), data.valueSize(), value);
    }
}
