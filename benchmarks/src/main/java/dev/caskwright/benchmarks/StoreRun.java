package dev.caskwright.benchmarks;

import com.sun.management.ThreadMXBean;
import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.function.Consumer;
import java.util.function.IntFunction;
import org.HdrHistogram.Histogram;

/**
 * Fills one store and does the works asked for on it, in this JVM, in the order of {@link Work}. Each figure is measured
 * after a warm-up on the same store.
 */
final class StoreRun {
    private static final int NUMBERS = 1 << 20;
    private static final int FILLS = 3;
    private static final int WARM_UP_KEYS = 250_000;
    private static final int RANGE_LIMIT = 100;
    private static final int ALLOCATION_OPERATIONS = 100_000;
    private static final int[] SYNC_THREADS = {1, 4, 16, 64};
    /** How long background merges get to finish after the overwrites. */
    private static final long SETTLE_MILLIS = 10_000;

    private static final long PERCENT = 100;

    private final Contender contender;
    private final Path directory;
    private final Dataset data;
    private final Durability durability;
    private final double seconds;
    private final Consumer<Sample> output;

    /**
     * @param directory an empty or missing directory
     * @param seconds how long each figure is measured
     */
    StoreRun(
            Contender contender,
            Path directory,
            Dataset data,
            Durability durability,
            double seconds,
            Consumer<Sample> output) {
        this.contender = contender;
        this.directory = directory;
        this.data = data;
        this.durability = durability;
        this.seconds = seconds;
        this.output = output;
    }

    void run(Set<Work> works) throws IOException {
        if (durability == Durability.SYNC) {
            try (KeyValueStore store = open("store")) {
                syncPuts(store);
            }
            return;
        }
        warmUp();
        try (KeyValueStore store = fill()) {
            for (Work work : works) {
                run(work, store);
            }
        }
    }

    private void run(Work work, KeyValueStore store) throws IOException {
        switch (work) {
            case GET -> gets(store);
            case MISS -> report(Metric.MISS, rate(1, thread -> miss(store), Distribution.UNIFORM));
            case OVERWRITE -> report(Metric.OVERWRITE, rate(1, thread -> put(store), Distribution.UNIFORM));
            case MIX -> {
                report(Metric.MIX95_ZIPF, rate(2, thread -> mix(store, 5), Distribution.ZIPF));
                report(Metric.MIX50_ZIPF, rate(2, thread -> mix(store, 50), Distribution.ZIPF));
            }
            case UNIFORM -> {
                report(Metric.MIX95_UNIFORM, rate(2, thread -> mix(store, 5), Distribution.UNIFORM));
                report(Metric.MIX50_UNIFORM, rate(2, thread -> mix(store, 50), Distribution.UNIFORM));
            }
            case SCAN -> scan(store);
            case RANGE -> range(store);
            case YCSB -> ycsb(store);
            case ALLOCATION -> allocation(store);
            case LATENCY -> latency(store);
            case SPACE -> space(store);
            case FEATURES -> features(store);
            case FILL, SYNC, OPEN -> {} // fill is done; the others have children of their own
        }
    }

    private KeyValueStore open(String name) throws IOException {
        return contender.open(directory.resolve(name), new StoreOptions(durability, data.keys(), data.valueSize()));
    }

    /** Runs the code of fill and get on a small store, so that neither speed nor memory of the fill is that of a cold JVM. */
    private void warmUp() throws IOException {
        Path warm = directory.resolve("warm");
        StoreOptions options = new StoreOptions(durability, WARM_UP_KEYS, data.valueSize());
        try (KeyValueStore store = contender.open(warm, options)) {
            byte[] key = new byte[Dataset.KEY_SIZE];
            byte[] value = new byte[data.valueSize()];
            for (int i = 0; i < WARM_UP_KEYS; i++) {
                put(store, i, key, value);
            }
            Throughput.measure(
                    1, seconds / 2, thread -> get(store), thread -> numbers(Distribution.UNIFORM, 0, WARM_UP_KEYS));
        }
        SideFiles.deleteTree(warm);
    }

