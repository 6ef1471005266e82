package dev.caskwright.cache.caffeine;

import dev.caskwright.api.CacheStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.io.SideFiles;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.Random;

/**
 * Measures what docs/value-cache.md says: gets with a cache beside gets without, in turns, over standard file IO; a minute or two:
 *
 * <pre>
 * ./mvnw -q -pl cache-caffeine -am test-compile dependency:build-classpath -Dmdep.outputFile=target/classpath
 * java -XX:+UseSerialGC -Xmx1g -cp cache-caffeine/target/test-classes:cache-caffeine/target/classes:$(cat cache-caffeine/target/classpath) \
 *   dev.caskwright.cache.caffeine.CacheFigures DIRECTORY
 * </pre>
 *
 * <p>200,000 keys of 16 bytes, 10,000 of them hot, and a cache for 13,000. The limits are a read call of as many bytes as a record, which
 * a hit spares, the index alone, which it does not, and a cache that knows where each value is: gets of hot keys are a look into the index and
 * a copy from an array, others go to the store without a cache. Times are processor time of the one thread that works, which others on the machine make little longer. What is
 * made in the directory is deleted again.
 */
public final class CacheFigures {
    private static final int ROUNDS = Integer.getInteger("caskwright.figures.rounds", 9);
    private static final int WARM_UP = 3;
    private static final int KEYS = 200_000;
    private static final int HOT = 10_000;
    private static final int CACHED = 13_000;
    private static final int GETS = 200_000;
    private static final int[] LENGTHS = {100, 1024, 4096};
    private static final double[] SHARES = {0.9, 0.5, 0.05};
    private static final int OVERHEAD = 176;
    private static final int KEY = 16;
    private static final ThreadMXBean THREADS = ManagementFactory.getThreadMXBean();

    private CacheFigures() {}

    /** Measures, and prints a table. */
    public static void main(String[] arguments) throws Exception {
        if (arguments.length != 1) {
            throw new IllegalArgumentException("needs a directory");
        }
        StringBuilder table = new StringBuilder(String.format(
                Locale.ROOT,
                "%-6s %8s %12s %12s %8s %12s %12s %12s %8s%n",
                "value",
                "hit rate",
                "with, µs",
                "without, µs",
                "times",
                "read, µs",
                "index, µs",
                "array, µs",
                "times"));
        for (int length : LENGTHS) {
            Path directory = Files.createTempDirectory(Path.of(arguments[0]), "figures");
            measure(directory, length, table);
            SideFiles.deleteTree(directory);
        }
        System.out.print(table);
    }

    private static void measure(Path directory, int length, StringBuilder table) throws IOException {
        EngineBuilder cached = BitcaskEngine.builder(directory.resolve("cached"))
                .valueCache(CaffeineValueCache.withMaxBytes((long) CACHED * (OVERHEAD + KEY + length)));
        EngineBuilder plain = BitcaskEngine.builder(directory.resolve("plain"));
        Path raw = directory.resolve("raw");
        Files.write(raw, new byte[HOT * (length + 2 * KEY)]);
        try (StorageEngine with = cached.open();
                StorageEngine without = plain.open();
                FileChannel file = FileChannel.open(raw, StandardOpenOption.READ)) {
            fill(with, length);
            fill(without, length);
            byte[][] hot = new byte[HOT][];
            for (int i = 0; i < HOT; i++) {
                hot[i] = without.get(key(i));
            }
            for (double share : SHARES) {
                double[][] micros = new double[5][ROUNDS];
                CacheStats before = with.stats().cache();
                for (int round = -WARM_UP; round < ROUNDS; round++) {
                    double[] found = {
                        gets(with, share, length, round),
                        gets(without, share, length, round),
                        reads(file, length, round),
                        lookups(without, share, round),
                        copies(without, hot, share, length, round)
                    };
                    for (int i = 0; i < found.length && round >= 0; i++) {
                        micros[i][round] = found[i];
                    }
                    before = round < 0 ? with.stats().cache() : before;
                }
                CacheStats after = with.stats().cache();
                double hits = after.hits() - before.hits();
                double rate = hits / (hits + after.misses() - before.misses());
                table.append(String.format(
                        Locale.ROOT,
                        "%-6d %8.2f %12.2f %12.2f %8.2f %12.2f %12.2f %12.2f %8.2f%n",
                        length,
                        rate,
                        median(micros[0]),
                        median(micros[1]),
                        median(micros[1]) / median(micros[0]),
                        median(micros[2]),
                        median(micros[3]),
                        median(micros[4]),
                        median(micros[1]) / median(micros[4])));
            }
        }
    }

    private static void fill(StorageEngine engine, int length) throws IOException {
        Random random = new Random(1);
        byte[] value = new byte[length];
        for (int i = 0; i < KEYS; i++) {
            random.nextBytes(value);
            engine.put(key(i), value);
        }
    }

    private static int next(Random random, double share) {
        return random.nextDouble() < share ? random.nextInt(HOT) : random.nextInt(KEYS);
    }

    private static double gets(StorageEngine engine, double share, int length, int round) throws IOException {
        Random random = new Random(round);
        long start = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < GETS; i++) {
            if (engine.get(key(next(random, share))).length != length) {
                throw new IllegalStateException("wrong value");
            }
        }
        return micros(start);
    }

    private static double reads(FileChannel file, int length, int round) throws IOException {
        Random random = new Random(round);
        ByteBuffer buffer = ByteBuffer.allocateDirect(length + 2 * KEY);
        long start = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < GETS; i++) {
            buffer.clear();
            if (file.read(buffer, (long) random.nextInt(HOT) * buffer.capacity()) != buffer.capacity()) {
                throw new IllegalStateException("short read");
            }
        }
        return micros(start);
    }

    private static double lookups(StorageEngine engine, double share, int round) throws IOException {
        Random random = new Random(round);
        long start = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < GETS; i++) {
            if (!engine.contains(key(next(random, share)))) {
                throw new IllegalStateException("lost");
            }
        }
        return micros(start);
    }

    /** Gets with the best cache that there can be. */
    private static double copies(StorageEngine engine, byte[][] hot, double share, int length, int round)
            throws IOException {
        Random random = new Random(round);
        long start = THREADS.getCurrentThreadCpuTime();
        for (int i = 0; i < GETS; i++) {
            int next = next(random, share);
            byte[] key = key(next);
            byte[] value = next < HOT && engine.contains(key) ? hot[next].clone() : engine.get(key);
            if (value.length != length) {
                throw new IllegalStateException("wrong value");
            }
        }
        return micros(start);
    }

    private static double micros(long start) {
        return (THREADS.getCurrentThreadCpuTime() - start) / 1000.0 / GETS;
    }

    private static byte[] key(int number) {
        return ByteBuffer.allocate(KEY)
                .putLong(0x6b6579206b657920L)
                .putLong(number)
                .array();
    }

    private static double median(double[] all) {
        Arrays.sort(all);
        return all[all.length / 2];
    }
}
