package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.StoreModel;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Stores opened from images by every index that has them, on every IO manager, while they are written and merged. */
final class ImageMatrixTest {
    private static final int WRITERS = 2;
    private static final int KEYS = 500;

    @TempDir
    private Path temporary;

    static List<Combination> withImages() {
        List<Combination> all = new ArrayList<>(Combination.all());
        all.removeIf(each -> !List.of("hashmap", "compact").contains(each.index()));
        return all;
    }

    @ParameterizedTest
    @MethodSource("withImages")
    void aHistoryGoesOnAfterClosesAndKills(Combination combination) throws IOException {
        int fromImages = 0;
        for (long seed = 0; seed < 2; seed++) {
            ManualClock clock = new ManualClock();
            StoreModel model = new StoreModel(Durability.WRITE, clock).context("seed=" + seed + ", " + combination);
            RandomHistory history = new RandomHistory(seed, model, clock);
            Path directory = temporary.resolve("store" + seed);
            for (int life = 0; life < 6; life++) {
                // Nothing in the background: a copy of the files is of one moment.
                StorageEngine engine = combination
                        .builder(directory)
                        .clock(clock)
                        .executor(TestTasks.executor())
                        .autoMerge(false)
                        .open();
                fromImages += engine.stats().opening().fromImage() ? 1 : 0;
                model.reopened(KeyValues.entries(engine));
                for (int i = 0; i < 60; i++) {
                    history.step(engine);
                }
                history.forgetSnapshots();
                Path copy = temporary.resolve("store" + seed + "-" + life);
                if (life % 2 == 1) {
                    copy(directory, copy); // as a kill leaves it
                    directory = copy;
                }
                engine.close();
                assertSameAsReplayed(combination, directory);
            }
        }
        assertThat(fromImages).isGreaterThan(4);
    }

    @ParameterizedTest
    @MethodSource("withImages")
    void imagesSavedBesideWritersAndMergesHoldWhatTheLogHolds(Combination combination) throws Exception {
        Path directory = temporary.resolve("store");
        for (int life = 0; life < 2; life++) {
            StorageEngine engine = combination
                    .builder(directory)
                    .maxFileBytes(16 << 10)
                    .imageEveryBytes(1)
                    .open();
            List<CompletableFuture<?>> writers = new ArrayList<>();
            for (int i = 0; i < WRITERS; i++) {
                Random random = new Random(10L * life + i);
                writers.add(CompletableFuture.runAsync(() -> change(engine, random)));
            }
            CompletableFuture.allOf(writers.toArray(CompletableFuture[]::new)).get();
            assertThat(engine.health()).isNull();
            NavigableMap<byte[], Entry> content = KeyValues.entries(engine);
            // The background goes on, so what is copied is not of one moment; closing is.
            engine.close();
            assertSameAsReplayed(combination, directory);
            try (StorageEngine next = combination.builder(directory).open()) {
                assertThat(next.stats().opening().fromImage()).isTrue();
                assertSame(content, KeyValues.entries(next));
            }
        }
    }

    private static void change(StorageEngine engine, Random random) {
        try {
            for (int i = 0; i < 8_000; i++) {
                byte[] key = KeyValues.key(random.nextInt(KEYS));
                if (random.nextInt(4) == 0) {
                    engine.delete(key);
                } else {
                    engine.put(key, KeyValues.value(random, 100));
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private void assertSameAsReplayed(Combination combination, Path directory) throws IOException {
        Path copy = Files.createTempDirectory(temporary, "copy").resolve("store");
        copy(directory, copy);
        try (StorageEngine replayed = combination
                        .builder(copy)
                        .readOnly(true)
                        .imageEveryBytes(0)
                        .open();
                StorageEngine engine =
                        combination.builder(directory).readOnly(true).open()) {
            assertSame(KeyValues.entries(replayed), KeyValues.entries(engine));
            EngineStats found = engine.stats();
            EngineStats expected = replayed.stats();
            assertThat(found.keys()).isEqualTo(expected.keys());
            assertThat(found.space().liveBytes()).isEqualTo(expected.space().liveBytes());
            assertThat(found.space().deadBytes()).isEqualTo(expected.space().deadBytes());
            assertThat(found.lastVersion()).isEqualTo(expected.lastVersion());
        }
    }

    private static void assertSame(NavigableMap<byte[], Entry> expected, NavigableMap<byte[], Entry> found) {
        assertThat(found).hasSameSizeAs(expected);
        for (Map.Entry<byte[], Entry> each : expected.entrySet()) {
            Entry entry = found.get(each.getKey());
            assertThat(entry).isNotNull();
            assertThat(entry.version()).isEqualTo(each.getValue().version());
            assertThat(Arrays.equals(entry.value(), each.getValue().value())).isTrue();
        }
    }

    private static void copy(Path from, Path to) throws IOException {
        Files.createDirectory(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }
}
