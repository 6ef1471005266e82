package dev.caskwright.benchmarks;

import java.io.IOException;
import java.util.concurrent.TimeUnit;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Fills an empty store with random keys: the time of all puts.
 *
 * <pre>{@code
 * ./caskwright bench jmh FillBenchmark -p keys=1000000,10000000 -p valueSize=100,1024
 * }</pre>
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(5)
@Warmup(iterations = 1)
@Measurement(iterations = 3)
public class FillBenchmark {
    /** A store that is emptied before each fill. */
    public static class EmptyStore extends StoreState {
        @Override
        int preload() {
            return 0;
        }

        /** Replaces the filled store of the iteration before. */
        @Setup(Level.Iteration)
        public void empty() throws IOException {
            tearDown();
            setUp();
        }
    }

    /** Puts every key once. */
    @Benchmark
    public void fill(EmptyStore state) throws IOException {
        byte[] key = new byte[Dataset.KEY_SIZE];
        byte[] value = new byte[state.valueSize];
        for (int i = 0; i < state.keys; i++) {
            state.put(i, key, value);
        }
    }
}
