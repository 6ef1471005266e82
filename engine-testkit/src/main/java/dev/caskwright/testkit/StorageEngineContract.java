package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Merging;
import dev.caskwright.api.Range;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * What every {@link StorageEngine} must do, over every key index and IO manager. An engine's test extends this class:
 *
 * <pre>{@code
 * final class HashStandardTest extends StorageEngineContract {
 *     protected StorageEngine open(Path directory, InstantSource clock) throws IOException {
 *         return BitcaskEngine.builder(directory).index(...).io(...).clock(clock).maxFileBytes(4096).open();
 *     }
 *
 *     protected boolean isOrdered() {
 *         return false;
 *     }
 * }
 * }</pre>
 *
 * <p>Random tests name their seed in the message of a failure; {@code -Dcaskwright.seed=N} runs them with that one only.
 */
@Timeout(value = 240, unit = TimeUnit.SECONDS)
public abstract class StorageEngineContract extends EngineKeepingContract {
    private static final int SEEDS = 6;
    private static final int STEPS = 500;
    private static final int REOPEN_ONE_IN = 50;

    @Override
    protected abstract StorageEngine open(Path directory, InstantSource clock) throws IOException;

    @Override
    protected abstract boolean isOrdered();

    @Test
    void reopeningKeepsEverything() throws Exception {
        Random random = new Random(1);
        Map<Integer, byte[]> expected = new TreeMap<>();
        for (int round = 0; round < 5; round++) {
            try (StorageEngine engine = open()) {
                assertThat(engine.size()).isEqualTo(expected.size());
                for (Map.Entry<Integer, byte[]> entry : expected.entrySet()) {
                    assertThat(engine.get(KeyValues.key(entry.getKey()))).isEqualTo(entry.getValue());
                }
                for (int i = 0; i < 200; i++) {
                    int key = random.nextInt(300);
                    if (random.nextInt(3) == 0) {
                        assertThat(engine.delete(KeyValues.key(key))).isEqualTo(expected.remove(key) != null);
                    } else {
                        byte[] value = KeyValues.value(random, 300);
                        engine.put(KeyValues.key(key), value);
                        expected.put(key, value);
                    }
                }
            }
        }
    }

