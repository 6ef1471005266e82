package dev.caskwright.benchmarks;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
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
 * What {@code startupIo} brings: opening a store that then runs on FileChannel, through one IO manager or the other, from
 * an image of the index, from hint files, or from neither, so that all records are read. The page cache is warm; for a cold one,
 * run {@code echo 3 > /proc/sys/vm/drop_caches} as root between fill and open, which this cannot do.
 *
 * <pre>{@code
 * ./caskwright bench jmh StartupIoBenchmark -p keys=1000000,10000000 -p index=hashmap,compact
 * }</pre>
 */
@BenchmarkMode(Mode.SingleShotTime)
@OutputTimeUnit(TimeUnit.MILLISECONDS)
@Fork(3)
@Warmup(iterations = 2)
@Measurement(iterations = 3)
public class StartupIoBenchmark {
    private static final int VALUE_SIZE = 100;

    /** A closed store. */
    @State(Scope.Benchmark)
    public static class ClosedStore {
        /** The IO manager to open with. */
        @Param({"standard", "mmap"})
        public String startupIo = "standard";

        /** The key index. */
        @Param("hashmap")
        public String index = "hashmap";

        /** What the index is made from: an image of it, hint files, or the records themselves. */
        @Param({"image", "hints", "data"})
        public String from = "image";

        /** How many keys it holds. */
        @Param("1000000")
        public int keys;

        private @Nullable Path directory;
        private @Nullable StorageEngine opened;

        /** Fills the store. */
        @Setup(Level.Trial)
        public void fill() throws IOException {
            directory = Files.createTempDirectory("caskwright-benchmark-");
            Dataset data = new Dataset(keys, VALUE_SIZE);
            byte[] key = new byte[Dataset.KEY_SIZE];
            byte[] value = new byte[VALUE_SIZE];
            try (StorageEngine engine = open()) {
                for (int i = 0; i < keys; i++) {
                    data.key(i, key);
                    data.value(i, 0, value);
                    engine.put(key, value);
                }
            }
        }

        /** Removes hint files, which the close before has made again. */
        @Setup(Level.Iteration)
        public void removeDerivedFiles() throws IOException {
            if (!from.equals("data")) {
                return;
            }
            List<Path> derived;
            try (Stream<Path> files = Files.list(directory())) {
                derived = files.filter(StartupIoBenchmark::isDerived).toList();
            }
            for (Path file : derived) {
                Files.delete(file);
            }
        }

        /** Closes what was opened. */
        @TearDown(Level.Iteration)
        public void close() throws IOException {
            if (opened != null) {
                opened.close();
            }
        }

        /** Deletes the store. */
        @TearDown(Level.Trial)
        public void delete() throws IOException {
            SideFiles.deleteTree(directory());
        }

        StorageEngine open() throws IOException {
            opened = BitcaskEngine.builder(directory())
                    .index(Backends.keyIndex(index))
                    .io(Backends.ioManager("standard"))
                    .startupIo(Backends.ioManager(startupIo))
                    .imageEveryBytes(from.equals("image") ? Long.MAX_VALUE : 0)
                    .open();
            return opened;
        }

        private Path directory() {
            if (directory == null) {
                throw new IllegalStateException("not set up");
            }
            return directory;
        }
    }

    private static boolean isDerived(Path file) {
        String name = file.getFileName().toString();
        return name.endsWith(".hint");
    }

    /** Opens the store. */
    @Benchmark
    public long open(ClosedStore state) throws IOException {
        return state.open().size();
    }
}
