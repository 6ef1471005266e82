package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Merging;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.util.function.ObjDoubleConsumer;

/**
 * What batches gain and snapshots cost, as ratios on one filled store of ours: medians of rounds in which the two sides
 * take turns, so that a slow minute of the machine falls on both. The first round warms up.
 */
final class FeatureRatios {
    private static final int ROUNDS = 10;
    private static final int BATCH_SIZE = 1_000;
    private static final int BATCHES = 100;
    private static final int SYNC_BATCHES = 40;
    private static final int SYNC_PUTS = 400;
    private static final WriteOptions UNFORCED = WriteOptions.DEFAULT.durability(Durability.WRITE);

    private final StorageEngine engine;
    private final Dataset data;
    private final int[] numbers;
    private final byte[] key = new byte[Dataset.KEY_SIZE];
    private final byte[] value;
    private int next;

    FeatureRatios(StorageEngine engine, Dataset data, int[] numbers) {
        this.engine = engine;
        this.data = data;
        this.numbers = numbers;
        this.value = new byte[data.valueSize()];
    }

    void run(ObjDoubleConsumer<Metric> report) throws IOException {
        report.accept(
                Metric.BATCH, ratio(() -> batches(BATCHES, UNFORCED), () -> puts(BATCHES * BATCH_SIZE, UNFORCED)));
        engine.require(Merging.class).merge(); // or the overwrites so far call for it now, and it competes for the disk
        report.accept(
                Metric.BATCH_SYNC,
                1 / ratio(() -> batches(SYNC_BATCHES, WriteOptions.SYNC), () -> puts(SYNC_PUTS, WriteOptions.SYNC)));
        int overwrites = (int) data.keys();
        report.accept(
                Metric.SNAPSHOT_PUT, ratio(() -> putsUnderSnapshot(overwrites), () -> puts(overwrites, UNFORCED)));
        try (Snapshot snapshot = engine.snapshot()) {
            puts(overwrites / 10, UNFORCED);
            report.accept(Metric.SNAPSHOT_SCAN, 1 / ratio(() -> scan(snapshot), () -> scan(engine)));
        }
    }

    /** Something that measures itself; returns nanoseconds for one operation. */
    private interface Side {
        double run() throws IOException;
    }

    private static double ratio(Side one, Side other) throws IOException {
        double[] ones = new double[ROUNDS];
        double[] others = new double[ROUNDS];
        for (int round = 0; round <= ROUNDS; round++) {
            boolean isSwapped = round % 2 == 1;
            double first = (isSwapped ? other : one).run();
            double second = (isSwapped ? one : other).run();
            if (round > 0) {
                ones[round - 1] = isSwapped ? second : first;
                others[round - 1] = isSwapped ? first : second;
            }
        }
        return Spread.of(ones).median() / Spread.of(others).median();
    }

    private double puts(int count, WriteOptions options) throws IOException {
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            nextPut();
            engine.put(key, value, options);
        }
        return (System.nanoTime() - start) / (double) count;
    }

    private double putsUnderSnapshot(int count) throws IOException {
        try (Snapshot snapshot = engine.snapshot()) {
            double nanos = puts(count, UNFORCED);
            if (snapshot.get(key) == null) {
                throw new IOException("a snapshot lost a key");
            }
            return nanos;
        }
    }

    /** Building the batches is part of what they cost. */
    private double batches(int count, WriteOptions options) throws IOException {
        long start = System.nanoTime();
        for (int i = 0; i < count; i++) {
            WriteBatch batch = new WriteBatch();
            for (int j = 0; j < BATCH_SIZE; j++) {
                nextPut();
                batch.put(key, value);
            }
            engine.write(batch, options);
        }
        return (System.nanoTime() - start) / ((double) count * BATCH_SIZE);
    }

    private void nextPut() {
        next = next + 1 == numbers.length ? 0 : next + 1;
        data.key(numbers[next], key);
        data.value(numbers[next], 0, value);
    }

    private double scan(ReadView view) throws IOException {
        ScanTotals totals = new ScanTotals();
        long start = System.nanoTime();
        view.visit(entry -> {
            totals.add(entry.value());
            return true;
        });
        long nanos = System.nanoTime() - start;
        if (totals.count() != data.keys()) {
            throw new IOException("a scan missed entries: expected=" + data.keys() + ", found=" + totals.count());
        }
        return nanos / (double) data.keys();
    }
}
