package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.File;
import java.io.IOException;
import java.io.PrintStream;
import java.io.UncheckedIOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.EnumSet;
import java.util.List;
import java.util.Locale;
import java.util.Random;
import java.util.Set;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.IntFunction;
import org.HdrHistogram.Histogram;
import org.jspecify.annotations.Nullable;

/**
 * What {@link SpeedRun} has one process do: works on one store. Prints a name and a number a line. Arguments: the contender,
 * an empty directory, keys, seconds for each figure, and works with commas between.
 */
public final class SpeedWork {
    static final int VALUE_LENGTH = 100;

    /** How many entries the ranges have. */
    static final int[] RANGES = {10, 100, 1_000};

    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int ENTRY_BYTES = Dataset.KEY_SIZE + VALUE_LENGTH;
    private static final int KIBIBYTE = 1 << 10;
    private static final int NUMBERS = 1 << 20;
    private static final int FILLS = 3;
    private static final int REPEATS = 5;
    private static final int MULTI = 64;
    private static final int WRITERS = 16;
    private static final int FORCING_THREADS = 64;
    private static final int GROWING_KEYS = 300_000;
    private static final int GROWING_SECONDS = 10;
    private static final int LONG_BYTES = 128 << 20;
    private static final int[] LONG_VALUES = {64 << 10, 1 << 20};
    private static final int PACED = 50_000;
    private static final int PACED_LONG = 20_000;
    private static final double MEBIBYTE = 1 << 20;
    private static final double P999 = 99.9;
    private static final double P9999 = 99.99;

    private final PrintStream out = new PrintStream(System.out, true, StandardCharsets.UTF_8);
    private final Contender contender;
    private final Path directory;
    private final int keys;
    private final double seconds;

    private SpeedWork(Contender contender, Path directory, int keys, double seconds) {
        this.contender = contender;
        this.directory = directory;
        this.keys = keys;
        this.seconds = seconds;
    }

    /** The works. */
    enum Task {
        /** Fill, ranges, gets, scans, before and after a full merge; close, directory, reopening. */
        BASE,
        /** Many gets in a call. */
        MULTI,
        /** Mixes of gets and puts, Zipf, by two threads. */
        MIX,
        /** The directory while one writer overwrites 1 KiB values at full speed. */
        GROWTH,
        /** Latency of paced puts beside full merges. */
        PACED,
        /** Latency of puts of 16 writers. */
        WRITERS,
        /** Forced puts of 64 threads. */
        FORCED,
        /** Overwriting values of 64 KiB and 1 MiB. */
        LONG,
        /** The core workloads of YCSB over values of 1 KiB. */
        YCSB,
        /** Memory, close and reopening with ten times the keys. */
        LARGE,
        /** Fills and dies. */
        DIE,
        /** Opens what was left by {@link #DIE}. */
        OPEN_DEAD,
        /** The rate of forces of 64 records without a store. */
        BARE;

        String id() {
            return name().toLowerCase(Locale.ROOT);
        }
    }

    /** Does the works. */
    public static void main(String[] arguments) throws Exception {
        Set<Task> tasks = EnumSet.noneOf(Task.class);
        Arrays.stream(arguments[4].split(",", -1))
                .map(name -> Task.valueOf(name.toUpperCase(Locale.ROOT)))
                .forEach(tasks::add);
        SpeedWork work = new SpeedWork(
                Contender.of(arguments[0]),
                Path.of(arguments[1]),
                Integer.parseInt(arguments[2]),
                Double.parseDouble(arguments[3]));
        for (Task task : tasks) {
            work.run(task);
        }
    }

    private void run(Task task) throws Exception {
        switch (task) {
            case BASE -> base();
            case MULTI -> multi();
            case MIX -> mix();
            case GROWTH -> growth();
            case PACED -> {
                paced("paced-100", VALUE_LENGTH, keys, PACED);
                paced("paced-1024", KIBIBYTE, keys / 5, PACED_LONG);
            }
            case WRITERS -> writers();
            case FORCED -> forced();
            case LONG -> longValues();
            case YCSB -> ycsb();
            case LARGE -> large();
            case DIE -> {
                fill(open("dead", keys, VALUE_LENGTH), new Dataset(keys, VALUE_LENGTH));
                Runtime.getRuntime().halt(0);
            }
            case OPEN_DEAD -> {
                long start = System.nanoTime();
                KeyValueStore store = open("dead", keys, VALUE_LENGTH);
                report("open-dead-millis", (System.nanoTime() - start) / 1e6);
                if (store.get(new Dataset(keys, VALUE_LENGTH).key(keys - 1)) == null) {
                    throw new IOException("a key is lost");
                }
                store.close();
            }
            case BARE -> bare();
        }
    }