    /** Fills a store, after others that are thrown away: one fill of a fast store is too short to be told from noise. */
    private KeyValueStore fill() throws IOException {
        double[] rates = new double[FILLS];
        int fills = 0;
        long deadline = System.nanoTime() + (long) (2 * seconds * 1e9);
        while (fills < FILLS - 1 && (fills == 0 || System.nanoTime() < deadline)) {
            try (KeyValueStore store = open("filled")) {
                rates[fills++] = fill(store, data);
            }
            SideFiles.deleteTree(directory.resolve("filled"));
        }
        long heapBefore = usedHeap();
        long offHeapBefore = Machine.statusBytes("RssAnon");
        long writtenBefore = Machine.writtenBytes();
        KeyValueStore store = open("store");
        rates[fills++] = fill(store, data);
        report(Metric.FILL, Spread.of(Arrays.copyOf(rates, fills)).median());
        store.settle();
        long dataBytes = data.keys() * (Dataset.KEY_SIZE + data.valueSize());
        if (contender != Contender.HEAP_MAP) {
            report(Metric.WRITE_AMPLIFICATION, (Machine.writtenBytes() - writtenBefore) / (double) dataBytes);
            report(Metric.DISK, Machine.diskBytes(directory.resolve("store")) / (double) dataBytes);
        }
        report(Metric.HEAP, Math.max(0, usedHeap() - heapBefore) / (double) data.keys());
        // The heap is touched in full at the start of the JVM, so only other memory can grow.
        report(Metric.OFF_HEAP, Math.max(0, Machine.statusBytes("RssAnon") - offHeapBefore) / (double) data.keys());
        if (store.indexBytes() >= 0) {
            report(Metric.INDEX, store.indexBytes() / (double) data.keys());
        }
        return store;
    }

    /** Puts every key once, in random order; returns puts a second. */
    static double fill(KeyValueStore store, Dataset data) throws IOException {
        byte[] key = new byte[Dataset.KEY_SIZE];
        byte[] value = new byte[data.valueSize()];
        long start = System.nanoTime();
        for (long i = 0; i < data.keys(); i++) {
            data.key(i, key);
            data.value(i, 0, value);
            store.put(key, value);
        }
        return data.keys() * 1e9 / (System.nanoTime() - start);
    }

    private void gets(KeyValueStore store) throws IOException {
        report(Metric.GET, rate(1, thread -> get(store), Distribution.UNIFORM));
        report(Metric.GET_ZIPF, rate(1, thread -> get(store), Distribution.ZIPF));
        report(Metric.GET_2, rate(2, thread -> get(store), Distribution.UNIFORM));
        report(Metric.GET_INTO, rate(1, thread -> getInto(store), Distribution.UNIFORM));
    }

    private void scan(KeyValueStore store) throws IOException {
        double best = 0;
        long deadline = System.nanoTime() + (long) (2 * seconds * 1e9);
        // The first scan warms up; the best of the others counts, since one scan is too long to repeat often.
        for (int i = 0; i < 2 || (i < 5 && System.nanoTime() < deadline); i++) {
            long start = System.nanoTime();
            ScanTotals totals = store.scan();
            double rate = totals.count() * 1e9 / (System.nanoTime() - start);
            if (totals.count() != data.keys()) {
                throw new IOException("a scan missed entries: expected=" + data.keys() + ", found=" + totals.count());
            }
            if (i > 0) {
                best = Math.max(best, rate);
            }
        }
        report(Metric.SCAN, best);
    }

    private void range(KeyValueStore store) throws IOException {
        if (!store.isOrdered()) {
            return;
        }
        if (store.canMerge()) {
            store.merge(); // which may bring the records into the order of their keys
        }
        byte[] from = new byte[Dataset.KEY_SIZE];
        Throughput.Operation operation = number -> {
            data.key(number, from);
            return store.range(from, RANGE_LIMIT).checksum();
        };
        report(Metric.RANGE, rate(1, thread -> operation, Distribution.UNIFORM));
    }

    private void ycsb(KeyValueStore store) throws IOException {
        Ycsb ycsb = new Ycsb(store, data, seconds);
        for (Ycsb.Workload workload : Ycsb.Workload.values()) {
            if (store.isOrdered() || !workload.scans()) {
                report(workload.metric(), ycsb.run(workload));
            }
        }
    }

    private void allocation(KeyValueStore store) throws IOException {
        report(Metric.ALLOCATED_GET, allocated(get(store)));
        report(Metric.ALLOCATED_GET_INTO, allocated(getInto(store)));
        report(Metric.ALLOCATED_PUT, allocated(put(store)));
    }

