package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Puts that are forced to the disk before they return (SYNC), by 1 to 64 threads. On a disk, not on tmpfs.
 *
 * <pre>{@code
 * ./caskwright bench jmh DurablePutBenchmark -p contender=HASHMAP_MMAP,HASHMAP_STANDARD,ROCKSDB,LMDB
 * }</pre>
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(3)
@Warmup(iterations = 2, time = 1)
@Measurement(iterations = 5, time = 1)
public class DurablePutBenchmark {
    /** An empty store whose every put is forced. */
    public static class SyncStore extends StoreState {
        @Override
        int preload() {
            return 0;
        }

        @Override
        Durability durability() {
            return Durability.SYNC;
        }
    }

    /** Puts by one thread. */
    @Benchmark
    @Threads(1)
    public void put1(SyncStore state, StoreState.Walker walker) throws IOException {
        state.put(walker.next(), walker.key, walker.value);
    }

    /** Puts by 4 threads. */
    @Benchmark
    @Threads(4)
    public void put4(SyncStore state, StoreState.Walker walker) throws IOException {
        state.put(walker.next(), walker.key, walker.value);
    }

    /** Puts by 16 threads. */
    @Benchmark
    @Threads(16)
    public void put16(SyncStore state, StoreState.Walker walker) throws IOException {
        state.put(walker.next(), walker.key, walker.value);
    }

    /** Puts by 64 threads. */
    @Benchmark
    @Threads(64)
    public void put64(SyncStore state, StoreState.Walker walker) throws IOException {
        state.put(walker.next(), walker.key, walker.value);
    }
}
