package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.EnumSet;
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
 * Opens a store that another JVM filled and closed, or was killed over (kill -9). With {@code -wi 0} it is the first open of
 * a new JVM, with warm-up iterations that of a warmed one. The files are in the page cache.
 *
 * <pre>{@code
 * ./caskwright bench jmh OpenBenchmark -wi 0 -f 5 -p keys=1000000,10000000
 * ./caskwright bench jmh OpenBenchmark -wi 5 -i 10 -f 1
 * }</pre>
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(5)
@Warmup(iterations = 0)
@Measurement(iterations = 1)
public class OpenBenchmark {
    /** How the store was left. */
    public enum Left {
        /** It was closed. */
        CLOSED,
        /** Its process was killed. */
        KILLED
    }

    /** A store on disk, filled by another process. */
    @State(Scope.Benchmark)
    public static class LeftStore {
        /** Which store. */
        @Param({"HASHMAP_MMAP", "HASHMAP_STANDARD", "COMPACT_MMAP", "ROCKSDB", "LMDB", "CHRONICLE"})
        public Contender contender = Contender.HASHMAP_MMAP;

        /** How many keys it holds. */
        @Param("1000000")
        public int keys;

        /** Bytes of a value. */
        @Param("100")
        public int valueSize;

        /** How it was left. */
        @Param
        public Left left = Left.CLOSED;

        private @Nullable Path directory;
        private @Nullable KeyValueStore opened;

        /** Lets another JVM fill the store; again before each measurement where it is killed. */
        @Setup(Level.Iteration)
        public void fill() throws IOException, InterruptedException {
            if (directory != null) {
                return;
            }
            directory = Files.createTempDirectory("caskwright-benchmark-");
            ChildJvm.Step step = new ChildJvm.Step(
                    left == Left.CLOSED ? ChildMain.Task.FILL_AND_CLOSE : ChildMain.Task.FILL_AND_WAIT,
                    contender.id(),
                    keys,
                    valueSize,
                    Durability.WRITE,
                    EnumSet.of(Work.OPEN),
                    1);
            ChildJvm.prepare(step, directory);
        }

        /** Closes what was opened, and deletes a store that was killed, since it is no longer one. */
        @TearDown(Level.Iteration)
        public void close() throws IOException {
            if (opened != null) {
                opened.close();
            }
            if (left == Left.KILLED) {
                delete();
            }
        }

        /** Deletes the store. */
        @TearDown(Level.Trial)
        public void delete() throws IOException {
            if (directory != null) {
                SideFiles.deleteTree(directory);
                directory = null;
            }
        }

        byte @Nullable [] openAndGet() throws IOException {
            if (directory == null) {
                throw new IllegalStateException("not set up");
            }
            opened = contender.open(directory.resolve("store"), new StoreOptions(Durability.WRITE, keys, valueSize));
            return opened.get(new Dataset(keys, valueSize).key(0));
        }
    }

    /** Opens the store and gets a key. */
    @Benchmark
    public byte @Nullable [] open(LeftStore state) throws IOException {
        return state.openAndGet();
    }
}
