package dev.caskwright.benchmarks;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.SplittableRandom;
import java.util.concurrent.CountDownLatch;
import java.util.function.Consumer;

/**
 * What the JVMs of a run over sizes do, one after the other with the same store: fill it and be killed; open it; open it
 * after a clean close; read and merge. {@link ScaleRun} starts them.
 */
final class ScaleChild {
    private static final int WARM_UP_OPENS = 10;
    private static final int WARM_OPENS = 11;
    private static final int NUMBERS = 1 << 20;
    private static final int CHECKED = 200_000;
    private static final double WARM_UP_SHARE = 0.5;

    private final Contender contender;
    private final Path path;
    private final Dataset data;
    private final StoreOptions options;
    private final Consumer<Sample> output;

    ScaleChild(Contender contender, Path path, Dataset data, StoreOptions options, Consumer<Sample> output) {
        this.contender = contender;
        this.path = path;
        this.data = data;
        this.options = options;
        this.output = output;
    }

    private KeyValueStore open() throws IOException {
        return contender.open(path, options);
    }

    private void report(Metric metric, double value) {
        output.accept(new Sample(contender.id(), metric, "", data.keys(), data.valueSize(), value));
    }

    /** Fills the store, makes the file that says so, and waits to be killed. */
    void fillAndWait(Path ready) throws IOException, InterruptedException {
        try (KeyValueStore store = open()) {
            report(Metric.FILL, StoreRun.fill(store, data));
            if (store.indexBytes() >= 0) {
                report(Metric.INDEX, (double) store.indexBytes() / data.keys());
            }
            Files.createFile(ready);
            new CountDownLatch(1).await();
            throw new IllegalStateException("woken up with " + store);
        }
    }

    /** Opens the store that was killed, checks what is in it, and closes it. */
    void openKilled() throws IOException {
        long start = System.nanoTime();
        KeyValueStore store = open();
        report(Metric.OPEN_KILLED, (System.nanoTime() - start) / 1e6);
        SplittableRandom random = new SplittableRandom(1);
        byte[] value = new byte[data.valueSize()];
        for (int i = 0; i < CHECKED; i++) {
            // The last ones are those that a kill might take, and the rest is what an index might lose.
            long number = i % 2 == 0 ? data.keys() - 1 - i / 2 : random.nextLong(data.keys());
            data.value(Math.max(0, number), 0, value);
            if (!Arrays.equals(store.get(data.key(Math.max(0, number))), value)) {
                throw new IOException("an acknowledged put is lost after kill -9: number=" + number);
            }
        }
        store.close();
    }

    /** Opens the store after a clean close in this new JVM. */
    void openClean() throws IOException {
        long start = System.nanoTime();
        try (KeyValueStore store = open()) {
            double millis = (System.nanoTime() - start) / 1e6;
            boolean isThere = store.get(data.key(0)) != null;
            long upTime = System.currentTimeMillis()
                    - ManagementFactory.getRuntimeMXBean().getStartTime();
            report(Metric.OPEN_CLEAN, millis);
            report(Metric.FIRST_GET, (double) upTime);
            checkThere(isThere);
        }
    }

    /** Opens the store after a clean close again and again, and puts something. */
    void openWarm() throws IOException {
        double[] warm = new double[WARM_OPENS];
        for (int i = -WARM_UP_OPENS; i < WARM_OPENS; i++) {
            long start = System.nanoTime();
            try (KeyValueStore store = open()) {
                if (i >= 0) {
                    warm[i] = (System.nanoTime() - start) / 1e6;
                }
                checkThere(store.get(data.key(i + WARM_UP_OPENS)) != null);
            }
        }
        report(Metric.OPEN_WARM, Spread.of(warm).median());
        try (KeyValueStore store = open()) {
            long start = System.nanoTime();
            store.put(data.key(0), data.value(0, 0));
            report(Metric.FIRST_PUT, (System.nanoTime() - start) / 1e6);
        }
    }

    private static void checkThere(boolean isThere) throws IOException {
        if (!isThere) {
            throw new IOException("a key is lost after a clean close");
        }
    }

    /** Reads at random for some seconds, and merges everything. */
    void readAndMerge(double seconds) throws IOException {
        try (KeyValueStore store = open()) {
            int[] numbers = Distribution.UNIFORM.numbers((int) data.keys(), NUMBERS, 1);
            byte[] key = new byte[Dataset.KEY_SIZE];
            Throughput.Operation get = number -> {
                data.key(number, key);
                byte[] found = store.get(key);
                if (found == null) {
                    throw new IOException("a key is lost: number=" + number);
                }
                return found[0];
            };
            Throughput.measure(1, seconds * WARM_UP_SHARE, thread -> get, thread -> numbers);
            int[] others = Distribution.UNIFORM.numbers((int) data.keys(), NUMBERS, 2);
            report(Metric.GET, Throughput.measure(1, seconds, thread -> get, thread -> others));
            if (store.canMerge()) {
                long start = System.nanoTime();
                store.merge();
                report(Metric.FULL_MERGE, (System.nanoTime() - start) / 1e9);
            }
        }
    }
}
