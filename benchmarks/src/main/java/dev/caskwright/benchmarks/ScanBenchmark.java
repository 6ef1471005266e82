package dev.caskwright.benchmarks;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Warmup;

/**
 * A full scan, and ranges of 100 entries where there is an order; every byte of every value is read.
 *
 * <pre>{@code
 * ./caskwright bench jmh ScanBenchmark.scan
 * ./caskwright bench jmh ScanBenchmark.range -p contender=BTREE_MMAP,LMDB,ROCKSDB,MAPDB_TREE
 * }</pre>
 */
@BenchmarkMode(Mode.AverageTime)
@OutputTimeUnit(TimeUnit.MICROSECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class ScanBenchmark {
    private static final int LIMIT = 100;

    /** Reads everything. */
    @Benchmark
    public long scan(StoreState state) throws IOException {
        return state.store().scan().checksum();
    }

    /** Reads 100 entries in order. */
    @Benchmark
    public long range(StoreState state, StoreState.Walker walker) throws IOException {
        state.data().key(walker.next(), walker.key);
        return state.store().range(walker.key, LIMIT).checksum();
    }
}
