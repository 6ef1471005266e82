package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/**
 * Real want of memory, at real allocations: a store shares 64 MiB of heap with something that fills it again and again. It
 * goes on with nothing lost, or says that it failed; and when there is memory again, everything works.
 */
final class HoggedHeapTest {
    private static final long SEED = 1;

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @CsvSource({"hashmap, standard, false", "compact, mmap, false", "btree, standard, true"})
    void aHeapThatRunsOutLosesNothing(String index, String io, boolean isEncrypted) throws Exception {
        run(index, io, isEncrypted, SEED, 2_000);
    }

    /** For {@code -Dcaskwright.hogged.millis} each. */
    @Test
    @Tag("campaign")
    void aHeapThatRunsOutLosesNothingForLonger() throws Exception {
        long millis = Long.getLong("caskwright.hogged.millis", 30_000);
        for (Combination each : Combination.all()) {
            if (!each.index().equals("offheap") && each.io().equals(each.startupIo())) {
                long seed = System.nanoTime();
                run(each.index(), each.io(), seed % 2 == 0, seed, millis);
            }
        }
    }

    private void run(String index, String io, boolean isEncrypted, long seed, long millis) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        HoggedHeap.class.getName(),
                        temporary.resolve(index + io).toString(),
                        index,
                        io,
                        Long.toString(seed),
                        Long.toString(millis),
                        Boolean.toString(isEncrypted))
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(said)
                .as("%s over %s, encrypted=%s, seed=%s", index, io, isEncrypted, seed)
                .endsWith("done\n");
    }
}
