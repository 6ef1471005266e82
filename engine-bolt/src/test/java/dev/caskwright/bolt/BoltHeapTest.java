package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.io.mmap.MmapIoManager;
import dev.caskwright.testkit.HeapHog;
import java.io.IOException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real want of memory, at real allocations: a database shares 64 MiB of heap with something that fills it again and again. What
 * was acknowledged is there, what was not applied is not, and no page is lost or used twice.
 */
final class BoltHeapTest {
    private static final int PAIRS = 200;
    private static final byte[] BUCKET = bytes("bucket");
    private static final byte[] LAST = bytes("last");
    private static final long SEED = Long.getLong("caskwright.seed", 1);

    @TempDir
    private Path temporary;

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    @Test
    void aHeapThatRunsOutLosesNothing() throws Exception {
        run(SEED, 1_500);
    }

    /** For {@code -Dcaskwright.hogged.millis}. */
    @Test
    @Tag("campaign")
    void aHeapThatRunsOutLosesNothingForLonger() throws Exception {
        run(System.nanoTime(), Long.getLong("caskwright.hogged.millis", 60_000));
    }

    private void run(long seed, long millis) throws Exception {
        Process process = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xmx64m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Life.class.getName(),
                        temporary.resolve("store.db").toString(),
                        Long.toString(seed),
                        Long.toString(millis))
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), UTF_8);
        System.out.println("bolt in a hogged heap: " + said.strip());
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(said).as("seed=%s", seed).endsWith("done\n").doesNotContain("Exception in thread");
    }

    /** Commits numbered pairs; after each failure it looks whether the last one is there. */
    static final class Life {
        private final Random random;
        private final BoltBuilder builder;
        private final int[] pairs = new int[PAIRS]; // the number of the commit that wrote the pair last
        private BoltDatabase database;
        private int applied;
        private int last; // the number of the last commit that was applied
        private int refused;
        private int failures;

        private Life(Path file, long seed) throws IOException {
            random = new Random(seed);
            builder = BoltDatabase.builder(file).io(MmapIoManager::open).forcesCommits(false);
            database = builder.open();
        }

        public static void main(String[] arguments) throws Exception {
            Life life = new Life(Path.of(arguments[0]), Long.parseLong(arguments[1]));
            life.live(TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[2])));
            System.out.println("applied=" + life.applied + ", refused=" + life.refused + ", failures=" + life.failures);
            System.out.print("done\n");
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }

        private void live(long nanos) throws Exception {
            HeapHog hog = new HeapHog(random.nextLong(), 1 << 15, 60);
            hog.start();
            long end = System.nanoTime() + nanos;
            for (int number = 1; System.nanoTime() - end < 0; number++) {
                try {
                    write(number);
                } catch (OutOfMemoryError e) {
                    settle(number); // of this harness, at any place
                }
            }
            hog.end();
            hog.join();
            reopenIfFailed();
            check("at the end");
            database.compact(100);
            check("compacted");
            database.close();
            database = builder.open();
            check("reopened");
            database.close();
        }

        private void write(int number) throws Exception {
            Outcome outcome;
            try {
                int pair = number % PAIRS;
                byte[] value =
                        bytes(number + " " + "v".repeat(random.nextInt(random.nextInt(50) == 0 ? 2 << 20 : 2_000)));
                BoltDatabase.Work work = transaction -> {
                    Bucket bucket = transaction.createBucketIfNotExists(BUCKET);
                    bucket.put(bytes("left" + pair), value);
                    bucket.put(LAST, bytes("" + number));
                    bucket.put(bytes("right" + pair), Arrays.copyOf(value, Math.min(value.length, 3_000)));
                };
                switch (random.nextInt(8)) {
                    case 0 -> database.batch(work);
                    case 1 -> {
                        try (BoltTransaction reader = database.beginRead()) { // so that pages wait
                            database.update(work);
                            reader.root();
                        }
                    }
                    default -> database.update(work);
                }
                note(number);
                return;
            } catch (EngineException e) {
                outcome = e.outcome();
            } catch (IOException | OutOfMemoryError e) {
                outcome = Outcome.UNKNOWN;
            }
            refused++;
            reopenIfFailed();
            if (lastThere() == number) {
                if (outcome == Outcome.NOT_APPLIED) {
                    fail("a commit is there that was not applied: number=" + number);
                }
                note(number);
            }
        }

        private void settle(int number) {
            while (true) {
                try {
                    reopenIfFailed();
                    if (last != number && lastThere() == number) {
                        note(number);
                    }
                    return;
                } catch (OutOfMemoryError e) {
                    refused++;
                }
            }
        }

        private void note(int number) {
            last = number; // first, as what follows needs no memory
            pairs[number % PAIRS] = number;
            applied++;
        }

        private int lastThere() {
            while (true) {
                try {
                    return database.query(transaction -> {
                        Bucket bucket = transaction.bucket(BUCKET);
                        byte[] found = bucket == null ? null : bucket.get(LAST);
                        return found == null ? 0 : Integer.parseInt(new String(found, UTF_8));
                    });
                } catch (IOException | OutOfMemoryError e) {
                    refused++;
                }
            }
        }

        private void reopenIfFailed() {
            if (database.health() == null) {
                return;
            }
            failures++;
            BoltDatabase closing = database;
            while (true) {
                try {
                    closing.close();
                    database = builder.open();
                    return;
                } catch (IOException | OutOfMemoryError e) {
                    refused++; // closed, or to be closed once more
                }
            }
        }

        private void check(String when) throws IOException {
            if (lastThere() != last) {
                fail(when + ": last=" + lastThere() + ", expected=" + last);
            }
            database.view(transaction -> {
                Bucket bucket = transaction.bucket(BUCKET);
                for (int pair = 0; bucket != null && pair < PAIRS; pair++) {
                    byte[] left = bucket.get(bytes("left" + pair));
                    byte[] right = bucket.get(bytes("right" + pair));
                    int number = left == null || right == null ? 0 : numberOf(left);
                    if (number != pairs[pair] || (number != 0 && numberOf(right) != number)) {
                        fail(when + ": pair=" + pair + ", found=" + number + ", expected=" + pairs[pair]);
                    }
                }
            });
            if (!database.check().isSound()) {
                fail(when + ": " + database.check().problems());
            }
        }

        private static int numberOf(byte[] value) {
            String start = new String(value, 0, Math.min(value.length, 12), UTF_8);
            return Integer.parseInt(start.substring(0, start.indexOf(' ')));
        }

        private static void fail(String what) {
            System.out.println(what);
            System.out.flush();
            Runtime.getRuntime().halt(1);
        }
    }
}
