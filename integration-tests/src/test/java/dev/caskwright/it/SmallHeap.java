package dev.caskwright.it;

import dev.caskwright.api.Cursor;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.index.compact.CompactKeyIndex;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.Semaphore;

/** What must work in a small heap; run by {@link SmallHeapTest} in a process of its own. */
final class SmallHeap {
    private SmallHeap() {}

    /** Arguments: directory and what to do. Prints {@code done} at the end. */
    public static void main(String[] args) throws Exception {
        Path directory = Path.of(args[0]);
        switch (args[1]) {
            case "threads" -> threads(directory);
            case "longValues" -> longValues(directory);
            case "deletedUnderSnapshot" -> deletedUnderSnapshot(directory);
            case "manyKeys" -> manyKeys(directory);
            case "tinyStores" -> tinyStores(directory);
            case "counters" -> counters(directory, StandardIoManager::open);
            case "countersMapped" -> counters(directory, MmapIoManager::open);
            case "compactMerges" -> compactMerges(directory);
            case "batches" -> batches();
            default -> throw new IllegalArgumentException(args[1]);
        }
        System.out.println("done");
        System.out.flush();
        Runtime.getRuntime().halt(0);
    }

    private static byte[] key(int number) {
        return String.format("key%09d", number).getBytes(StandardCharsets.US_ASCII);
    }

