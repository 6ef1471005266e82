package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.HeapHog;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * Real want of memory, at real allocations: a store with its three threads shares 48 MiB of heap with something that fills
 * it again and again. What was acknowledged is there, what was not applied is not, and no operand counts twice.
 */
final class MossHeapTest {
    private static final int PAIRS = 200;
    private static final long SEED = Long.getLong("caskwright.seed", 1);

    @TempDir
    private Path temporary;

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
                        "-Xmx48m",
                        "-XX:+UseSerialGC",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        Life.class.getName(),
                        temporary.resolve("store").toString(),
                        Long.toString(seed),
                        Long.toString(millis))
                .redirectErrorStream(true)
                .start();
        String said = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        System.out.println("hogged heap: " + said.strip());
        assertThat(process.waitFor(5, TimeUnit.MINUTES)).isTrue();
        assertThat(said).as("seed=%s", seed).endsWith("done\n").doesNotContain("Exception in thread");
    }

    /** Writes numbered batches; after each failure it looks whether the last one is there. */
    static final class Life {
        private final Path directory;
        private final Random random;
        private final int[] pairs = new int[PAIRS]; // the number of the batch that wrote the pair last
        private MossEngine engine;
        private int applied; // how many batches were
        private int last; // the number of the last one that was
        private int refused;
        private int failures;

        private Life(Path directory, long seed) {
            this.directory = directory;
            this.random = new Random(seed);
        }

        public static void main(String[] arguments) throws Exception {
            Life life = new Life(Path.of(arguments[0]), Long.parseLong(arguments[1]));
            life.live(TimeUnit.MILLISECONDS.toNanos(Long.parseLong(arguments[2])));
            System.out.println("applied=" + life.applied + ", refused=" + life.refused + ", failures=" + life.failures);
            System.out.print("done\n");
            System.out.flush();
            Runtime.getRuntime().halt(0);
        }

        private MossBuilder builder() {
            return MossEngine.builder(directory)
                    .mergeOperator(new Append())
                    .tableBytes(32 << 10)
                    .persistBytes(128 << 10)
                    .maxMemoryBytes(2 << 20)
                    .persistAfter(Duration.ofMillis(20));
        }

        private void live(long nanos) throws Exception {
            engine = builder().open();
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
            while (!engine.retries().isEmpty()) {
                Thread.sleep(5); // polled, for nothing tells of it
            }
            engine.compact();
            check("compacted");
            engine.close();
            engine = builder().open();
            check("reopened");
            engine.close();
        }

        private void write(int number) throws Exception {
            Outcome outcome;
            try {
                int pair = number % PAIRS;
                byte[] value = bytes(number + " " + "v".repeat(random.nextInt(2_000)));
                MossBatch batch = new MossBatch()
                        .put(bytes("left" + pair), value)
                        .put(bytes("last"), bytes("" + number))
                        .merge(bytes("count"), bytes("x"))
                        .put(bytes("right" + pair), value);
                if (random.nextInt(20) == 0) {
                    batch.deleteRange(bytes("m"), bytes("n"));
                }
                engine.write(batch, random.nextInt(4) == 0 ? WriteOptions.SYNC : WriteOptions.WRITE);
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
                    fail("a batch is there that was not applied: number=" + number);
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
            applied++;
            last = number;
            pairs[number % PAIRS] = number;
        }

        private int lastThere() {
            while (true) {
                try {
                    byte[] found = engine.get(bytes("last"));
                    return found == null ? 0 : Integer.parseInt(text(found));
                } catch (IOException | OutOfMemoryError e) {
                    refused++;
                }
            }
        }

        private void reopenIfFailed() {
            if (engine.health() == null) {
                return;
            }
            failures++;
            MossEngine closing = engine;
            while (true) {
                try {
                    closing.close();
                    engine = builder().open();
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
            byte[] count = engine.get(bytes("count"));
            if ((count == null ? 0 : count.length) != applied) {
                fail(when + ": count=" + (count == null ? 0 : count.length) + ", expected=" + applied);
            }
            for (int pair = 0; pair < PAIRS; pair++) {
                byte[] left = engine.get(bytes("left" + pair));
                byte[] right = engine.get(bytes("right" + pair));
                int number = left == null
                        ? 0
                        : Integer.parseInt(text(left).substring(0, text(left).indexOf(' ')));
                if (number != pairs[pair] || !Arrays.equals(left, right)) {
                    fail(when + ": pair=" + pair + ", found=" + number + ", expected=" + pairs[pair]);
                }
            }
            if (!engine.verify().isSound()) {
                fail(when + ": " + engine.verify().damages());
            }
        }

        private void fail(String what) {
            System.out.println(what);
            System.out.flush();
            Runtime.getRuntime().halt(1);
        }
    }
}