    // ---------------------------------------------------------------- works

    private void base() throws IOException {
        Dataset data = new Dataset(keys, VALUE_LENGTH);
        double[] fills = new double[FILLS];
        for (int i = 0; i < FILLS - 1; i++) {
            try (KeyValueStore store = open("warm", keys, VALUE_LENGTH)) {
                fills[i] = StoreRun.fill(store, data);
                rate(1, thread -> get(store, data), Distribution.UNIFORM);
            }
            SideFiles.deleteTree(directory.resolve("warm"));
        }
        long heap = usedHeap();
        KeyValueStore store = open("base", keys, VALUE_LENGTH);
        fills[FILLS - 1] = StoreRun.fill(store, data);
        report("fill", Spread.of(fills).median());
        if (contender.isOurs()) {
            report("heap-beside-index-bytes", (double) (usedHeap() - heap - store.indexBytes()));
        }
        ranges(store, data, "");
        report("get", rate(1, thread -> get(store, data), Distribution.UNIFORM));
        if (store.canMerge()) {
            store.merge();
        }
        ranges(store, data, "-merged");
        report("scan", scan(store::scan));
        if (store.isOrdered()) {
            report("scan-in-order", scan(() -> store.range(new byte[Dataset.KEY_SIZE], Integer.MAX_VALUE)));
        }
        store.close();
        report("directory", directoryBytes("base") / (double) ((long) keys * ENTRY_BYTES));
        reopen("base", keys, "");
        SideFiles.deleteTree(directory.resolve("base"));
    }

    private void ranges(KeyValueStore store, Dataset data, String suffix) throws IOException {
        if (store.isOrdered()) {
            for (int limit : RANGES) {
                byte[] from = new byte[Dataset.KEY_SIZE];
                Throughput.Operation range = number -> {
                    data.key(number, from);
                    return store.range(from, limit).checksum();
                };
                report("range-" + limit + suffix, rate(1, thread -> range, Distribution.UNIFORM));
            }
        }
    }

    private interface Scan {
        ScanTotals run() throws IOException;
    }

    /** Returns entries a second, the median of several scans after one that warms up. */
    private double scan(Scan scan) throws IOException {
        double[] rates = new double[REPEATS];
        for (int i = -1; i < REPEATS; i++) {
            long start = THREADS.getCurrentThreadCpuTime();
            long count = scan.run().count();
            if (count != keys) {
                throw new IOException("a scan missed entries: expected=" + keys + ", found=" + count);
            }
            rates[Math.max(0, i)] = count * 1e9 / (THREADS.getCurrentThreadCpuTime() - start);
        }
        return Spread.of(rates).median();
    }

    private void reopen(String name, int count, String suffix) throws IOException {
        double[] opens = new double[REPEATS];
        double[] closes = new double[REPEATS];
        for (int i = 0; i < REPEATS; i++) {
            long start = System.nanoTime();
            KeyValueStore store = open(name, count, VALUE_LENGTH);
            opens[i] = (System.nanoTime() - start) / 1e6;
            Dataset data = new Dataset(count, VALUE_LENGTH);
            // Something new, so that closing has something to keep.
            store.put(data.key(i), data.value(i, 0));
            start = System.nanoTime();
            store.close();
            closes[i] = (System.nanoTime() - start) / 1e6;
        }
        report("reopen-millis" + suffix, Spread.of(opens).median());
        report("close-millis" + suffix, Spread.of(closes).median());
    }

