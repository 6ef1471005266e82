package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What one combination of index and IO managers wrote, all others read; options are not stored with the data. */
final class MatrixTest {
    private static final int STEPS = 60;

    @TempDir
    private Path temporary;

    @Test
    void oneHistoryGoesOnUnderOneCombinationAfterAnother() throws IOException {
        for (long seed = 0; seed < 2; seed++) {
            ManualClock clock = new ManualClock();
            StoreModel model = new StoreModel(Durability.WRITE, clock);
            RandomHistory history = new RandomHistory(seed, model, clock);
            Path directory = temporary.resolve("store" + seed);
            for (Combination combination : Combination.all()) {
                model.context("seed=" + seed + ", " + combination);
                try (BitcaskEngine engine =
                        combination.builder(directory).clock(clock).open()) {
                    model.reopened(KeyValues.entries(engine));
                    for (int i = 0; i < STEPS; i++) {
                        history.step(engine);
                    }
                    model.assertCurrent(KeyValues.entries(engine));
                    history.forgetSnapshots();
                } catch (IOException | RuntimeException | AssertionError e) {
                    throw new AssertionError(combination + ", " + history, e);
                }
            }
        }
    }

    @Test
    void everyCombinationOpensWhatEveryOtherWrote() throws IOException {
        List<Combination> writers = new ArrayList<>(Combination.all());
        writers.removeIf(each -> !each.io().equals(each.startupIo()));
        for (Combination writer : writers) {
            Path directory = temporary.resolve(writer.index() + "-" + writer.io());
            NavigableMap<byte[], Entry> written;
            try (BitcaskEngine engine = writer.builder(directory).open()) {
                for (int i = 0; i < 400; i++) {
                    engine.put(KeyValues.key(i % 150), KeyValues.bytes("value " + i));
                    if (i % 7 == 0) {
                        engine.delete(KeyValues.key((i + 3) % 150));
                    }
                    if (i == 250) {
                        engine.merge();
                    }
                }
                written = KeyValues.entries(engine);
            }
            for (Combination reader : Combination.all()) {
                try (BitcaskEngine engine = reader.builder(directory).open()) {
                    assertSame(writer + " read by " + reader, written, engine);
                }
            }
        }
    }

    private static void assertSame(String context, NavigableMap<byte[], Entry> written, BitcaskEngine engine)
            throws IOException {
        assertThat(engine.size()).as(context).isEqualTo(written.size());
        for (Map.Entry<byte[], Entry> each : written.entrySet()) {
            assertThat(Arrays.equals(engine.get(each.getKey()), each.getValue().value()))
                    .as("%s, key=%s", context, KeyValues.describe(each.getKey()))
                    .isTrue();
        }
    }
}
