package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Snapshot;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Comparator;
import java.util.List;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** A full merge over an ordered index lays the records in the order of their keys, and is otherwise one like any other. */
final class KeyOrderMergeTest extends FeatureFixture {
    private static final int KEYS = 300;

    @ParameterizedTest
    @CsvSource({"btree, standard", "btree, mmap", "sorted, standard", "sorted, mmap"})
    void recordsComeToLieInTheOrderOfTheirKeys(String index, String io) throws IOException {
        Backend backend = new Backend(index, io);
        Map<String, String> model = new TreeMap<>();
        try (BitcaskEngine engine = backend.builder(directory(), clock).open()) {
            Random random = new Random(11);
            for (int i = 0; i < 3 * KEYS; i++) {
                String key = "key" + random.nextInt(KEYS);
                if (i % 5 == 0) {
                    delete(engine, key);
                    model.remove(key);
                } else {
                    put(engine, key, "value" + i);
                    model.put(key, "value" + i);
                }
            }
            put(engine, "key-expires", "soon", Duration.ofMinutes(1));
            clock.advance(Duration.ofHours(1));
            try (Snapshot snapshot = engine.snapshot()) {
                engine.merge();
                assertThat(content(snapshot)).isEqualTo(model);
            }
            // A visit goes through the files from start to end.
            assertThat(keysInFiles(engine)).isSortedAccordingTo(Comparator.naturalOrder());
            assertThat(content(engine)).isEqualTo(model);
            assertThat(engine.stats().space().deadBytes())
                    .as("no tombstone is left")
                    .isLessThan(50L * engine.stats().space().files());
        }
        try (BitcaskEngine engine = backend.builder(directory(), clock).open()) {
            assertThat(content(engine)).isEqualTo(model);
        }
    }

    private static List<String> keysInFiles(BitcaskEngine engine) throws IOException {
        List<String> keys = new ArrayList<>();
        engine.visit(entry -> keys.add(text(entry.key())));
        return keys;
    }
}
