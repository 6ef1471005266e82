package dev.caskwright.benchmarks;

import dev.caskwright.api.Durability;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.io.SideFiles;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Locale;
import java.util.Random;
import org.jspecify.annotations.Nullable;

/**
 * Many keys in one call beside as many single gets, of the same random keys of the same store, in rounds that take turns:
 * {@code java -cp ... dev.caskwright.benchmarks.MultiGet [contender] [keys]}. Prints medians.
 */
public final class MultiGet {
    private static final int[] SIZES = {1, 4, 16, 64, 256};
    private static final int ROUNDS = 21;
    private static final int WARM_UP = 8;
    private static final int BLOCKS = 8;
    private static final int CALLS = 1 << 13; // keys asked for in a block
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();
    private static final int VALUE_SIZE = 100;

    private MultiGet() {}

    /** Runs it. */
    public static void main(String[] arguments) throws IOException {
        Contender contender = Contender.of(arguments.length > 0 ? arguments[0] : "hashmap-mmap");
        int keys = arguments.length > 1 ? Integer.parseInt(arguments[1]) : 1_000_000;
        Path directory = Files.createTempDirectory("caskwright-multiget-");
        try (CaskwrightStore store = (CaskwrightStore)
                contender.open(directory.resolve("store"), new StoreOptions(Durability.WRITE, keys, VALUE_SIZE))) {
            Dataset data = new Dataset(keys, VALUE_SIZE);
            byte[] key = new byte[Dataset.KEY_SIZE];
            byte[] value = new byte[VALUE_SIZE];
            for (int i = 0; i < keys; i++) {
                data.key(i, key);
                data.value(i, 0, value);
                store.put(key, value);
            }
            store.settle();
            for (int size : SIZES) {
                compare(store.engine(), data, keys, size, WARM_UP);
            }
            for (int size : SIZES) {
                System.out.println(compare(store.engine(), data, keys, size, ROUNDS));
            }
        } finally {
            SideFiles.deleteTree(directory);
        }
    }

    /** Measures the time of the processor, so that what else the machine does counts less. */
    private static String compare(StorageEngine engine, Dataset data, int keys, int size, int rounds)
            throws IOException {
        double[] single = new double[rounds];
        double[] together = new double[rounds];
        Random random = new Random(7);
        byte[][][] asked = new byte[CALLS / size][size][Dataset.KEY_SIZE];
        for (int round = 0; round < rounds; round++) {
            double one = 0;
            double all = 0;
            for (int block = 0; block < BLOCKS; block++) {
                draw(random, data, keys, asked);
                long start = THREADS.getCurrentThreadCpuTime();
                for (byte[][] call : asked) {
                    check(singly(engine, call));
                }
                one += THREADS.getCurrentThreadCpuTime() - start;
                draw(random, data, keys, asked);
                start = THREADS.getCurrentThreadCpuTime();
                for (byte[][] call : asked) {
                    check(engine.getAll(call));
                }
                all += THREADS.getCurrentThreadCpuTime() - start;
            }
            single[round] = one / (BLOCKS * CALLS);
            together[round] = all / (BLOCKS * CALLS);
        }
        double a = Spread.of(single).median();
        double b = Spread.of(together).median();
        return String.format(
                Locale.ROOT, "%d keys a call: single %.0f ns a key, together %.0f ns, %.2f times", size, a, b, a / b);
    }

    private static byte[] @Nullable [] singly(StorageEngine engine, byte[][] asked) throws IOException {
        byte[] @Nullable [] values = new byte[asked.length][];
        for (int i = 0; i < asked.length; i++) {
            values[i] = engine.get(asked[i]);
        }
        return values;
    }

    private static void draw(Random random, Dataset data, int keys, byte[][][] asked) {
        for (byte[][] call : asked) {
            for (byte[] key : call) {
                data.key(random.nextInt(keys), key);
            }
        }
    }

    private static void check(byte[] @Nullable [] values) throws IOException {
        for (byte[] value : values) {
            if (value == null || value.length != VALUE_SIZE) {
                throw new IOException("a key was lost");
            }
        }
    }
}
