package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.get;
import static dev.caskwright.testkit.EngineSteps.inThreads;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.number;
import static dev.caskwright.testkit.EngineSteps.pair;
import static dev.caskwright.testkit.EngineSteps.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Batches and durability. */
abstract class EngineWriteContract extends EngineReadContract {
    private static final WriteOptions OPTIONS = WriteOptions.DEFAULT;
    private static final int THREADS = 4;

    @Test
    void manyThreadsPutAtEveryDurability() throws Exception {
        int each = 60;
        for (Durability durability : Durability.values()) {
            WriteOptions options = OPTIONS.durability(durability);
            try (StorageEngine engine = open(temporary().resolve(durability.name()), clock())) {
                inThreads(THREADS, thread -> {
                    for (int i = 0; i < each; i++) {
                        byte[] key = bytes(thread + "/" + i);
                        engine.put(key, bytes(i), options);
                        assertThat(text(engine.get(key))).isEqualTo("" + i);
                    }
                });
                assertThat(engine.size()).isEqualTo((long) THREADS * each);
            }
            try (StorageEngine engine = open(temporary().resolve(durability.name()), clock())) {
                for (int i = 0; i < THREADS * each; i++) {
                    assertThat(get(engine, i / each + "/" + i % each)).isEqualTo("" + i % each);
                }
            }
        }
    }

    @Test
    void aBatchAppliesAllItsChanges() throws Exception {
        WriteBatch batch = new WriteBatch()
                .put(bytes("a"), bytes("1"))
                .put(bytes("b"), bytes("2"))
                .delete(bytes("c"))
                .delete(bytes("absent"))
                .put(bytes("empty"), new byte[0]);
        try (StorageEngine engine = open()) {
            engine.put(bytes("c"), bytes("3"));
            engine.put(bytes("b"), bytes("old"));
            engine.write(batch, WriteOptions.SYNC);
            assertThat(content(engine)).containsExactly("a=1", "b=2", "empty=");
            assertThat(engine.size()).isEqualTo(3);
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).containsExactly("a=1", "b=2", "empty=");
            merge(engine);
            engine.delete(bytes("a"));
            engine.write(batch, OPTIONS);
            assertThat(content(engine)).as("written again").containsExactly("a=1", "b=2", "empty=");
        }
    }

    @Test
    void theLastChangeToAKeyWinsInABatch() throws Exception {
        try (StorageEngine engine = open()) {
            engine.write(
                    new WriteBatch()
                            .put(bytes("a"), bytes("1"))
                            .put(bytes("b"), bytes("1"))
                            .delete(bytes("c"))
                            .put(bytes("a"), bytes("2"))
                            .delete(bytes("b"))
                            .put(bytes("c"), bytes("3")),
                    OPTIONS);
            assertThat(content(engine)).containsExactly("a=2", "c=3");
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).containsExactly("a=2", "c=3");
        }
    }

    @Test
    void anEmptyBatchChangesNothing() throws Exception {
        try (StorageEngine engine = open()) {
            for (Durability durability : Durability.values()) {
                engine.write(new WriteBatch(), OPTIONS.durability(durability));
            }
            assertThat(content(engine)).isEmpty();
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).isEmpty();
        }
    }

    @Test
    void eachRecordOfABatchGoesToItsKey() throws Exception {
        try (StorageEngine engine = open()) {
            for (int changes : new int[] {1, 31, 32, 33, 64, 200}) {
                WriteBatch batch = new WriteBatch();
                for (int i = 0; i < changes; i++) {
                    engine.put(KeyValues.key(i), bytes("old"), OPTIONS);
                    if (i % 3 == 0) {
                        batch.delete(KeyValues.key(i));
                    } else {
                        batch.put(KeyValues.key(i), batchValue(changes, i));
                    }
                }
                engine.write(batch, OPTIONS);
                for (int i = 0; i < changes; i++) {
                    byte[] expected = i % 3 == 0 ? null : batchValue(changes, i);
                    assertThat(engine.get(KeyValues.key(i)))
                            .as("%s of %s", i, changes)
                            .isEqualTo(expected);
                }
            }
        }
    }

    /** Of lengths with which a batch keeps its keys in several arrays. */
    private static byte[] batchValue(int changes, int number) {
        return bytes(changes + " " + number + " ".repeat(1_000 * (number % 5)));
    }

    @Test
    void aBigBatchIsWhole() throws Exception {
        int size = 2_000;
        WriteBatch batch = new WriteBatch();
        for (int i = 0; i < size; i++) {
            batch.put(KeyValues.key(i), new byte[1_000]);
        }
        try (StorageEngine engine = open()) {
            engine.put(bytes("before"), bytes("1"));
            engine.write(batch, OPTIONS);
            engine.put(bytes("after"), bytes("1"));
            assertThat(engine.size()).isEqualTo(size + 2);
        }
        try (StorageEngine engine = open()) {
            assertThat(KeyValues.entries(engine)).hasSize(size + 2);
        }
    }

    @Test
    void snapshotsSeeWholeBatches() throws Exception {
        AtomicBoolean isDone = new AtomicBoolean();
        try (StorageEngine engine = open()) {
            engine.write(pair(0), OPTIONS);
            inThreads(2, thread -> {
                if (thread == 0) {
                    try {
                        for (int i = 1; i <= 500; i++) {
                            engine.write(pair(i), WriteOptions.NONE);
                        }
                    } finally {
                        isDone.set(true);
                    }
                    return;
                }
                do {
                    try (Snapshot snapshot = engine.snapshot()) {
                        int left = number(snapshot, "left");
                        assertThat(number(snapshot, "right")).isEqualTo(left);
                        assertThat(content(snapshot)).containsExactly("left=" + left, "right=" + left);
                    }
                } while (!isDone.get());
            });
        }
    }

    @Test
    void aSyncWithoutWaitingCoversWhatWasWrittenBefore() throws Exception {
        try (StorageEngine engine = open()) {
            long last = 0;
            List<CompletableFuture<Long>> syncs = new ArrayList<>();
            for (int i = 0; i < 200; i++) {
                engine.put(KeyValues.key(i), bytes(i), WriteOptions.NONE);
                last = engine.stats().lastVersion();
                long written = last;
                syncs.add(engine.syncAsync().thenApply(version -> {
                    assertThat(version).isGreaterThanOrEqualTo(written);
                    return version;
                }));
            }
            for (CompletableFuture<Long> sync : syncs) {
                assertThat(sync.get(1, TimeUnit.MINUTES)).isLessThanOrEqualTo(last);
            }
            long durable = engine.durableVersion();
            assertThat(durable).isLessThanOrEqualTo(last);
            engine.put(bytes("more"), bytes("1"), WriteOptions.NONE);
            assertThat(engine.durableVersion()).isGreaterThanOrEqualTo(durable);
        }
    }

    @Test
    void whoeverWaitsForASyncIsToldWhenTheEngineCloses() throws Exception {
        for (int round = 0; round < 20; round++) {
            StorageEngine engine = open();
            List<CompletableFuture<Long>> syncs = new ArrayList<>();
            for (int i = 0; i < 10; i++) {
                engine.put(bytes(i), bytes(round), WriteOptions.NONE);
                syncs.add(engine.syncAsync());
            }
            engine.close();
            for (CompletableFuture<Long> sync : syncs) {
                assertThat(sync.get(1, TimeUnit.MINUTES)).isPositive();
            }
            CompletableFuture<Long> late = engine.syncAsync();
            assertThatThrownBy(() -> late.get(1, TimeUnit.MINUTES)).hasCauseInstanceOf(EngineClosedException.class);
        }
    }
}
