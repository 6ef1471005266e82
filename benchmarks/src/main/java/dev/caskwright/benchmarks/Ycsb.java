package dev.caskwright.benchmarks;

import java.io.IOException;
import java.util.Locale;
import java.util.SplittableRandom;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The core workloads of the Yahoo Cloud Serving Benchmark by their definitions: the mixes of operations and the distributions
 * of keys that its files {@code workloada} to {@code workloadf} name. A record is one value of the data set, which an update
 * writes in whole. Two threads run each workload.
 *
 * <p>D and E insert keys behind the last one; they are removed afterwards, so that each workload finds the keys of the fill.
 */
final class Ycsb {
    private static final int THREADS = 2;
    private static final int DRAWN = 1 << 20;
    private static final int PERCENT = 100;
    private static final int MAX_SCAN = 100;

    private final KeyValueStore store;
    private final Dataset data;
    private final double seconds;

    Ycsb(KeyValueStore store, Dataset data, double seconds) {
        this.store = store;
        this.data = data;
        this.seconds = seconds;
    }

    /** The workloads. */
    enum Workload {
        /** Updates and reads by halves, Zipf. */
        A(50),
        /** 95 % reads, 5 % updates, Zipf. */
        B(95),
        /** Reads, Zipf. */
        C(100),
        /** 95 % reads of what is latest, 5 % inserts. */
        D(95),
        /** 95 % scans of 1 to 100 records from a key in Zipf order, 5 % inserts. */
        E(95),
        /** Reads, and reads that are followed by a write of what was read, by halves, Zipf. */
        F(50);

        private final int readPercent;

        Workload(int readPercent) {
            this.readPercent = readPercent;
        }

        boolean scans() {
            return this == E;
        }

        private boolean inserts() {
            return this == D || this == E;
        }

        Metric metric() {
            return Metric.valueOf("YCSB_" + name());
        }

        /** Returns the name for figures: {@code ycsb-a}. */
        String id() {
            return "ycsb-" + name().toLowerCase(Locale.ROOT);
        }
    }

    /** Returns operations a second, both threads together. */
    double run(Workload workload) throws IOException {
        int[][] numbers = new int[THREADS][];
        for (int thread = 0; thread < THREADS; thread++) {
            numbers[thread] =
                    workload == Workload.D ? ages(thread) : Distribution.ZIPF.numbers((int) data.keys(), DRAWN, thread);
        }
        AtomicLong end = new AtomicLong(data.keys());
        Throughput.measure(THREADS, seconds / 2, thread -> operation(workload, thread, end), n -> numbers[n]);
        double rate = Throughput.measure(THREADS, seconds, thread -> operation(workload, thread, end), n -> numbers[n]);
        for (long number = data.keys(); number < end.get(); number++) {
            store.delete(data.key(number));
        }
        return rate;
    }

    /** How many records were inserted after the one that is read: few, most often. */
    private int[] ages(int seed) {
        SplittableRandom random = new SplittableRandom(seed);
        ZipfSampler sampler = new ZipfSampler((int) data.keys(), Distribution.ZIPF_EXPONENT);
        int[] ages = new int[DRAWN];
        for (int i = 0; i < DRAWN; i++) {
            ages[i] = sampler.rank(random) - 1;
        }
        return ages;
    }

    private Throughput.Operation operation(Workload workload, int thread, AtomicLong end) {
        SplittableRandom random = new SplittableRandom(31 + thread);
        byte[] key = new byte[Dataset.KEY_SIZE];
        byte[] value = new byte[data.valueSize()];
        return drawn -> {
            boolean reads = random.nextInt(PERCENT) < workload.readPercent;
            if (!reads && workload.inserts()) {
                long number = end.getAndIncrement();
                put(number, 0, key, value);
                return number;
            }
            data.key(workload == Workload.D ? end.get() - 1 - drawn : drawn, key);
            if (reads && workload.scans()) {
                return store.range(key, 1 + random.nextInt(MAX_SCAN)).checksum();
            }
            long read = 0;
            if (reads || workload == Workload.F) {
                byte[] found = store.get(key);
                // The latest may be on its way: it has its number before it is put.
                read = found == null ? 0 : found[0];
            }
            if (!reads) {
                put(drawn, (int) (read + random.nextInt(PERCENT)), key, value);
            }
            return read;
        };
    }

    private void put(long number, int version, byte[] key, byte[] value) throws IOException {
        data.key(number, key);
        data.value(number, version, value);
        store.put(key, value);
    }
}