    /** 300 threads that stay, each of which has read long values from and written a batch to each of four stores. */
    private static void threads(Path directory) throws Exception {
        int threads = 300;
        List<StorageEngine> stores = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            StorageEngine store = BitcaskEngine.open(directory.resolve("store" + i));
            store.put(key(0), new byte[1_000_000]);
            store.put(key(1), new byte[60_000]);
            stores.add(store);
        }
        ExecutorService pool = Executors.newFixedThreadPool(threads);
        CyclicBarrier all = new CyclicBarrier(threads);
        Semaphore atOnce = new Semaphore(4);
        List<Future<?>> results = new ArrayList<>();
        for (int i = 0; i < threads; i++) {
            results.add(pool.submit(() -> {
                all.await(); // so that each has a thread of its own
                atOnce.acquire();
                try {
                    for (StorageEngine store : stores) {
                        store.get(key(0));
                        store.get(key(1));
                        WriteBatch batch = new WriteBatch();
                        for (int each = 0; each < 10; each++) {
                            batch.put(key(each + 10), new byte[50_000]);
                        }
                        store.write(batch, WriteOptions.DEFAULT);
                    }
                } finally {
                    atOnce.release();
                }
                return null;
            }));
        }
        for (Future<?> result : results) {
            result.get();
        }
    }

    private static BitcaskEngine ordered(Path directory) throws IOException {
        return BitcaskEngine.builder(directory)
                .index(context -> new BTreeKeyIndex())
                .autoMerge(false)
                .open();
    }

    private static int walk(Snapshot snapshot) throws IOException {
        int count = 0;
        try (Cursor cursor = snapshot.ordered().range(Range.all())) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                count++;
            }
        }
        return count;
    }

    private static void expect(boolean holds, String what) {
        if (!holds) {
            throw new IllegalStateException(what);
        }
    }

    private static void longValues(Path directory) throws IOException {
        try (BitcaskEngine store = ordered(directory)) {
            for (int i = 0; i < 60; i++) {
                store.put(key(i), new byte[2_000_000]);
            }
            try (Snapshot snapshot = store.snapshot()) {
                expect(walk(snapshot) == 60, "walked before");
                for (int i = 0; i < 60; i++) {
                    store.delete(key(i));
                }
                expect(walk(snapshot) == 60, "walked after they were deleted");
            }
        }
    }

    private static void deletedUnderSnapshot(Path directory) throws IOException {
        int keys = 60_000;
        try (BitcaskEngine store = ordered(directory)) {
            for (int i = 0; i < keys; i++) {
                store.put(key(i), new byte[1_000]);
            }
            try (Snapshot snapshot = store.snapshot()) {
                for (int i = 0; i < keys; i++) {
                    store.delete(key(i));
                }
                expect(walk(snapshot) == keys, "walked after they were deleted");
            }
        }
    }

    private static void manyKeys(Path directory) throws IOException {
        int keys = 100_000;
        try (BitcaskEngine store = BitcaskEngine.open(directory)) {
            for (int round = 0; round < 3; round++) {
                for (int i = 0; i < keys; i++) {
                    store.put(key(i), key(i + round));
                }
                for (int i = 0; i < keys; i += 7) {
                    expect(Arrays.equals(store.get(key(i)), key(i + round)), "a value");
                }
            }
            int[] visited = {0};
            store.visit(entry -> {
                visited[0]++;
                return true;
            });
            expect(visited[0] == keys, "visited");
            expect(
                    store.stats().memory().totalBytes() < 32 << 20,
                    "memory=" + store.stats().memory());
        }
        try (BitcaskEngine store = BitcaskEngine.open(directory)) {
            expect(store.size() == keys, "keys after reopening");
        }
    }

    /** Few keys, overwritten for long: what the log notes of records that are dead by now is bounded, too. */
    private static void counters(Path directory, IoManagerFactory io) throws IOException {
        int keys = 1_000;
        int writes = 1_000_000;
        try (BitcaskEngine store = BitcaskEngine.builder(directory).io(io).open()) {
            for (int i = 0; i < writes; i++) {
                store.put(key(i % keys), new byte[8]);
                if (i % 100_000 == 50_000) {
                    long bytes = store.stats().memory().logBytes();
                    expect(bytes > 0 && bytes < 4 << 20, "memory of the log: " + bytes);
                }
            }
            expect(store.health() == null, "health: " + store.health());
            expect(store.size() == keys, "keys");
        }
        try (BitcaskEngine store = BitcaskEngine.builder(directory).io(io).open()) {
            expect(store.size() == keys, "keys after reopening");
        }
    }

    /** Two million keys of 200 bytes, in an index that does not hold them, half overwritten beside background merges. */
    private static void compactMerges(Path directory) throws IOException {
        int keys = 2_000_000;
        byte[] value = new byte[20];
        EngineBuilder builder = BitcaskEngine.builder(directory).index(CompactKeyIndex::new);
        try (BitcaskEngine store = builder.open()) {
            for (int i = 0; i < keys; i++) {
                store.put(longKey(i), value);
            }
            for (int i = 0; i < keys; i += 2) {
                store.put(longKey(i), value);
            }
            store.merge();
            expect(store.health() == null, "health: " + store.health());
            expect(store.stats().merging().merges() > 0, "merges");
            expect(store.size() == keys, "keys");
        }
        try (BitcaskEngine store = builder.open()) {
            expect(store.size() == keys, "keys after reopening");
        }
    }

    private static byte[] longKey(int number) {
        byte[] key = new byte[200];
        ByteBuffer.wrap(key).putLong(0, number * 0x9E3779B97F4A7C15L).putInt(100, number);
        return key;
    }

    /** 200 open stores of ten small entries, which have read, written, scanned and had a snapshot. */
    private static void tinyStores(Path directory) throws IOException {
        List<BitcaskEngine> stores = new ArrayList<>();
        for (int i = 0; i < 200; i++) {
            BitcaskEngine store = BitcaskEngine.open(directory.resolve("store" + i));
            for (int each = 0; each < 10; each++) {
                store.put(key(each), new byte[100]);
            }
            expect(store.get(key(1)) != null, "a value");
            store.snapshot().close();
            stores.add(store);
        }
        for (int i = 0; i < 30; i++) {
            System.gc();
        }
        long used = Runtime.getRuntime().totalMemory() - Runtime.getRuntime().freeMemory();
        expect(used / stores.size() < 160 << 10, "heap of a store: " + used / stores.size());
        for (BitcaskEngine store : stores) {
            store.close();
        }
    }

    /** A batch that finds no memory is as before the call, each time. */
    private static void batches() {
        int refused = 0;
        for (int round = 0; round < 40; round++) {
            WriteBatch batch = new WriteBatch();
            int distinct = round % 2 == 0 ? 100_000 : 10_000;
            int put = 0;
            List<byte[]> ballast = new ArrayList<>();
            long room = Runtime.getRuntime().maxMemory() / 40 * (round + 1);
            try {
                while (Runtime.getRuntime().maxMemory()
                                - Runtime.getRuntime().totalMemory()
                                + Runtime.getRuntime().freeMemory()
                        > room) {
                    ballast.add(new byte[100_000]);
                }
            } catch (OutOfMemoryError e) {
                ballast.remove(ballast.size() - 1);
            }
            try {
                for (; put < 400_000; put++) {
                    batch.put(key(put % distinct), key(put));
                }
            } catch (OutOfMemoryError e) {
                refused++;
            }
            ballast.clear();
            expect(batch.size() == Math.min(put, distinct), "size=" + batch.size() + ", put=" + put);
            batch.put(key(distinct), key(1)).put(key(0), key(2));
            List<WriteBatch.Change> changes = batch.changes();
            int expected = Math.max(1, Math.min(put, distinct)) + 1;
            expect(changes.size() == expected, "changes=" + changes.size() + ", expected=" + expected);
            expect(Arrays.equals(changes.get(changes.size() - 1).key(), key(0)), "the last change");
            batch.clear();
            expect(batch.size() == 0, "cleared");
        }
        expect(refused > 0, "no batch was ever refused");
    }
}
