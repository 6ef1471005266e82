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
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.Threads;
import org.openjdk.jmh.annotations.Warmup;

/**
 * Gets and puts mixed, by two threads.
 *
 * <pre>{@code
 * ./caskwright bench jmh MixBenchmark -p distribution=ZIPF,UNIFORM -p putPercent=5,50
 * }</pre>
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(3)
@Threads(2)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
public class MixBenchmark {
    private static final int PERCENT = 100;

    /** Whose turn it is. */
    @State(Scope.Thread)
    public static class Turn {
        /** How many of a hundred operations are puts. */
        @Param({"5", "50"})
        public int putPercent;

        private int turn;

        boolean isPut() {
            turn = (turn + 37) % PERCENT; // 37 shares no factor with 100: all residues come in turn
            return turn < putPercent;
        }
    }

    /** Does the next operation of the mix. */
    @Benchmark
    public byte @Nullable [] mix(StoreState state, StoreState.Walker walker, Turn turn) throws IOException {
        int number = walker.next();
        if (turn.isPut()) {
            state.put(number, walker.key, walker.value);
            return walker.value;
        }
        state.data().key(number, walker.key);
        return state.store().get(walker.key);
    }
}