    private void multi() throws IOException {
        Dataset data = new Dataset(keys, VALUE_LENGTH);
        try (CaskwrightStore store = (CaskwrightStore) open("multi", keys, VALUE_LENGTH)) {
            fill(store, data);
            byte[][] wanted = new byte[MULTI][Dataset.KEY_SIZE];
            Random random = new Random(3);
            Throughput.Operation singly = number -> {
                draw(random, data, wanted);
                long sum = 0;
                for (byte[] key : wanted) {
                    sum += first(store.get(key));
                }
                return sum;
            };
            Throughput.Operation together = number -> {
                draw(random, data, wanted);
                long sum = 0;
                for (byte[] value : store.engine().getAll(wanted)) {
                    sum += first(value);
                }
                return sum;
            };
            double[] one = new double[REPEATS];
            double[] all = new double[REPEATS];
            for (int i = 0; i < REPEATS; i++) {
                one[i] = rate(1, thread -> singly, Distribution.UNIFORM) * MULTI;
                all[i] = rate(1, thread -> together, Distribution.UNIFORM) * MULTI;
            }
            report("get-single", Spread.of(one).median());
            report("get-64", Spread.of(all).median());
        }
        SideFiles.deleteTree(directory.resolve("multi"));
    }

    private void draw(Random random, Dataset data, byte[][] wanted) {
        for (byte[] key : wanted) {
            data.key(random.nextInt(keys), key);
        }
    }

    private void mix() throws IOException {
        Dataset data = new Dataset(keys, VALUE_LENGTH);
        try (KeyValueStore store = open("mix", keys, VALUE_LENGTH)) {
            fill(store, data);
            for (int puts : new int[] {5, 50}) {
                report("mix-" + puts, rate(2, thread -> mix(store, data, puts), Distribution.ZIPF));
            }
        }
        SideFiles.deleteTree(directory.resolve("mix"));
    }

    private void growth() throws Exception {
        Dataset data = new Dataset(GROWING_KEYS, KIBIBYTE);
        double live = (double) GROWING_KEYS * (Dataset.KEY_SIZE + KIBIBYTE);
        Histogram calls = new Histogram(3);
        double most = 0;
        double late = 0;
        long count;
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (KeyValueStore store = open("growth", GROWING_KEYS, KIBIBYTE)) {
            fill(store, data);
            int[] numbers = Distribution.UNIFORM.numbers(GROWING_KEYS, NUMBERS, 5);
            AtomicBoolean done = new AtomicBoolean();
            Future<Long> writer = executor.submit(() -> {
                Throughput.Operation put = put(store, data);
                long puts = 0;
                while (!done.get()) {
                    long start = System.nanoTime();
                    put.run(numbers[(int) (puts++ % NUMBERS)]);
                    calls.recordValue(System.nanoTime() - start);
                }
                return puts;
            });
            long start = System.nanoTime();
            while (System.nanoTime() - start < GROWING_SECONDS * 1e9) {
                double now = directoryBytes("growth") / live;
                most = Math.max(most, now);
                if (System.nanoTime() - start > GROWING_SECONDS * 5e8) {
                    late = Math.max(late, now);
                }
                pause(50);
            }
            done.set(true);
            count = writer.get();
        } finally {
            executor.shutdownNow();
        }
        report("growth-most", most);
        report("growth-second-half", late);
        report("growth-puts", count / (double) GROWING_SECONDS);
        report("growth-longest-millis", calls.getMaxValue() / 1e6);
        report("growth-p999-micros", calls.getValueAtPercentile(P999) / 1e3);
        SideFiles.deleteTree(directory.resolve("growth"));
    }

    private void paced(String name, int valueLength, int count, int rate) throws Exception {
        Dataset data = new Dataset(count, valueLength);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try (KeyValueStore store = open(name, count, valueLength)) {
            fill(store, data);
            int[] numbers = Distribution.UNIFORM.numbers(count, NUMBERS, 5);
            AtomicBoolean done = new AtomicBoolean();
            Latency.record(put(store, data), numbers, rate, seconds, seconds, () -> true);
            Future<?> merger = executor.submit(() -> {
                while (!done.get()) {
                    store.merge();
                }
                return null;
            });
            Histogram found = Latency.record(put(store, data), numbers, rate, 4 * seconds, 8 * seconds, () -> true);
            done.set(true);
            merger.get();
            report(name + "-p999-micros", found.getValueAtPercentile(P999) / 1e3);
        } finally {
            executor.shutdownNow();
        }
        SideFiles.deleteTree(directory.resolve(name));
    }

