package dev.caskwright.mvcc;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineLockedException;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.util.List;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Kills a process that writes, as {@code kill -9} does, again and again: every revision that it told to be durable is there, each
 * has the content that it must have, and compactions that were cut short end.
 */
final class MvccKillTest {
    private static final int KEYS = 40;

    @TempDir
    Path directory;

    private final Random random = new Random(4712);

    /** The process that is killed: puts, deletes and compacts by the number of the revision, and prints what is durable. */
    static final class Writer {
        private Writer() {}

        public static void main(String[] arguments) throws Exception {
            try (MvccStore store = MvccStore.open(Path.of(arguments[0]))) {
                while (true) {
                    long revision = store.revision() + 1;
                    byte[] key = key(revision);
                    if (revision % 7 == 0 && store.get(key) != null) {
                        store.delete(key);
                    } else {
                        store.put(key, Long.toString(revision).getBytes());
                    }
                    if (revision % 1_000 == 0) {
                        store.compact(revision - 500);
                    }
                    if (revision % 150 == 0) {
                        store.commit();
                        System.out.println(revision);
                        System.out.flush();
                    }
                }
            }
        }
    }

    private static byte[] key(long revision) {
        return ("key" + revision * 31 % KEYS).getBytes();
    }

    @Test
    void aKilledProcessLosesNoRevisionThatItToldToBeDurable() throws Exception {
        kill(4);
    }

    @Test
    @Tag("campaign")
    void manyKilledProcessesLoseNothing() throws Exception {
        kill(Integer.getInteger("caskwright.kill.cycles", 300));
    }

    private void kill(int cycles) throws Exception {
        Path file = directory.resolve("db");
        for (int cycle = 0; cycle < cycles; cycle++) {
            long told = runAndKill(file);
            try (MvccStore store = openWhenFree(file)) {
                assertThat(store.revision()).as("cycle " + cycle).isGreaterThanOrEqualTo(told);
                check(store);
            }
            if ((cycle + 1) % 50 == 0) {
                System.out.println("revisions, kill: " + (cycle + 1) + " kills, " + told + " told last");
            }
        }
    }

    /** Before JDK 22 a helper holds the lock of the file, and ends a moment after the process that was killed. */
    private static MvccStore openWhenFree(Path file) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (true) {
            try {
                return MvccStore.open(file);
            } catch (EngineLockedException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
    }

    private static void check(MvccStore store) throws IOException {
        long first = Math.max(2, store.compactedRevision());
        for (long revision = first; revision <= store.revision(); revision += 97) {
            for (KeyValue entry : store.range(RangeRequest.of(KeyRange.all()).atRevision(revision))
                    .entries()) {
                assertThat(entry.modRevision()).isLessThanOrEqualTo(revision);
                assertThat(new String(entry.value())).isEqualTo(Long.toString(entry.modRevision()));
                assertThat(entry.key()).isEqualTo(key(entry.modRevision()));
            }
        }
        // Each revision after the compaction changed the key that it must have changed.
        long next = Math.max(2, store.compactedRevision() + 1);
        try (Watch watch = store.watch(WatchRequest.of(KeyRange.all()).fromRevision(next))) {
            for (WatchBatch batch = watch.poll(); batch != null; batch = watch.poll()) {
                for (Event event : batch.events()) {
                    assertThat(event.revision()).isEqualTo(next);
                    assertThat(event.keyValue().key()).isEqualTo(key(next));
                    next++;
                }
            }
        }
        assertThat(next).isEqualTo(store.revision() + 1);
    }

    private long runAndKill(Path file) throws Exception {
        Process process = new ProcessBuilder(List.of(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-XX:+UseSerialGC",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Writer.class.getName(),
                        file.toString()))
                .redirectError(ProcessBuilder.Redirect.DISCARD)
                .start();
        long last = 0;
        int wanted = 1 + random.nextInt(25);
        try (BufferedReader told =
                new BufferedReader(new InputStreamReader(process.getInputStream(), StandardCharsets.UTF_8))) {
            for (String line = read(told); line != null; line = read(told)) {
                last = Long.parseLong(line);
                if (--wanted == 0) {
                    process.toHandle().destroyForcibly();
                }
            }
        }
        assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
        assertThat(wanted).as("the writer ended by itself").isLessThanOrEqualTo(0);
        return last;
    }

    /** A kill may cut the last line short; then it does not count. */
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
}