    private double allocated(Throughput.Operation operation) throws IOException {
        int[] numbers = numbers(Distribution.UNIFORM, 0, (int) data.keys());
        Throughput.measure(1, seconds / 2, thread -> operation, thread -> numbers);
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        for (int i = 0; i < ALLOCATION_OPERATIONS; i++) {
            operation.run(numbers[i]);
        }
        long allocated = threads.getCurrentThreadAllocatedBytes() - before;
        // Whole bytes: the few that the measuring itself takes vanish over so many operations.
        return Math.round(allocated / (double) ALLOCATION_OPERATIONS);
    }

    private void latency(KeyValueStore store) throws IOException {
        int[] numbers = numbers(Distribution.UNIFORM, 0, (int) data.keys());
        double longer = 3 * seconds;
        store.settle();
        latency(Metric.LATENCY_GET, Latency.record(get(store), numbers, longer, 2 * longer, () -> true));
        latency(Metric.LATENCY_PUT, Latency.record(put(store), numbers, longer, 2 * longer, () -> true));
        if (store.canMerge()) {
            latency(Metric.LATENCY_GET_MERGE, besideMerges(store, get(store), numbers, longer, true));
            latency(Metric.LATENCY_PUT_MERGE, besideMerges(store, put(store), numbers, longer, false));
        }
    }

