package dev.caskwright.benchmarks;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.function.IntFunction;

/** Runs an operation for a time and counts. */
final class Throughput {
    /** Operations between two looks at the clock: enough to make the clock cheap, few enough for slow operations. */
    private static final int BATCH = 32;

    private Throughput() {}

    /** An operation on the key of a number; returns something that depends on the bytes. */
    @FunctionalInterface
    interface Operation {
        long run(int number) throws IOException;
    }

    /**
     * Runs the operation of each thread for about {@code seconds} and returns operations a second, all threads together.
     *
     * @param operations makes the operation of a thread, which is not shared
     * @param numbers key numbers of each thread, gone through again and again
     * @param batch operations between two looks at the clock
     */
    static double measure(
            int threads, double seconds, int batch, IntFunction<Operation> operations, IntFunction<int[]> numbers)
            throws IOException {
        long nanos = (long) (seconds * 1e9);
        if (threads == 1) {
            long start = System.nanoTime();
            long count = loop(operations.apply(0), numbers.apply(0), start + nanos, batch);
            return count * 1e9 / (System.nanoTime() - start);
        }
        CountDownLatch ready = new CountDownLatch(threads);
        ExecutorService executor = Executors.newFixedThreadPool(threads);
        try {
            long[] start = new long[threads];
            List<Future<Long>> counts = new ArrayList<>();
            for (int thread = 0; thread < threads; thread++) {
                int number = thread;
                Operation operation = operations.apply(thread);
                int[] mine = numbers.apply(thread);
                counts.add(executor.submit(() -> {
                    ready.countDown();
                    ready.await();
                    start[number] = System.nanoTime();
                    return loop(operation, mine, start[number] + nanos, batch);
                }));
            }
            long total = 0;
            for (Future<Long> count : counts) {
                total += count.get();
            }
            long end = System.nanoTime();
            long first = start[0];
            for (long each : start) {
                first = Math.min(first, each);
            }
            return total * 1e9 / (end - first);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IOException("interrupted while measuring", e);
        } catch (ExecutionException e) {
            throw new IOException("a measuring thread failed", e.getCause());
        } finally {
            executor.shutdownNow();
        }
    }

    static double measure(int threads, double seconds, IntFunction<Operation> operations, IntFunction<int[]> numbers)
            throws IOException {
        return measure(threads, seconds, BATCH, operations, numbers);
    }

    private static long loop(Operation operation, int[] numbers, long deadline, int batch) throws IOException {
        long count = 0;
        long sum = 0;
        int next = 0;
        do {
            for (int i = 0; i < batch; i++) {
                sum += operation.run(numbers[next]);
                next = next + 1 == numbers.length ? 0 : next + 1;
            }
            count += batch;
        } while (System.nanoTime() < deadline);
        Sink.sum = sum;
        return count;
    }
}