    private void writers() throws Exception {
        Dataset data = new Dataset(keys, VALUE_LENGTH);
        Histogram total = new Histogram(3);
        ExecutorService executor = Executors.newFixedThreadPool(WRITERS);
        try (KeyValueStore store = open("writers", keys, VALUE_LENGTH)) {
            fill(store, data);
            List<Future<Histogram>> all = new ArrayList<>();
            long end = System.nanoTime() + (long) (4 * seconds * 1e9);
            for (int thread = 0; thread < WRITERS; thread++) {
                int[] numbers = Distribution.UNIFORM.numbers(keys, 1 << 16, thread);
                all.add(executor.submit(() -> {
                    Histogram mine = new Histogram(3);
                    Throughput.Operation put = put(store, data);
                    for (int i = 0; System.nanoTime() < end; i++) {
                        long start = System.nanoTime();
                        put.run(numbers[i % numbers.length]);
                        mine.recordValue(System.nanoTime() - start);
                    }
                    return mine;
                }));
            }
            for (Future<Histogram> each : all) {
                total.add(each.get());
            }
        } finally {
            executor.shutdownNow();
        }
        report("writers-p9999-micros", total.getValueAtPercentile(P9999) / 1e3);
        report("writers-puts", total.getTotalCount() / (4 * seconds));
        SideFiles.deleteTree(directory.resolve("writers"));
    }

    private void forced() throws IOException {
        Dataset data = new Dataset(keys, VALUE_LENGTH);
        StoreOptions options = new StoreOptions(Durability.SYNC, keys, VALUE_LENGTH);
        try (KeyValueStore store = contender.open(directory.resolve("forced"), options)) {
            int[] numbers = Distribution.UNIFORM.numbers(keys, 1 << 16, 1);
            Throughput.measure(FORCING_THREADS, seconds / 2, 1, thread -> put(store, data), thread -> numbers);
            report(
                    "forced-64",
                    Throughput.measure(FORCING_THREADS, seconds, 1, thread -> put(store, data), thread -> numbers));
        }
        SideFiles.deleteTree(directory.resolve("forced"));
    }

    private void bare() throws IOException {
        Path file = directory.resolve("bare");
        try (RawLimit.Operation operation = RawLimit.APPEND_FORCE_64.open(file, keys)) {
            int[] numbers = Distribution.UNIFORM.numbers(keys, keys, 1);
            report(
                    "bare-forced-64",
                    Throughput.measure(1, 2 * seconds, RawLimit.GROUP, thread -> operation::run, thread -> numbers));
        }
        Files.delete(file);
    }

    private void longValues() throws IOException {
        for (int length : LONG_VALUES) {
            int count = LONG_BYTES / length;
            Dataset data = new Dataset(count, length);
            try (KeyValueStore store = open("long", count, length)) {
                fill(store, data);
                int[] numbers = Distribution.UNIFORM.numbers(count, 1 << 16, 1);
                Throughput.measure(1, seconds / 2, 1, thread -> put(store, data), thread -> numbers);
                report(
                        "overwrite-" + (length >> 10) + "k",
                        Throughput.measure(1, 2 * seconds, 1, thread -> put(store, data), thread -> numbers));
            }
            SideFiles.deleteTree(directory.resolve("long"));
        }
    }

    private void ycsb() throws IOException {
        int count = keys / 5;
        Dataset data = new Dataset(count, KIBIBYTE);
        try (KeyValueStore store = open("ycsb", count, KIBIBYTE)) {
            fill(store, data);
            Ycsb ycsb = new Ycsb(store, data, seconds);
            for (Ycsb.Workload workload : Ycsb.Workload.values()) {
                if (store.isOrdered() || !workload.scans()) {
                    report(workload.id(), ycsb.run(workload));
                }
            }
        }
        SideFiles.deleteTree(directory.resolve("ycsb"));
    }

