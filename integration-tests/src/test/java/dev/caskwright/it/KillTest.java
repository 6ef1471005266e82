package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.testkit.KeyValues;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills a process that writes, as {@code kill -9} does, again and again: every write that it told about is there, and
 * nothing else but perhaps the next one. {@code -Dcaskwright.kill.cycles} sets how often the campaign kills.
 */
final class KillTest {
    private static final long SEED = 4711;

    @TempDir
    private Path temporary;

    private final Random random = new Random(SEED);

    @Test
    void aKilledProcessLosesNothingAcknowledged() throws Exception {
        kill("standard", 8);
        kill("mmap", 8);
    }

    @Test
    @Tag("campaign")
    void manyKilledProcessesLoseNothingAcknowledged() throws Exception {
        int cycles = Integer.getInteger("caskwright.kill.cycles", 1_000);
        for (String io : new String[] {"standard", "mmap"}) {
            kill(io, cycles / 2);
        }
    }

    private void kill(String io, int cycles) throws Exception {
        Path directory = temporary.resolve(io);
        Map<byte[], byte[]> state = KilledWriter.newState();
        long next = 0;
        for (int cycle = 0; cycle < cycles; cycle++) {
            long last = runAndKill(directory, io, next, cycle % 2 == 1);
            for (; next <= last; next++) {
                KilledWriter.apply(state, next);
            }
            NavigableMap<byte[], Entry> found = content(directory, io);
            if (!KilledWriter.isSame(state, found)) {
                KilledWriter.apply(state, next++); // the one that was under way
                assertThat(KilledWriter.isSame(state, found))
                        .as("seed=%s, io=%s, cycle=%s: after write %s", SEED, io, cycle, last)
                        .isTrue();
            }
            if (cycle % 50 == 49) {
                System.out.println("kill campaign: io=" + io + ", kills=" + (cycle + 1) + ", writes=" + next);
            }
        }
    }

    /** Returns the number of the last write acknowledged. */
    private long runAndKill(Path directory, String io, long first, boolean isMerging) throws Exception {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        KilledWriter.class.getName(),
                        directory.toString(),
                        io,
                        Long.toString(first),
                        Boolean.toString(isMerging)))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        long last = first - 1;
        int wanted = 1 + random.nextInt(2_000);
        try (BufferedReader acknowledgements =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = read(acknowledgements); line != null; line = read(acknowledgements)) {
                assertThat(Long.parseLong(line)).isEqualTo(last + 1);
                last++;
                if (--wanted == 0) {
                    process.toHandle().destroyForcibly(); // unlike that of the process, it leaves the pipe readable
                }
            }
        }
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(wanted).as("the writer ended by itself").isLessThanOrEqualTo(0);
        return last;
    }

    /** A kill may cut the last line short; then it does not count, as it cannot be told from another number. */
    private static String read(BufferedReader reader) throws IOException {
        StringBuilder line = new StringBuilder();
        for (int character = reader.read(); character >= 0; character = reader.read()) {
            if (character == '\n') {
                return line.toString();
            }
            line.append((char) character);
        }
        return null;
    }

    private static NavigableMap<byte[], Entry> content(Path directory, String io) throws IOException {
        try (StorageEngine engine =
                new Combination("hashmap", io, io).builder(directory).open()) {
            return KeyValues.entries(engine);
        }
    }
}