    /**
     * Records only what starts while a merge runs.
     *
     * @param overwrites whether a fifth of the keys is overwritten before each merge, so that it has something to do; not
     *     needed where the operation itself is a put
     */
    private Histogram besideMerges(
            KeyValueStore store, Throughput.Operation operation, int[] numbers, double longer, boolean overwrites)
            throws IOException {
        AtomicBoolean merging = new AtomicBoolean();
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            Future<?> merger = executor.submit(() -> {
                Throughput.Operation overwrite = put(store);
                for (int round = 0; !done.get(); round++) {
                    for (int i = 0; overwrites && i < data.keys() / 5 && !done.get(); i++) {
                        overwrite.run(numbers[(int) ((round * (data.keys() / 5) + i) % numbers.length)]);
                    }
                    merging.set(true);
                    store.merge();
                    merging.set(false);
                }
                return null;
            });
            Histogram histogram = Latency.record(operation, numbers, longer, 6 * longer, merging::get);
            done.set(true);
            merger.get();
            return histogram;
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while measuring", e);
        } catch (ExecutionException e) {
            throw new IOException("a merge failed", e.getCause());
        } finally {
            done.set(true);
            executor.shutdown();
        }
    }

    private void latency(Metric metric, Histogram histogram) {
        if (histogram.getTotalCount() == 0) {
            return;
        }
        for (Map.Entry<String, Double> entry : Latency.summary(histogram).entrySet()) {
            output.accept(new Sample(
                    contender.id(), metric, entry.getKey(), data.keys(), data.valueSize(), entry.getValue()));
        }
    }

    private void features(KeyValueStore store) throws IOException {
        if (store instanceof CaskwrightStore ours) {
            int[] numbers = numbers(Distribution.UNIFORM, 0, (int) data.keys());
            new FeatureRatios(ours.engine(), data, numbers).run(this::report);
        }
    }

    private void space(KeyValueStore store) throws IOException {
        if (contender == Contender.HEAP_MAP) {
            return;
        }
        int keys = (int) data.keys();
        Throughput.Operation put = put(store);
        for (int i = 0; i < keys; i++) {
            // Each key once, in another order than that of the fill.
            put.run(Distribution.scatter(i, keys));
        }
        if (Double.isNaN(store.spaceAmplification())) {
            store.settle();
        } else {
            report(Metric.SPACE_OVERWRITTEN, settledSpace(store));
        }
        double dataBytes = data.keys() * (double) (Dataset.KEY_SIZE + data.valueSize());
        report(Metric.DISK_OVERWRITTEN, Machine.diskBytes(directory.resolve("store")) / dataBytes);
        if (!Double.isNaN(store.spaceAmplification())) {
            store.merge();
            report(Metric.SPACE_MERGED, store.spaceAmplification());
        }
    }

    /** Returns the space amplification once background merges no longer lower it. */
    private static double settledSpace(KeyValueStore store) throws IOException {
        double lowest = store.spaceAmplification();
        long deadline = System.nanoTime() + TimeUnit.MILLISECONDS.toNanos(SETTLE_MILLIS);
        long lastChange = System.nanoTime();
        while (System.nanoTime() < deadline && System.nanoTime() - lastChange < TimeUnit.SECONDS.toNanos(2)) {
            try {
                Thread.sleep(50);
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
                throw new IOException("interrupted while measuring", e);
            }
            double now = store.spaceAmplification();
            if (now < lowest) {
                lowest = now;
                lastChange = System.nanoTime();
            }
        }
        return lowest;
    }

    private void syncPuts(KeyValueStore store) throws IOException {
        Throughput.measure(
                2, seconds / 2, 1, thread -> put(store), thread -> numbers(Distribution.UNIFORM, thread, 1 << 16));
        for (int threads : SYNC_THREADS) {
            double rate = Throughput.measure(
                    threads,
                    seconds,
                    1,
                    thread -> put(store),
                    thread -> numbers(Distribution.UNIFORM, thread, (int) data.keys(), 1 << 14));
            report(Metric.syncPuts(threads), rate);
        }
    }

    private double rate(int threads, IntFunction<Throughput.Operation> operation, Distribution distribution)
            throws IOException {
        int[][] numbers = new int[threads][];
        for (int thread = 0; thread < threads; thread++) {
            numbers[thread] = numbers(distribution, thread, (int) data.keys());
        }
        Throughput.measure(threads, seconds / 2, operation, thread -> numbers[thread]);
        return Throughput.measure(threads, seconds, operation, thread -> numbers[thread]);
    }

    private static int[] numbers(Distribution distribution, int thread, int keys) {
        return numbers(distribution, thread, keys, NUMBERS);
    }

    private static int[] numbers(Distribution distribution, int thread, int keys, int count) {
        return distribution.numbers(keys, count, 1000 + thread);
    }

    private Throughput.Operation get(KeyValueStore store) {
        byte[] key = new byte[Dataset.KEY_SIZE];
        return number -> {
            data.key(number, key);
            byte[] value = store.get(key);
            if (value == null) {
                throw new IOException("a key is lost: number=" + number);
            }
            return (long) value[0] + value.length;
        };
    }

    private Throughput.Operation getInto(KeyValueStore store) {
        byte[] key = new byte[Dataset.KEY_SIZE];
        ByteBuffer target = ByteBuffer.allocate(data.valueSize());
        return number -> {
            data.key(number, key);
            int length = store.getInto(key, target.clear());
            if (length != data.valueSize()) {
                throw new IOException("a key is lost: number=" + number);
            }
            return (long) target.get(0) + length;
        };
    }

    private Throughput.Operation miss(KeyValueStore store) {
        byte[] key = new byte[Dataset.KEY_SIZE];
        return number -> {
            data.key(data.keys() + number, key);
            if (store.get(key) != null) {
                throw new IOException("a key came from nowhere: number=" + (data.keys() + number));
            }
            return number;
        };
    }

    private Throughput.Operation put(KeyValueStore store) {
        byte[] key = new byte[Dataset.KEY_SIZE];
        byte[] value = new byte[data.valueSize()];
        return number -> {
            put(store, number, key, value);
            return number;
        };
    }

    private Throughput.Operation mix(KeyValueStore store, int putPercent) {
        Throughput.Operation get = get(store);
        Throughput.Operation put = put(store);
        return new Throughput.Operation() {
            private long turn;

            @Override
            public long run(int number) throws IOException {
                // 37 shares no factor with 100, so puts are spread evenly and exactly.
                turn += 37;
                return turn % PERCENT < putPercent ? put.run(number) : get.run(number);
            }
        };
    }

    private void put(KeyValueStore store, long number, byte[] key, byte[] value) throws IOException {
        data.key(number, key);
        data.value(number, 0, value);
        store.put(key, value);
    }

    private void report(Metric metric, double value) {
        output.accept(new Sample(contender.id(), metric, "", data.keys(), data.valueSize(), value));
    }

    private static long usedHeap() {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 2; i++) {
            System.gc();
            Runtime runtime = Runtime.getRuntime();
            least = Math.min(least, runtime.totalMemory() - runtime.freeMemory());
        }
        return least;
    }
}
