package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/**
 * What a merge drops must be dead by what the log says, or the merge stops. A sound store never makes it stop: here merges
 * run in the caller, in a thread beside the writer and in the background, over keys that come, go, expire and come back,
 * with snapshots, changes to be kept, and hint files and images that are lost between two openings. Nothing is lost and
 * nothing comes back, and {@code verify} finds each image to be what the log says.
 *
 * <p>The campaign lives as many lives for each pair of backends as {@code -Dcaskwright.proof.seeds} says.
 */
final class MergeProofTest {
    private static final int OPENINGS = 6;

    @TempDir
    private Path temporary;

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void noMergeOfASoundStoreStops(Backend backend) throws Exception {
        live(backend, 1);
    }

    @Test
    @Tag("campaign")
    void noMergeOfASoundStoreStopsInManyLives() throws Exception {
        long first = Long.getLong("caskwright.proof.firstSeed", 1_000);
        for (long seed = first; seed < first + Long.getLong("caskwright.proof.seeds", 50); seed++) {
            for (Backend backend : Backend.all().toList()) {
                live(backend, seed);
            }
        }
    }

    private void live(Backend backend, long seed) throws Exception {
        Path directory = Files.createDirectory(temporary.resolve(backend + " " + seed));
        try {
            new Life(backend, directory, seed).live();
        } catch (Exception | AssertionError e) {
            throw new AssertionError("seed=" + seed + ", " + backend, e);
        }
    }

    private static final class Life {
        private final Backend backend;
        private final Path directory;
        private final Random random;
        private final ManualClock clock = new ManualClock();
        private final StoreModel model = new StoreModel(Durability.WRITE, clock);
        private final RandomHistory history;

        Life(Backend backend, Path directory, long seed) {
            this.backend = backend;
            this.directory = directory;
            this.random = new Random(seed);
            this.history = new RandomHistory(seed, model, clock)
                    .keys(10 + random.nextInt(200))
                    .values(60, false);
        }

        void live() throws Exception {
            for (int opening = 0; opening < OPENINGS; opening++) {
                FutureTask<Void> merging;
                try (BitcaskEngine engine = builder().open()) {
                    model.reopened(KeyValues.entries(engine));
                    merging = use(engine);
                    model.assertCurrent(KeyValues.entries(engine));
                    assertThat(engine.health()).isNull();
                    assertThat(engine.retries()).isEmpty();
                }
                if (!merging.isCancelled()) {
                    merging.get(1, TimeUnit.MINUTES);
                }
                history.forgetSnapshots();
                assertThat(BitcaskEngine.verify(directory, Backends.ioManager(backend.io()))
                                .damages())
                        .extracting(VerifyReport.Damage::what)
                        .isEmpty();
                loseCaches();
                clock.advance(Duration.ofMillis(random.nextInt(3_000)));
            }
        }

        private EngineBuilder builder() {
            EngineBuilder builder = BitcaskEngine.builder(directory)
                    .index(Backends.keyIndex(backend.index()))
                    .io(Backends.ioManager(backend.io()))
                    .expectedKeys(64, 8)
                    .clock(clock)
                    .autoMerge(random.nextBoolean())
                    .imageEveryBytes(List.of(0L, 1_000L, Long.MAX_VALUE).get(random.nextInt(3)))
                    .changesRetainedBytes(random.nextInt(3) == 0 ? 2_000 : 0)
                    .maxFileBytes(300 + random.nextInt(2_000));
            return random.nextBoolean() ? builder.executor(Runnable::run) : builder;
        }

        /** Returns what merges beside the caller until the engine is closed. */
        private FutureTask<Void> use(BitcaskEngine engine) throws IOException {
            boolean isBeside = random.nextBoolean();
            history.merging(!isBeside);
            FutureTask<Void> merging = new FutureTask<>(() -> mergeUntilClosed(engine), null);
            if (isBeside) {
                new Thread(merging, "merging beside the history").start();
            }
            for (int i = 20 + random.nextInt(200); i > 0; i--) {
                history.step(engine);
            }
            if (!isBeside) {
                engine.merge();
                merging.cancel(false);
            }
            return merging;
        }

        private static void mergeUntilClosed(BitcaskEngine engine) {
            try {
                while (true) {
                    engine.merge();
                }
            } catch (EngineClosedException e) {
                // How it ends.
            } catch (IOException e) {
                throw new UncheckedIOException(e);
            }
        }

        private void loseCaches() throws IOException {
            int lost = random.nextInt(4);
            for (Path file : FeatureFixture.files(directory)) {
                String name = file.getFileName().toString();
                boolean isCache = name.endsWith(".hint") || name.endsWith(".image");
                if (isCache && random.nextInt(3) < lost) {
                    Files.delete(file);
                }
            }
        }
    }
}
