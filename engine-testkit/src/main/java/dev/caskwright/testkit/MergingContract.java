package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.inThreads;
import static dev.caskwright.testkit.EngineSteps.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Merging;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Merges: what an engine that holds {@link Merging} must do. */
public interface MergingContract extends EngineFixture {
    @Test
    default void aMergeKeepsTheContentAndGivesSpaceBack() throws Exception {
        try (StorageEngine engine = open()) {
            engine.require(Merging.class).merge();
            for (int round = 0; round < 10; round++) {
                for (int i = 0; i < 100; i++) {
                    engine.put(KeyValues.key(i), bytes(round));
                }
            }
            for (int i = 0; i < 100; i += 2) {
                engine.delete(KeyValues.key(i));
            }
            long before = engine.stats().space().diskBytes();
            engine.require(Merging.class).merge();
            engine.require(Merging.class).merge();
            assertOddKeys(engine);
            assertThat(engine.stats().space().diskBytes()).isLessThan(before / 2);
            assertThat(engine.stats().merging().merges()).isPositive();
        }
        try (StorageEngine engine = open()) {
            assertOddKeys(engine);
            engine.require(Merging.class).merge();
            assertOddKeys(engine);
        }
    }

    private static void assertOddKeys(StorageEngine engine) throws IOException {
        assertThat(engine.size()).isEqualTo(50);
        for (int i = 0; i < 100; i++) {
            assertThat(text(engine.get(KeyValues.key(i)))).isEqualTo(i % 2 == 0 ? null : "9");
        }
        assertThat(KeyValues.entries(engine)).hasSize(50);
    }

    @Test
    default void aDeletedKeyStaysDeletedThroughMergesAndReopens() throws Exception {
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 100; i++) {
                engine.put(KeyValues.key(i), new byte[100]);
            }
            engine.require(Merging.class).merge();
            for (int i = 0; i < 100; i++) {
                engine.delete(KeyValues.key(i));
            }
        }
        for (int round = 0; round < 4; round++) {
            try (StorageEngine engine = open()) {
                assertThat(KeyValues.entries(engine)).hasSize(round);
                engine.put(bytes("other" + round), new byte[5_000]);
                engine.require(Merging.class).merge();
                assertThat(KeyValues.entries(engine)).hasSize(round + 1);
            }
        }
    }

    @Test
    default void mergesRunBesideReadersAndWriters() throws Exception {
        int keys = 50;
        AtomicBoolean isDone = new AtomicBoolean();
        try (StorageEngine engine = open()) {
            for (int i = 0; i < keys; i++) {
                engine.put(bytes(i), bytes(0));
            }
            inThreads(3, thread -> {
                switch (thread) {
                    case 0 -> {
                        try {
                            for (int round = 1; round <= 60; round++) {
                                for (int i = 0; i < keys; i++) {
                                    engine.put(bytes(i), bytes(round), WriteOptions.NONE);
                                    engine.put(bytes("passing"), bytes(i), WriteOptions.NONE);
                                    engine.delete(bytes("passing"), WriteOptions.NONE);
                                }
                            }
                        } finally {
                            isDone.set(true);
                        }
                    }
                    case 1 -> {
                        while (!isDone.get()) {
                            engine.require(Merging.class).merge();
                        }
                    }
                    default -> {
                        int[] latest = new int[keys];
                        for (int i = 0; !isDone.get(); i = (i + 1) % keys) {
                            int value = Integer.parseInt(Objects.requireNonNull(text(engine.get(bytes(i)))));
                            assertThat(value).as("never back to an older value").isGreaterThanOrEqualTo(latest[i]);
                            latest[i] = value;
                        }
                    }
                }
            });
            assertThat(engine.size()).isEqualTo(keys);
        }
        try (StorageEngine engine = open()) {
            assertThat(engine.contains(bytes("passing"))).isFalse();
            for (int i = 0; i < keys; i++) {
                assertThat(text(engine.get(bytes(i)))).isEqualTo("60");
            }
        }
    }

    @Test
    default void aClosedSnapshotGivesItsFilesBack() throws Exception {
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 200; i++) {
                engine.put(KeyValues.key(i), new byte[100]);
            }
            Snapshot snapshot = engine.snapshot();
            for (int i = 0; i < 200; i++) {
                engine.delete(KeyValues.key(i));
            }
            engine.require(Merging.class).merge();
            assertThat(KeyValues.entries(snapshot)).hasSize(200);
            snapshot.close();
            engine.require(Merging.class).merge();
            assertThat(engine.stats().space().pinnedBytes()).isZero();
            assertThat(engine.stats().space().diskBytes()).isLessThan(200 * 100);
        }
    }

    @Test
    default void aClosedEngineRefusesMerges() throws Exception {
        StorageEngine engine = open();
        byte[] key = bytes("a");
        engine.put(key, bytes("1"));
        Merging held = engine.require(Merging.class);
        engine.close();
        assertClosed(() -> held.merge());
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1");
        }
    }
}