    private void large() throws IOException {
        int count = 10 * keys;
        KeyValueStore store = open("large", count, VALUE_LENGTH);
        report("large-fill", StoreRun.fill(store, new Dataset(count, VALUE_LENGTH)));
        report("large-peak-mebibytes", Machine.statusBytes("VmHWM") / MEBIBYTE);
        report("large-files-mebibytes", Machine.statusBytes("RssFile") / MEBIBYTE);
        store.close();
        reopen("large", count, "-large");
        SideFiles.deleteTree(directory.resolve("large"));
    }

    // ---------------------------------------------------------------- means

    private KeyValueStore open(String name, int count, int valueLength) throws IOException {
        return contender.open(directory.resolve(name), new StoreOptions(Durability.WRITE, count, valueLength));
    }

    private static void fill(KeyValueStore store, Dataset data) throws IOException {
        StoreRun.fill(store, data);
    }

    private double rate(int threads, IntFunction<Throughput.Operation> operation, Distribution distribution)
            throws IOException {
        int[][] numbers = new int[threads][];
        for (int thread = 0; thread < threads; thread++) {
            numbers[thread] = distribution.numbers(keys, NUMBERS, 1000 + thread);
        }
        if (threads == 1) {
            byProcessorTime(operation.apply(0), numbers[0], seconds / 2);
            return byProcessorTime(operation.apply(0), numbers[0], seconds);
        }
        Throughput.measure(threads, seconds / 2, operation, thread -> numbers[thread]);
        return Throughput.measure(threads, seconds, operation, thread -> numbers[thread]);
    }

    /** Returns operations a second of the processor: less noisy than the clock where the machine has other work. */
    private static double byProcessorTime(Throughput.Operation operation, int[] numbers, double seconds)
            throws IOException {
        long start = THREADS.getCurrentThreadCpuTime();
        long end = start + (long) (seconds * 1e9);
        long count = 0;
        long sum = 0;
        long now;
        do {
            for (int i = 0; i < 8; i++) {
                sum += operation.run(numbers[(int) (count++ % numbers.length)]);
            }
            now = THREADS.getCurrentThreadCpuTime();
        } while (now < end);
        Sink.sum = sum;
        return count * 1e9 / (now - start);
    }

    private static Throughput.Operation get(KeyValueStore store, Dataset data) {
        byte[] key = new byte[Dataset.KEY_SIZE];
        return number -> {
            data.key(number, key);
            return first(store.get(key));
        };
    }

    private static long first(byte @Nullable [] value) throws IOException {
        if (value == null) {
            throw new IOException("a key is lost");
        }
        return value[0];
    }

    private static Throughput.Operation put(KeyValueStore store, Dataset data) {
        byte[] key = new byte[Dataset.KEY_SIZE];
        byte[] value = new byte[data.valueSize()];
        return number -> {
            data.key(number, key);
            data.value(number, 0, value);
            store.put(key, value);
            return number;
        };
    }

    private static Throughput.Operation mix(KeyValueStore store, Dataset data, int putPercent) {
        Throughput.Operation get = get(store, data);
        Throughput.Operation put = put(store, data);
        long[] turn = new long[1];
        return number -> {
            // 37 shares no factor with 100, so puts are spread evenly and exactly.
            turn[0] += 37;
            return turn[0] % 100 < putPercent ? put.run(number) : get.run(number);
        };
    }

    /** Returns the lengths of the files, which is what space held ready in them takes, too. */
    private long directoryBytes(String name) throws IOException {
        long bytes = 0;
        for (File file : directory.resolve(name).toFile().listFiles()) {
            bytes += file.length();
        }
        // A sparse file has room for more than it takes.
        return contender == Contender.LMDB ? Machine.diskBytes(directory.resolve(name)) : bytes;
    }

    private static long usedHeap() {
        System.gc();
        System.gc();
        Runtime runtime = Runtime.getRuntime();
        return runtime.totalMemory() - runtime.freeMemory();
    }

    private static void pause(long millis) {
        try {
            Thread.sleep(millis);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new UncheckedIOException(new IOException("interrupted while measuring", e));
        }
    }

    private void report(String name, double value) {
        out.printf(Locale.ROOT, "%s %.3f%n", name, value);
    }
}
