package dev.caskwright.benchmarks;

import java.io.IOException;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Gets and puts while a thread overwrites a fifth of the keys and merges, over and over. Sampled times of a closed loop
 * hide waiting; for latency at a fixed rate see {@link Bench}.
 *
 * <pre>{@code
 * ./caskwright bench jmh MergeBenchmark -p contender=HASHMAP_MMAP,COMPACT_MMAP,ROCKSDB
 * }</pre>
 */
@BenchmarkMode({Mode.Throughput, Mode.SampleTime})
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MergeBenchmark {
    /** A store that is merged all the time. */
    public static class MergedStore extends StoreState {
        private final AtomicBoolean done = new AtomicBoolean();
        private @Nullable ExecutorService executor;
        private @Nullable Future<?> merger;

        /** Fills the store and starts merging. */
        @Override
        @Setup(Level.Trial)
        public void setUp() throws IOException {
            super.setUp();
            done.set(false);
            executor = Executors.newSingleThreadExecutor();
            merger = executor.submit(() -> {
                byte[] key = new byte[Dataset.KEY_SIZE];
                byte[] value = new byte[valueSize];
                for (long i = 0; !done.get(); i++) {
                    put(i % keys, key, value);
                    if (i % (keys / 5) == 0) {
                        store().merge();
                    }
                }
                return null;
            });
        }

        /** Stops merging, before the store is closed. */
        @Override
        @TearDown(Level.Trial)
        public void tearDown() throws IOException {
            done.set(true);
            try {
                if (merger != null) {
                    merger.get();
                }
            } catch (InterruptedException e) {
                Thread.currentThread().interrupt();
            } catch (ExecutionException e) {
                throw new IOException("a merge failed", e.getCause());
            } finally {
                if (executor != null) {
                    executor.shutdown();
                }
                super.tearDown();
            }
        }
    }

    /** Gets a key. */
    @Benchmark
    public byte @Nullable [] get(MergedStore state, StoreState.Walker walker) throws IOException {
        state.data().key(walker.next(), walker.key);
        return state.store().get(walker.key);
    }

    /** Puts a key. */
    @Benchmark
    public void put(MergedStore state, StoreState.Walker walker) throws IOException {
        state.put(walker.next(), walker.key, walker.value);
    }
}