    @Test
    void aStoreHasOneOwner() throws Exception {
        StorageEngine engine = open();
        engine.put(bytes("a"), bytes("1"));
        for (int i = 0; i < 3; i++) {
            assertThatThrownBy(this::open).isInstanceOf(EngineLockedException.class);
        }
        engine.put(bytes("b"), bytes("2"));
        engine.close();
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1", "b=2");
            engine.close();
            assertThatThrownBy(this::open).isInstanceOf(EngineLockedException.class);
        }
    }

    @Test
    void aClosedEngineRefusesEverything() throws Exception {
        StorageEngine engine = open();
        byte[] key = bytes("a");
        WriteOptions options = WriteOptions.DEFAULT;
        engine.put(key, bytes("1"));
        Snapshot snapshot = engine.snapshot();
        Transaction transaction = engine.require(Transactions.class).transaction();
        transaction.put(key, bytes("2"));
        engine.close();
        engine.close();

        assertClosed(() -> engine.get(key));
        assertClosed(() -> engine.get(key, ByteBuffer.allocate(1)));
        assertClosed(() -> engine.contains(key));
        assertClosed(() -> engine.entry(key));
        assertClosed(() -> engine.visit(entry -> true));
        assertClosed(() -> engine.put(key, key));
        assertClosed(() -> engine.delete(key));
        assertClosed(() -> engine.require(ConditionalWrites.class).putIfAbsent(bytes("b"), key, options));
        assertClosed(() -> engine.require(ConditionalWrites.class).replace(key, bytes("1"), key, options));
        assertClosed(() -> engine.require(Versions.class).replaceVersion(key, 1, key, options));
        assertClosed(() -> engine.require(ConditionalWrites.class).delete(key, bytes("1"), options));
        assertClosed(() -> engine.require(Expiry.class).expire(key, options));
        assertClosed(() -> engine.write(new WriteBatch().put(key, key), options));
        assertClosed(engine::snapshot);
        assertClosed(() -> engine.require(ChangeFeed.class).changes(0, change -> true));
        assertClosed(engine::sync);
        assertClosed(engine.require(Merging.class)::merge);
        assertClosed(() -> engine.require(Backups.class).backup(temporary.resolve("backup")));
        assertClosed(() -> snapshot.get(key));
        assertClosed(() -> snapshot.visit(entry -> true));
        assertClosed(() -> transaction.commit(options));
        snapshot.close();
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1");
        }
    }

    @Test
    void closedViewsRefuse() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            Snapshot snapshot = engine.snapshot();
            snapshot.close();
            assertClosed(() -> snapshot.get(bytes("a")));
            assertClosed(() -> snapshot.visit(entry -> true));
            if (isOrdered()) {
                Cursor cursor = ordered(engine).range(Range.all());
                cursor.close();
                cursor.close();
                assertClosed(cursor::next);
            }
            assertThat(get(engine, "a")).isEqualTo("1");
        }
    }

    private static void assertClosed(ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOf(EngineClosedException.class);
    }

    @Test
    void callsUnderWayEndWhenTheEngineCloses() throws Exception {
        for (int round = 0; round < 5; round++) {
            StorageEngine engine = open();
            inThreads(4, thread -> {
                if (thread == 0) {
                    engine.put(bytes("closer"), bytes("1"));
                    engine.close();
                    return;
                }
                try {
                    for (int i = 0; ; i++) {
                        if (thread == 1) {
                            engine.put(bytes(i % 20), bytes(i), WriteOptions.WRITE);
                        } else if (thread == 2) {
                            engine.get(bytes(i % 20));
                            KeyValues.entries(engine);
                        } else {
                            engine.require(Merging.class).merge();
                        }
                    }
                } catch (EngineClosedException e) {
                    assertThat(e.code()).isNotNull();
                }
            });
        }
        open().close();
    }

    @Test
    void anInterruptSpoilsAtMostItsOwnCall() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            inThreads(2, thread -> {
                for (int i = 0; i < 100; i++) {
                    byte[] key = bytes(thread + "/" + i);
                    boolean isAcknowledged = true;
                    if (thread == 0) {
                        Thread.currentThread().interrupt();
                        try {
                            engine.put(key, bytes(i), i % 2 == 0 ? WriteOptions.WRITE : WriteOptions.SYNC);
                            engine.get(bytes("a"));
                        } catch (IOException e) {
                            isAcknowledged = false;
                        }
                        Thread.interrupted();
                    } else {
                        engine.put(key, bytes(i), i % 2 == 0 ? WriteOptions.WRITE : WriteOptions.SYNC);
                    }
                    if (isAcknowledged) {
                        assertThat(text(engine.get(key))).isEqualTo("" + i);
                    }
                    assertThat(get(engine, "a")).isEqualTo("1");
                }
            });
            assertThat(engine.health()).isNull();
            engine.put(bytes("after"), bytes("1"));
        }
        try (StorageEngine engine = open()) {
            assertThat(get(engine, "after")).isEqualTo("1");
            assertThat(get(engine, "1/99")).isEqualTo("99");
        }
    }

    @Test
    void aMergeKeepsTheContentAndGivesSpaceBack() throws Exception {
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
    void aDeletedKeyStaysDeletedThroughMergesAndReopens() throws Exception {
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
    void mergesRunBesideReadersAndWriters() throws Exception {
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
    void aBackupIsAStore() throws Exception {
        Path target = temporary.resolve("backup");
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 100; i++) {
                engine.put(KeyValues.key(i), bytes(i));
            }
            engine.delete(KeyValues.key(0));
            engine.require(Backups.class).backup(target);
            engine.put(bytes("later"), bytes("1"));
            engine.delete(KeyValues.key(1));
            try (StorageEngine copy = open(target, clock)) {
                assertThat(KeyValues.entries(copy)).hasSize(99);
                assertThat(text(copy.get(KeyValues.key(1)))).isEqualTo("1");
                assertThat(copy.contains(bytes("later"))).isFalse();
            }
            assertThat(get(engine, "later")).isEqualTo("1");
        }
    }

    @Test
    void aBackupIsBroughtUpToDateByAnother() throws Exception {
        Path target = temporary.resolve("backup");
        try (StorageEngine engine = open()) {
            for (int round = 0; round < 4; round++) {
                for (int i = 0; i < 50; i++) {
                    engine.put(KeyValues.key(i), bytes(round));
                }
                engine.delete(KeyValues.key(round));
                if (round == 2) {
                    engine.require(Merging.class).merge();
                }
                engine.require(Backups.class).backup(target);
            }
            engine.put(bytes("later"), bytes("1"));
        }
        try (StorageEngine copy = open(target, clock)) {
            assertThat(copy.size()).isEqualTo(49);
            assertThat(text(copy.get(KeyValues.key(0)))).isEqualTo("3");
            assertThat(copy.contains(KeyValues.key(3))).isFalse();
            copy.put(bytes("own"), bytes("1"));
        }
        try (StorageEngine engine = open()) {
            assertThat(get(engine, "later")).isEqualTo("1");
            assertThat(engine.contains(bytes("own"))).isFalse();
        }
    }

    @Test
    void aBackupBesideAWriterShowsOneMoment() throws Exception {
        Path target = temporary.resolve("backup");
        AtomicBoolean isDone = new AtomicBoolean();
        try (StorageEngine engine = open()) {
            engine.write(pair(0), WriteOptions.DEFAULT);
            inThreads(2, thread -> {
                if (thread == 0) {
                    for (int i = 1; !isDone.get() && !Thread.currentThread().isInterrupted(); i++) {
                        engine.write(pair(i), WriteOptions.NONE);
                    }
                    return;
                }
                try {
                    engine.require(Backups.class).backup(target);
                } finally {
                    isDone.set(true);
                }
            });
        }
        try (StorageEngine copy = open(target, clock)) {
            assertThat(number(copy, "left")).isNotNegative().isEqualTo(number(copy, "right"));
        }
    }

    @Test
    void aDirectoryThatIsAFileIsRefused() throws Exception {
        Path file = Files.writeString(temporary.resolve("file"), "not a store");
        assertThatThrownBy(() -> open(file, clock)).isInstanceOf(IOException.class);
        assertThat(Files.readString(file)).isEqualTo("not a store");
    }

    @Test
    void randomHistoriesGiveTheAnswersOfTheModel() throws Exception {
        Long only = Long.getLong("caskwright.seed");
        for (long seed = 0; seed < SEEDS; seed++) {
            randomHistory(only == null ? seed : only);
        }
    }

    private void randomHistory(long seed) throws Exception {
        ManualClock time = new ManualClock();
        StoreModel model = new StoreModel(Durability.WRITE, time);
        RandomHistory history = new RandomHistory(seed, model, time);
        Random random = new Random(~seed);
        Path directory = temporary.resolve("random" + seed + "-" + random.nextInt());
        StorageEngine engine = open(directory, time);
        try {
            for (int i = 0; i < STEPS; i++) {
                history.step(engine);
                if (random.nextInt(REOPEN_ONE_IN) == 0) {
                    engine.close();
                    history.forgetSnapshots();
                    engine = open(directory, time);
                    model.reopened(KeyValues.entries(engine));
                }
            }
            model.assertCurrent(KeyValues.entries(engine));
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError(history + ": " + e.getMessage(), e);
        } finally {
            engine.close();
        }
    }
}
