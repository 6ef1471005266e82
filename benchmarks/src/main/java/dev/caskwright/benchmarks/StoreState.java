package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import org.jspecify.annotations.Nullable;
import org.openjdk.jmh.annotations.Level;
import org.openjdk.jmh.annotations.Param;
import org.openjdk.jmh.annotations.Scope;
import org.openjdk.jmh.annotations.Setup;
import org.openjdk.jmh.annotations.State;
import org.openjdk.jmh.annotations.TearDown;

/** A store in a temporary directory, filled before a trial and gone after it. Shared by all threads of a benchmark. */
@State(Scope.Benchmark)
public class StoreState {
    private static final int NUMBERS = 1 << 20;

    /** Which store. */
    @Param({"HASHMAP_MMAP", "HASHMAP_STANDARD", "COMPACT_MMAP", "ROCKSDB", "LMDB", "CHRONICLE", "MAPDB_HASH", "HEAP_MAP"
    })
    public Contender contender = Contender.HASHMAP_MMAP;

    /** How many keys it holds. */
    @Param("1000000")
    public int keys;

    /** Bytes of a value: 100, 1024, 16384. */
    @Param("100")
    public int valueSize;

    private @Nullable Path directory;
    private @Nullable KeyValueStore store;
    private @Nullable Dataset data;

    /** Opens and fills the store. */
    @Setup(Level.Trial)
    public void setUp() throws IOException {
        directory = Files.createTempDirectory("caskwright-benchmark-");
        data = new Dataset(keys, valueSize);
        store = contender.open(directory.resolve("store"), options());
        byte[] key = new byte[Dataset.KEY_SIZE];
        byte[] value = new byte[valueSize];
        for (int i = 0; i < preload(); i++) {
            put(i, key, value);
        }
        store.settle();
    }

    /** Closes the store and deletes it. */
    @TearDown(Level.Trial)
    public void tearDown() throws IOException {
        store().close();
        SideFiles.deleteTree(checked(directory));
    }

    /** How many keys are put before the trial. */
    int preload() {
        return keys;
    }

    Durability durability() {
        return Durability.WRITE;
    }

    StoreOptions options() {
        return new StoreOptions(durability(), keys, valueSize);
    }

    KeyValueStore store() {
        return checked(store);
    }

    Dataset data() {
        return checked(data);
    }

    void put(long number, byte[] key, byte[] value) throws IOException {
        data().key(number, key);
        data().value(number, 0, value);
        store().put(key, value);
    }

    private static <T> T checked(@Nullable T made) {
        if (made == null) {
            throw new IllegalStateException("not set up");
        }
        return made;
    }

    /** What a thread of a benchmark has for itself: a sequence of key numbers, and buffers. */
    @State(Scope.Thread)
    public static class Walker {
        /** How often each key is asked for. */
        @Param("UNIFORM")
        public Distribution distribution = Distribution.UNIFORM;

        final byte[] key = new byte[Dataset.KEY_SIZE];
        byte[] value = new byte[0];
        ByteBuffer target = ByteBuffer.allocate(0);
        private int[] numbers = new int[0];
        private int next;

        /** Draws the numbers. */
        @Setup(Level.Trial)
        public void setUp(StoreState state) {
            numbers = distribution.numbers(
                    state.keys, NUMBERS, Thread.currentThread().getId());
            value = new byte[state.valueSize];
            target = ByteBuffer.allocate(state.valueSize);
        }

        int next() {
            next = (next + 1) & (NUMBERS - 1);
            return numbers[next];
        }
    }
}
