package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/** Processes of their own: one that is killed while it commits, and one with a small heap. */
@Timeout(value = 4, unit = TimeUnit.MINUTES)
final class BoltProcessTest {
    private static final byte[] BUCKET = "bucket".getBytes(UTF_8);
    private static final int KILLS = 4;
    private static final int COMMITS_BEFORE_A_KILL = 150;
    private static final int LARGE_ENTRIES = 60_000;
    private static final int LARGE_VALUE = 2_000;

    @TempDir
    Path directory;

    /** What the processes do. */
    static final class Child {
        private Child() {}

        public static void main(String[] arguments) throws IOException {
            Path file = Path.of(arguments[1]);
            if (arguments[0].equals("commit")) {
                commit(file, Integer.parseInt(arguments[2]));
            } else {
                fill(file);
            }
        }

        /** Commits one key after another, and says so after each. */
        private static void commit(Path file, int from) throws IOException {
            try (BoltDatabase database =
                    BoltDatabase.builder(file).io(MmapIoManager::open).open()) {
                for (int i = from; ; i++) {
                    int number = i;
                    database.update(transaction -> {
                        Bucket bucket = transaction.createBucketIfNotExists(BUCKET);
                        bucket.put(key(number), new byte[number % 500]);
                        bucket.put(key(number / 2), new byte[number % 300]); // so that pages come free
                    });
                    System.out.println(i);
                    System.out.flush();
                }
            }
        }

        private static void fill(Path file) throws IOException {
            try (BoltDatabase database = BoltDatabase.builder(file)
                    .io(MmapIoManager::open)
                    .forcesCommits(false)
                    .open()) {
                for (int from = 0; from < LARGE_ENTRIES; from += 1_000) {
                    int first = from;
                    database.update(transaction -> {
                        Bucket bucket = transaction.createBucketIfNotExists(BUCKET);
                        for (int i = first; i < first + 1_000; i++) {
                            bucket.put(key(i * 7 % LARGE_ENTRIES), new byte[LARGE_VALUE]);
                        }
                    });
                }
                long[] seen = new long[1];
                database.view(transaction -> Objects.requireNonNull(transaction.bucket(BUCKET))
                        .forEach((key, value) -> seen[0] += Objects.requireNonNull(value).length));
                System.out.println(seen[0] + " " + database.check().problems());
            }
        }
    }

    static byte[] key(int number) {
        return String.format("key%07d", number).getBytes(UTF_8);
    }

    private static Process start(List<String> flags, String... arguments) throws IOException {
        List<String> command = new ArrayList<>();
        command.add(Path.of(System.getProperty("java.home"), "bin", "java").toString());
        command.addAll(flags);
        command.addAll(List.of("-cp", System.getProperty("java.class.path"), Child.class.getName()));
        command.addAll(List.of(arguments));
        return new ProcessBuilder(command)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    /** Before JDK 22 a helper holds the lock, and ends a moment after the process that was killed. */
    private static BoltDatabase openWhenFree(Path file, IoManagerFactory io) throws IOException {
        long deadline = System.nanoTime() + TimeUnit.MINUTES.toNanos(1);
        while (true) {
            try {
                return BoltDatabase.builder(file).io(io).open();
            } catch (EngineLockedException e) {
                if (System.nanoTime() > deadline) {
                    throw e;
                }
                Thread.onSpinWait();
            }
        }
    }

    @Test
    void whatAKilledProcessAcknowledgedIsThere() throws Exception {
        kill(KILLS);
    }

    /** For {@code -Dcaskwright.kill.cycles}. */
    @Test
    @Tag("campaign")
    @Timeout(value = 1, unit = TimeUnit.DAYS)
    void whatManyKilledProcessesAcknowledgedIsThere() throws Exception {
        kill(Integer.getInteger("caskwright.kill.cycles", 50));
    }

    private void kill(int kills) throws Exception {
        Path file = directory.resolve("killed.db");
        int next = 0;
        for (int kill = 0; kill < kills; kill++) {
            Process process = start(List.of(), "commit", file.toString(), Integer.toString(next));
            int last = next - 1;
            try (BufferedReader lines = process.inputReader(UTF_8)) {
                for (int i = 0; i < COMMITS_BEFORE_A_KILL; i++) {
                    last = Integer.parseInt(Objects.requireNonNull(lines.readLine()));
                }
                process.toHandle().destroyForcibly(); // the process itself would close the pipe
                process.waitFor();
                for (String line = lines.readLine(); line != null && !line.isEmpty(); line = lines.readLine()) {
                    last = Math.max(last, Integer.parseInt(line));
                }
            }
            int acknowledged = last;
            try (BoltDatabase database =
                    openWhenFree(file, kill % 2 == 0 ? StandardIoManager::open : MmapIoManager::open)) {
                assertThat(database.check().problems()).as("kill %s", kill).isEmpty();
                database.view(transaction -> {
                    Bucket bucket = Objects.requireNonNull(transaction.bucket(BUCKET));
                    for (int i = 0; i <= acknowledged; i++) {
                        assertThat(bucket.contains(key(i))).as("key %s", i).isTrue();
                    }
                });
            }
            next = acknowledged + 1;
            System.out.println("bolt kills: kills=" + (kill + 1) + ", commits=" + next);
        }
    }

    @Test
    void aFileOfTwiceTheHeapIsFilledReadAndChecked() throws Exception {
        Path file = directory.resolve("large.db");
        Process process = start(List.of("-Xmx64m"), "fill", file.toString());
        String output = new String(process.getInputStream().readAllBytes(), UTF_8);
        assertThat(process.waitFor()).isZero();
        assertThat(output).isEqualToIgnoringNewLines((long) LARGE_ENTRIES * LARGE_VALUE + " []");
    }
}
