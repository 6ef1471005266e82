package dev.caskwright.benchmarks;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Single gets and puts on a filled store.
 *
 * <pre>{@code
 * ./caskwright bench jmh OperationBenchmark.get -t 1 -p contender=HASHMAP_MMAP,LMDB,ROCKSDB
 * ./caskwright bench jmh OperationBenchmark -t 2 -p distribution=UNIFORM,ZIPF -p valueSize=100,1024,16384
 * ./caskwright bench jmh OperationBenchmark.getInto -prof gc
 * }</pre>
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class OperationBenchmark {
    /** Gets a key that is there. */
    @Benchmark
    public byte @Nullable [] get(StoreState state, StoreState.Walker walker) throws IOException {
        state.data().key(walker.next(), walker.key);
        return state.store().get(walker.key);
    }

    /** Gets a key that is there into a buffer. */
    @Benchmark
    public int getInto(StoreState state, StoreState.Walker walker) throws IOException {
        state.data().key(walker.next(), walker.key);
        return state.store().getInto(walker.key, walker.target.clear());
    }

    /** Gets a key that is not there. */
    @Benchmark
    public byte @Nullable [] miss(StoreState state, StoreState.Walker walker) throws IOException {
        state.data().key(state.keys + (long) walker.next(), walker.key);
        return state.store().get(walker.key);
    }

    /** Puts a key that is there. */
    @Benchmark
    public void overwrite(StoreState state, StoreState.Walker walker) throws IOException {
        state.put(walker.next(), walker.key, walker.value);
    }
}
