package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CyclicBarrier;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * What the parts of the index contract share: an index to make, keys for it, and ways to use it.
 */
abstract class KeyIndexFixture {
    /** Makes an empty index. The contract closes it. */
    protected abstract KeyIndex newIndex(KeyIndexContext context) throws IOException;

    /**
     * Makes an empty index that may take about {@code maxBytes} of memory, and says so when it needs more. Without such an
     * index the contract cannot prove what a full one does, and says that it did not.
     *
     * @return null if the index cannot be limited
     */
    protected @Nullable KeyIndex newLimitedIndex(KeyIndexContext context, long maxBytes) throws IOException {
        return null;
    }

    /** Makes an index over these keys with a fixed seed. */
    final KeyIndex open(IndexedKeys keys) throws IOException {
        return newIndex(new KeyIndexContext(0, 0, 0x5EED, keys));
    }

    /** Returns the seed of the random tests: the one asked for, or a new one. */
    static long seed() {
        Long asked = Long.getLong("caskwright.seed");
        return asked == null ? System.nanoTime() : asked;
    }

    /** Returns keys 0, 1, 2 … in words of different lengths. */
    static IndexedKeys numberedKeys(int count) {
        byte[][] all = new byte[count][];
        for (int i = 0; i < count; i++) {
            all[i] = bytes("key-" + "x".repeat(i % 13) + i);
        }
        return new IndexedKeys(all);
    }

    static byte[] bytes(String text) {
        return text.getBytes(StandardCharsets.UTF_8);
    }

    static long get(KeyIndex index, byte[] key) throws IOException {
        return index.get(key, 0, key.length);
    }

    static long put(KeyIndex index, IndexedKeys keys, int number, long version) throws IOException {
        byte[] key = keys.key(number);
        return index.put(key, 0, key.length, IndexedKeys.locator(number, version));
    }

    static boolean remove(KeyIndex index, IndexedKeys keys, int number, long version) throws IOException {
        byte[] key = keys.key(number);
        return index.remove(key, 0, key.length, IndexedKeys.locator(number, version));
    }

    /** Waits for the task and throws what it threw. */
    static <T> T join(Future<T> task) throws Exception {
        try {
            return task.get();
        } catch (ExecutionException e) {
            if (e.getCause() instanceof Error error) {
                throw error;
            }
            throw e;
        }
    }

    static void shutDown(ExecutorService threads) throws InterruptedException {
        threads.shutdownNow();
        assertThat(threads.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
    }

    static IndexedKeys keys(String... texts) {
        return new IndexedKeys(Arrays.stream(texts).map(KeyIndexFixture::bytes).toArray(byte[][]::new));
    }

    static long candidate(KeyIndex index, byte[] key) throws IOException {
        return index.candidate(key, 0, key.length);
    }

    static byte[] randomBytes(Random random, int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    static void inParallel(int threads, Task task) throws Exception {
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        CyclicBarrier start = new CyclicBarrier(threads);
        try {
            List<Future<?>> running = new ArrayList<>();
            for (int i = 0; i < threads; i++) {
                int number = i;
                running.add(executor.submit(() -> {
                    start.await();
                    task.run(number);
                    return null;
                }));
            }
            for (Future<?> each : running) {
                join(each);
            }
        } finally {
            shutDown(executor);
        }
    }

    /** Changes the index and the model alike, and compares the answers. */
    static void changeAndCheck(
            KeyIndex index, IndexedKeys keys, long[] model, int number, long version, int kind, String story)
            throws IOException {
        byte[] padded = new byte[keys.key(number).length + 5];
        int length = keys.key(number).length;
        System.arraycopy(keys.key(number), 0, padded, 3, length);
        long next = IndexedKeys.locator(number, version);
        long present = model[number];
        boolean guess = version % 4 != 0;
        long expected = guess && present != KeyIndex.ABSENT ? present : IndexedKeys.locator(number, version + 1);
        switch (kind) {
            case 0 -> {
                assertThat(index.put(padded, 3, length, next)).as(story).isEqualTo(present);
                model[number] = next;
            }
            case 1 -> {
                assertThat(index.putIfAbsent(padded, 3, length, next)).as(story).isEqualTo(present);
                model[number] = present == KeyIndex.ABSENT ? next : present;
            }
            case 2 -> {
                assertThat(index.replace(padded, 3, length, expected, next))
                        .as(story)
                        .isEqualTo(expected == present);
                model[number] = expected == present ? next : present;
            }
            case 3 -> {
                assertThat(index.remove(padded, 3, length, expected)).as(story).isEqualTo(expected == present);
                model[number] = expected == present ? KeyIndex.ABSENT : present;
            }
            default -> assertThat(index.get(padded, 3, length)).as(story).isEqualTo(present);
        }
    }

    static void assertMatches(KeyIndex index, IndexedKeys keys, long[] model, String story) throws IOException {
        for (int i = 0; i < model.length; i++) {
            assertThat(get(index, keys.key(i))).as(story).isEqualTo(model[i]);
        }
        assertThat(index.size())
                .as(story)
                .isEqualTo(Arrays.stream(model)
                        .filter(locator -> locator != KeyIndex.ABSENT)
                        .count());
    }

    @FunctionalInterface
    interface Task {
        void run(int thread) throws Exception;
    }
}
