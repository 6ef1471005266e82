package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyIndex;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadInfo;
import java.lang.management.ThreadMXBean;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;

/**
 * The part of the index contract about threads: readers beside a writer, and writers beside each other.
 */
abstract class KeyIndexThreadsContract extends KeyIndexMemoryContract {
    @Test
    void readersBesideAWriterFindEveryStableKeyAndNeverAWrongLocator() throws Exception {
        long seed = seed();
        int stable = 2_000;
        IndexedKeys keys = numberedKeys(60_000);
        ExecutorService threads = Executors.newFixedThreadPool(2);
        AtomicBoolean stop = new AtomicBoolean();
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < stable; i++) {
                put(index, keys, i, 1);
            }
            CountDownLatch reading = new CountDownLatch(2);
            List<Future<Long>> readers = new ArrayList<>();
            for (int r = 0; r < 2; r++) {
                Random random = new Random(seed + r);
                readers.add(threads.submit(() -> {
                    long reads = 0;
                    while (!stop.get()) {
                        readAndCheck(index, keys, random, stable, seed);
                        if (reads++ == 0) {
                            reading.countDown();
                        }
                    }
                    return reads;
                }));
            }
            reading.await();
            try {
                churn(index, keys, stable, new Random(seed + 2));
            } finally {
                stop.set(true);
            }
            for (Future<Long> reader : readers) {
                assertThat(join(reader)).isPositive();
            }
        } finally {
            stop.set(true);
            shutDown(threads);
        }
    }

    @Test
    void concurrentPutIfAbsentHasOneWinner() throws Exception {
        IndexedKeys keys = numberedKeys(20_000);
        try (KeyIndex index = open(keys)) {
            if (!index.allowsConcurrentWriters()) {
                return;
            }
            AtomicInteger winners = new AtomicInteger();
            inParallel(4, writer -> {
                for (int i = 0; i < keys.count(); i++) {
                    byte[] key = keys.key(i);
                    long before = index.putIfAbsent(key, 0, key.length, IndexedKeys.locator(i, writer + 1));
                    if (before == KeyIndex.ABSENT) {
                        winners.incrementAndGet();
                    } else {
                        assertThat(IndexedKeys.number(before)).isEqualTo(i);
                    }
                }
            });
            assertThat(winners.get()).isEqualTo(keys.count());
            assertThat(index.size()).isEqualTo(keys.count());
        }
    }

    @Test
    void concurrentReplacesAreCounted() throws Exception {
        IndexedKeys keys = numberedKeys(8);
        try (KeyIndex index = open(keys)) {
            if (!index.allowsConcurrentWriters()) {
                return;
            }
            for (int i = 0; i < keys.count(); i++) {
                put(index, keys, i, 1);
            }
            AtomicLong replaced = new AtomicLong();
            inParallel(4, writer -> {
                for (int step = 0; step < 20_000; step++) {
                    int number = step % keys.count();
                    byte[] key = keys.key(number);
                    long seen = get(index, key);
                    long next = IndexedKeys.locator(number, IndexedKeys.version(seen) + 1);
                    if (index.replace(key, 0, key.length, seen, next)) {
                        replaced.incrementAndGet();
                    }
                }
            });
            long versions = 0;
            for (int i = 0; i < keys.count(); i++) {
                versions += IndexedKeys.version(get(index, keys.key(i))) - 1;
            }
            assertThat(versions).isEqualTo(replaced.get());
        }
    }

    @Test
    void concurrentWritersOfTheirOwnKeysDoNotDisturbEachOther() throws Exception {
        long seed = seed();
        int writers = 4;
        IndexedKeys keys = numberedKeys(40_000);
        try (KeyIndex index = open(keys)) {
            if (!index.allowsConcurrentWriters()) {
                return;
            }
            long[][] models = new long[writers][keys.count()];
            inParallel(writers, writer -> {
                Random random = new Random(seed + writer);
                for (int step = 1; step < 60_000; step++) {
                    int number = random.nextInt(keys.count() / writers) * writers + writer;
                    changeAndCheck(index, keys, models[writer], number, step, random.nextInt(5), "seed=" + seed);
                }
            });
            long[] model = new long[keys.count()];
            for (int i = 0; i < model.length; i++) {
                model[i] = models[i % writers][i];
            }
            assertMatches(index, keys, model, "seed=" + seed);
        }
    }

    @Test
    void readersTakeNoLockThatAWriterHolds() throws Exception {
        IndexedKeys keys = numberedKeys(20_000);
        int stable = keys.count() / 2;
        ExecutorService threads = Executors.newSingleThreadExecutor();
        AtomicBoolean stop = new AtomicBoolean();
        try (KeyIndex index = open(keys)) {
            for (int i = 0; i < stable; i++) {
                put(index, keys, i, 1);
            }
            readAll(index, keys, stable); // classes are loaded and initialized
            AtomicLong steps = new AtomicLong();
            Future<?> writer = threads.submit(() -> {
                for (int i = stable; !stop.get(); i = i + 1 < keys.count() ? i + 1 : stable) {
                    put(index, keys, i, 1);
                    put(index, keys, i, 2);
                    remove(index, keys, i, 2);
                    steps.incrementAndGet();
                }
                return null;
            });
            ThreadMXBean bean = ManagementFactory.getThreadMXBean();
            long self = Thread.currentThread().getId();
            ThreadInfo before = bean.getThreadInfo(self);
            while (steps.get() < 300_000 && !writer.isDone()) {
                readAll(index, keys, stable);
            }
            ThreadInfo after = bean.getThreadInfo(self);
            stop.set(true);
            join(writer);
            assertThat(after.getBlockedCount()
                            - before.getBlockedCount()
                            + after.getWaitedCount()
                            - before.getWaitedCount())
                    .as(
                            "times that a reader had to wait; a lock makes hundreds, a class that the JVM loads meanwhile one")
                    .isLessThan(5);
        } finally {
            stop.set(true);
            shutDown(threads);
        }
    }

    private static void readAll(KeyIndex index, IndexedKeys keys, int stable) throws IOException {
        for (int i = 0; i < stable; i += 7) {
            assertThat(get(index, keys.key(i)) == IndexedKeys.locator(i, 1)).isTrue();
            assertThat(candidate(index, keys.key(i)) == KeyIndex.ABSENT).isFalse();
            assertThat(index.size() >= stable).isTrue();
            assertThat(index.memoryBytes() > 0).isTrue();
        }
    }

    /** Grows the index, then removes and puts again, and changes the stable keys without ever removing them. */
    private static void churn(KeyIndex index, IndexedKeys keys, int stable, Random random) throws IOException {
        int changing = keys.count() - stable;
        long[] model = new long[keys.count()];
        for (int step = 1; step < 400_000; step++) {
            int number = stable + random.nextInt(Math.min(changing, 100 + step / 4));
            if (model[number] == KeyIndex.ABSENT || step % 3 == 0) {
                assertThat(put(index, keys, number, step)).isEqualTo(model[number]);
                model[number] = IndexedKeys.locator(number, step);
            } else {
                byte[] key = keys.key(number);
                assertThat(index.remove(key, 0, key.length, model[number])).isTrue();
                model[number] = KeyIndex.ABSENT;
            }
            if (step % 16 == 0) {
                put(index, keys, random.nextInt(stable), step);
            }
        }
    }

    private static void readAndCheck(KeyIndex index, IndexedKeys keys, Random random, int stable, long seed)
            throws IOException {
        int number = random.nextInt(stable);
        long locator = get(index, keys.key(number));
        assertThat(locator).as("stable key, seed=%d", seed).isNotEqualTo(KeyIndex.ABSENT);
        assertThat(IndexedKeys.number(locator)).as("seed=%d", seed).isEqualTo(number);
        assertThat(candidate(index, keys.key(number)))
                .as("candidate of a stable key, seed=%d", seed)
                .isNotEqualTo(KeyIndex.ABSENT);
        int other = random.nextInt(keys.count());
        long found = get(index, keys.key(other));
        if (found != KeyIndex.ABSENT) {
            assertThat(IndexedKeys.number(found)).as("seed=%d", seed).isEqualTo(other);
        }
        assertThat(index.size()).isBetween((long) stable, (long) keys.count());
    }
}
