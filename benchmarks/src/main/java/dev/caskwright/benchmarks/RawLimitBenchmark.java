package dev.caskwright.benchmarks;

import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Benchmark;
import org.openjdk.jmh.annotations.BenchmarkMode;
import org.openjdk.jmh.annotations.Fork;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Measurement;
import org.openjdk.jmh.annotations.Mode;
import org.openjdk.jmh.annotations.OutputTimeUnit;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;
import org.openjdk.jmh.annotations.Warmup;

/**
 * What the machine can do without any store.
 *
 * <pre>{@code
 * ./caskwright bench jmh RawLimitBenchmark
 * ./caskwright bench jmh RawLimitBenchmark -p limit=READ,LOOKUP_READ -p distribution=ZIPF
 * }</pre>
 */
@BenchmarkMode(Mode.Throughput)
@OutputTimeUnit(TimeUnit.SECONDS)
@Fork(3)
@Warmup(iterations = 3, time = 1)
@Measurement(iterations = 5, time = 1)
@State(Scope.Benchmark)
public class RawLimitBenchmark {
    /** Which limit. */
    @Param
    public RawLimit limit = RawLimit.READ;

    /** How many records the file holds for reads and mapped appends. */
    @Param("1000000")
    public int records;

    /** Which records are read how often. */
    @Param("UNIFORM")
    public Distribution distribution = Distribution.UNIFORM;

    private int[] numbers = new int[0];
    private int next;
    private @Nullable Path file;
    private RawLimit.@Nullable Operation operation;

    /** Makes the file. */
    @Setup(Level.Trial)
    public void setUp() throws IOException {
        file = Files.createTempFile("caskwright-benchmark-", ".raw");
        numbers = distribution.numbers(records, records, 1);
        operation = limit.open(file, records);
    }

    /** Deletes the file. */
    @TearDown(Level.Trial)
    public void tearDown() throws IOException {
        if (operation != null && file != null) {
            operation.close();
            Files.delete(file);
        }
    }

    /** Does it once. */
    @Benchmark
    public long run() throws IOException {
        RawLimit.Operation made = operation;
        if (made == null) {
            throw new IllegalStateException("not set up");
        }
        next = next + 1 == numbers.length ? 0 : next + 1;
        return made.run(numbers[next]);
    }
}
