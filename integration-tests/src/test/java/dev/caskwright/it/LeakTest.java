package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** After many cycles of opening, writing, merging and closing: as many descriptors, mappings and threads as after few. */
final class LeakTest {
    private static final Path PROCESS = Path.of("/proc/self");
    private static final int WARM_UP = 20;

    @TempDir
    private Path temporary;

    static List<Combination> combinations() {
        return List.of(
                new Combination("hashmap", "standard", "standard"),
                new Combination("hashmap", "mmap", "mmap"),
                new Combination("compact", "standard", "mmap"),
                new Combination("btree", "mmap", "standard"));
    }

    @ParameterizedTest
    @MethodSource("combinations")
    void nothingLeaks(Combination combination) throws Exception {
        cycle(combination, 60);
    }

    @ParameterizedTest
    @MethodSource("combinations")
    @Tag("campaign")
    void nothingLeaksInManyCycles(Combination combination) throws Exception {
        cycle(combination, Integer.getInteger("caskwright.leak.cycles", 1_000));
    }

    private void cycle(Combination combination, int cycles) throws Exception {
        assumeTrue(Files.isDirectory(PROCESS.resolve("fd")), "counts what Linux shows of the process");
        List<WeakReference<BitcaskEngine>> engines = new ArrayList<>();
        long files = 0;
        for (int i = 0; i < cycles; i++) {
            engines.add(new WeakReference<>(live(combination, i)));
            if (i == WARM_UP) {
                files = openFiles();
            }
            if (i % 250 == 249) {
                System.out.println("leak campaign: " + combination + ", cycles=" + (i + 1) + ", open files now="
                        + openFiles() + ", after " + WARM_UP + " cycles=" + files);
            }
        }
        assertThat(openFiles()).as("open files of %s", combination).isLessThanOrEqualTo(files);
        assertThat(mappings()).as("mappings of %s", combination).isZero();
        assertThat(threads()).as("threads of %s", combination).isEmpty();
        for (int i = 0; i < 20 && reachable(engines) > 0; i++) {
            System.gc();
        }
        assertThat(reachable(engines)).as("closed engines still reachable").isZero();
    }

    private BitcaskEngine live(Combination combination, int cycle) throws IOException {
        BitcaskEngine engine = combination.builder(temporary).open();
        for (int i = 0; i < 60; i++) {
            engine.put(KeyValues.key((cycle + i) % 80), new byte[100]);
            engine.delete(KeyValues.key(i));
        }
        engine.visit(entry -> true);
        engine.snapshot().close();
        engine.merge();
        engine.close();
        return engine;
    }

    /** The least of several counts: the JVM opens files of its own for a moment, those of its container's limits. */
    private static long openFiles() throws IOException {
        long least = Long.MAX_VALUE;
        for (int i = 0; i < 10; i++) {
            try (Stream<Path> descriptors = Files.list(PROCESS.resolve("fd"))) {
                least = Math.min(least, descriptors.count());
            }
        }
        return least;
    }

    private long mappings() throws IOException {
        // A buffer that was dropped and not yet collected would hide a leak no better than it hides itself.
        for (int i = 0; i < 20 && countMappings() > 0; i++) {
            System.gc();
        }
        return countMappings();
    }

    private long countMappings() throws IOException {
        try (Stream<String> lines = Files.lines(PROCESS.resolve("maps"))) {
            return lines.filter(line -> line.contains(temporary.toString())).count();
        }
    }

    private static long reachable(List<WeakReference<BitcaskEngine>> engines) {
        return engines.stream().filter(each -> each.get() != null).count();
    }

    /** Returns the engine's threads that do not end: one that has done its last work may take a moment to be gone. */
    private static List<Thread> threads() throws InterruptedException {
        List<Thread> threads = Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().startsWith("caskwright"))
                .toList();
        for (Thread thread : threads) {
            thread.join(60_000); // those of a store that another test forgot end when they are idle
        }
        return threads.stream().filter(Thread::isAlive).toList();
    }
}
