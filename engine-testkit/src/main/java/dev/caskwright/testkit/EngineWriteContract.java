package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.ChangeVisitor.Change;
import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Merging;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.ArrayList;
import java.util.List;
import java.util.Objects;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Conditional writes, batches, transactions, expiry, and the change feed. */
abstract class EngineWriteContract extends EngineReadContract {
    private static final WriteOptions OPTIONS = WriteOptions.DEFAULT;
    private static final int THREADS = 4;
    private static final Duration SECOND = Duration.ofSeconds(1);

    @Test
    void putIfAbsentPutsOnlyWhereNothingIs() throws Exception {
        try (StorageEngine engine = open()) {
            assertThat(engine.require(ConditionalWrites.class).putIfAbsent(bytes("a"), bytes("1"), OPTIONS))
                    .isTrue();
            assertThat(engine.require(ConditionalWrites.class).putIfAbsent(bytes("a"), bytes("2"), OPTIONS))
                    .isFalse();
            assertThat(get(engine, "a")).isEqualTo("1");
            engine.put(bytes("empty"), new byte[0]);
            assertThat(engine.require(ConditionalWrites.class).putIfAbsent(bytes("empty"), bytes("2"), OPTIONS))
                    .isFalse();
            engine.delete(bytes("a"));
            assertThat(engine.require(ConditionalWrites.class).putIfAbsent(bytes("a"), bytes("3"), OPTIONS))
                    .isTrue();
            assertThat(content(engine)).containsExactly("a=3", "empty=");
        }
    }

    @Test
    void replacePutsOnlyWhereTheValueIsTheExpectedOne() throws Exception {
        try (StorageEngine engine = open()) {
            assertThat(engine.require(ConditionalWrites.class).replace(bytes("a"), new byte[0], bytes("1"), OPTIONS))
                    .isFalse();
            engine.put(bytes("a"), bytes("1"));
            assertThat(engine.require(ConditionalWrites.class).replace(bytes("a"), bytes("2"), bytes("3"), OPTIONS))
                    .isFalse();
            assertThat(engine.require(ConditionalWrites.class).replace(bytes("a"), bytes("11"), bytes("3"), OPTIONS))
                    .isFalse();
            assertThat(get(engine, "a")).isEqualTo("1");
            assertThat(engine.require(ConditionalWrites.class).replace(bytes("a"), bytes("1"), new byte[0], OPTIONS))
                    .isTrue();
            assertThat(engine.require(ConditionalWrites.class).replace(bytes("a"), new byte[0], bytes("3"), OPTIONS))
                    .isTrue();
            assertThat(content(engine)).containsExactly("a=3");
        }
    }

    @Test
    void replaceVersionPutsOnlyOverThatWrite() throws Exception {
        try (StorageEngine engine = open()) {
            assertThat(engine.require(Versions.class).replaceVersion(bytes("a"), 0, bytes("1"), OPTIONS))
                    .isFalse();
            engine.put(bytes("a"), bytes("1"));
            long version = Objects.requireNonNull(engine.entry(bytes("a"))).version();
            engine.put(bytes("a"), bytes("1"));
            assertThat(engine.require(Versions.class).replaceVersion(bytes("a"), version, bytes("2"), OPTIONS))
                    .as("same value, but another write")
                    .isFalse();
            version = Objects.requireNonNull(engine.entry(bytes("a"))).version();
            engine.require(Merging.class).merge();
            assertThat(engine.require(Versions.class).replaceVersion(bytes("a"), version, bytes("3"), OPTIONS))
                    .isTrue();
            assertThat(engine.require(Versions.class).replaceVersion(bytes("a"), version, bytes("4"), OPTIONS))
                    .isFalse();
            assertThat(content(engine)).containsExactly("a=3");
        }
    }

    @Test
    void deleteIfEqualRemovesOnlyTheExpectedValue() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            assertThat(engine.require(ConditionalWrites.class).delete(bytes("a"), bytes("2"), OPTIONS))
                    .isFalse();
            assertThat(engine.require(ConditionalWrites.class).delete(bytes("b"), bytes("2"), OPTIONS))
                    .isFalse();
            assertThat(engine.require(ConditionalWrites.class).delete(bytes("a"), bytes("1"), OPTIONS))
                    .isTrue();
            assertThat(engine.require(ConditionalWrites.class).delete(bytes("a"), bytes("1"), OPTIONS))
                    .isFalse();
            assertThat(content(engine)).isEmpty();
        }
    }

    @Test
    void onlyOneOfManyPutsIfAbsent() throws Exception {
        try (StorageEngine engine = open()) {
            AtomicInteger winners = new AtomicInteger();
            int keys = 1_000;
            Meeting meeting = new Meeting();
            inThreads(2, thread -> {
                for (int i = 0; i < keys; i++) {
                    meeting.await(i);
                    if (engine.require(ConditionalWrites.class)
                            .putIfAbsent(bytes(i), bytes(thread), WriteOptions.NONE)) {
                        winners.incrementAndGet();
                        assertThat(text(engine.get(bytes(i)))).isEqualTo("" + thread);
                    }
                }
            });
            assertThat(winners.get()).isEqualTo(keys);
            assertThat(engine.size()).isEqualTo(keys);
        }
    }

    @Test
    void conditionalWritesLoseNoUpdate() throws Exception {
        int rounds = 500;
        try (StorageEngine engine = open()) {
            engine.put(bytes("byValue"), bytes(0));
            engine.put(bytes("byVersion"), bytes(0));
            Meeting meeting = new Meeting();
            inThreads(2, thread -> {
                for (int i = 0; i < rounds; i++) {
                    meeting.await(2 * i);
                    int value;
                    do {
                        value = number(engine, "byValue");
                    } while (!engine.require(ConditionalWrites.class)
                            .replace(bytes("byValue"), bytes(value), bytes(value + 1), WriteOptions.NONE));
                    meeting.await(2 * i + 1);
                    Entry entry;
                    do {
                        entry = Objects.requireNonNull(engine.entry(bytes("byVersion")));
                        value = Integer.parseInt(Objects.requireNonNull(text(entry.value())));
                    } while (!engine.require(Versions.class)
                            .replaceVersion(bytes("byVersion"), entry.version(), bytes(value + 1), WriteOptions.NONE));
                }
            });
            assertThat(number(engine, "byValue")).isEqualTo(2 * rounds);
            assertThat(number(engine, "byVersion")).isEqualTo(2 * rounds);
        }
    }

    @Test
    void manyThreadsPutAtEveryDurability() throws Exception {
        int each = 60;
        for (Durability durability : Durability.values()) {
            WriteOptions options = OPTIONS.durability(durability);
            try (StorageEngine engine = open(temporary.resolve(durability.name()), clock)) {
                inThreads(THREADS, thread -> {
                    for (int i = 0; i < each; i++) {
                        byte[] key = bytes(thread + "/" + i);
                        engine.put(key, bytes(i), options);
                        assertThat(text(engine.get(key))).isEqualTo("" + i);
                    }
                });
                assertThat(engine.size()).isEqualTo((long) THREADS * each);
            }
            try (StorageEngine engine = open(temporary.resolve(durability.name()), clock)) {
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
            engine.require(Merging.class).merge();
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

    static WriteBatch pair(int value) {
        return new WriteBatch().put(bytes("left"), bytes(value)).put(bytes("right"), bytes(value));
    }

    @Test
    void anExpiredKeyIsAbsentEverywhereAtOnce() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"), OPTIONS.timeToLive(SECOND));
            engine.put(bytes("b"), bytes("2"), OPTIONS.expiresAt(clock.instant().plus(SECOND)));
            engine.put(bytes("c"), bytes("3"));
            long deadline = clock.millis() + 1_000;
            assertThat(Objects.requireNonNull(engine.entry(bytes("a"))).expiresAtMillis())
                    .isEqualTo(deadline);
            assertThat(Objects.requireNonNull(engine.entry(bytes("b"))).expiresAtMillis())
                    .isEqualTo(deadline);

            clock.advance(Duration.ofMillis(999));
            assertThat(content(engine)).containsExactly("a=1", "b=2", "c=3");
            clock.advance(Duration.ofMillis(1));

            for (String key : List.of("a", "b")) {
                assertAbsent(engine, key);
                assertThat(engine.require(ConditionalWrites.class).replace(bytes(key), bytes("1"), bytes("x"), OPTIONS))
                        .isFalse();
                assertThat(engine.require(ConditionalWrites.class).delete(bytes(key), bytes("1"), OPTIONS))
                        .isFalse();
                assertThat(engine.require(Expiry.class).expire(bytes(key), OPTIONS))
                        .isFalse();
            }
            assertThat(engine.delete(bytes("a"))).isFalse();
            assertThat(content(engine)).containsExactly("c=3");
            try (Snapshot snapshot = engine.snapshot()) {
                assertAbsent(snapshot, "a");
                assertThat(content(snapshot)).containsExactly("c=3");
            }
            if (isOrdered()) {
                assertThat(EngineViewContract.keys(engine, Range.all())).containsExactly("c");
            }
            assertThat(engine.require(ConditionalWrites.class).putIfAbsent(bytes("b"), bytes("new"), OPTIONS))
                    .isTrue();
            assertThat(content(engine)).containsExactly("b=new", "c=3");
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).containsExactly("b=new", "c=3");
        }
    }

    private static void assertAbsent(ReadView view, String key) throws IOException {
        assertThat(view.get(bytes(key))).isNull();
        assertThat(view.get(bytes(key), ByteBuffer.allocate(10))).isEqualTo(ReadView.ABSENT);
        assertThat(view.contains(bytes(key))).isFalse();
        assertThat(view.entry(bytes(key))).isNull();
    }

    @Test
    void aDeadlineThatHasPassedIsAbsentAtOnce() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("old"));
            engine.put(bytes("a"), bytes("new"), OPTIONS.expiresAt(Instant.ofEpochMilli(1)));
            assertAbsent(engine, "a");
        }
        try (StorageEngine engine = open()) {
            assertAbsent(engine, "a");
            engine.require(Merging.class).merge();
            assertAbsent(engine, "a");
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).isEmpty();
        }
    }

    @Test
    void expiryCanBeChangedAndTakenAway() throws Exception {
        try (StorageEngine engine = open()) {
            for (String key : List.of("longer", "shorter", "persisted", "overwritten")) {
                engine.put(bytes(key), bytes(key), OPTIONS.timeToLive(SECOND));
            }
            assertThat(engine.require(Expiry.class).expire(bytes("longer"), OPTIONS.timeToLive(SECOND.multipliedBy(3))))
                    .isTrue();
            assertThat(engine.require(Expiry.class).expire(bytes("shorter"), OPTIONS.timeToLive(Duration.ofMillis(1))))
                    .isTrue();
            assertThat(engine.require(Expiry.class).expire(bytes("persisted"), OPTIONS))
                    .isTrue();
            assertThat(engine.require(Expiry.class).expire(bytes("absent"), OPTIONS))
                    .isFalse();
            engine.put(bytes("overwritten"), bytes("new"));
            assertThat(Objects.requireNonNull(engine.entry(bytes("persisted"))).expiresAtMillis())
                    .isEqualTo(Entry.NEVER);

            clock.advance(Duration.ofMillis(1));
            assertThat(content(engine)).containsExactly("longer=longer", "overwritten=new", "persisted=persisted");
            clock.advance(SECOND);
            assertThat(content(engine)).hasSize(3);
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).hasSize(3);
            clock.advance(SECOND.multipliedBy(2));
            assertThat(content(engine)).containsExactly("overwritten=new", "persisted=persisted");
        }
    }

    @Test
    void anExpiredKeyNeverComesBack() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("oldest"));
            engine.put(bytes("a"), bytes("1"), OPTIONS.timeToLive(SECOND));
            engine.put(bytes("b"), bytes("2"));
            clock.advance(SECOND);
            assertAbsent(engine, "a");
            clock.advance(SECOND.multipliedBy(-5));
            assertAbsent(engine, "a");
            clock.advance(SECOND.multipliedBy(5));
            engine.require(Merging.class).merge();
            assertAbsent(engine, "a");
        }
        clock.advance(SECOND.multipliedBy(-5));
        try (StorageEngine engine = open()) {
            assertAbsent(engine, "a");
            engine.require(Merging.class).merge();
            assertThat(content(engine)).containsExactly("b=2");
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).containsExactly("b=2");
        }
    }

    @Test
    void batchesExpireEntryByEntry() throws Exception {
        try (StorageEngine engine = open()) {
            engine.write(
                    new WriteBatch()
                            .put(bytes("a"), bytes("1"), OPTIONS.timeToLive(SECOND))
                            .put(bytes("b"), bytes("2")),
                    OPTIONS);
            assertThat(content(engine)).containsExactly("a=1", "b=2");
            clock.advance(SECOND);
            assertThat(content(engine)).containsExactly("b=2");
        }
    }

    @Test
    void aTransactionSeesItsOwnChangesAndNobodyElseDoes() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            engine.put(bytes("b"), bytes("1"));
            Transaction transaction = engine.require(Transactions.class).transaction();
            transaction.put(bytes("a"), bytes("2"));
            transaction.delete(bytes("b"));
            transaction.put(bytes("c"), bytes("3"), OPTIONS.timeToLive(SECOND));
            assertThat(text(transaction.get(bytes("a")))).isEqualTo("2");
            assertThat(transaction.get(bytes("b"))).isNull();
            assertThat(text(transaction.get(bytes("c")))).isEqualTo("3");
            assertThat(content(engine)).containsExactly("a=1", "b=1");

            engine.require(Transactions.class).transaction().put(bytes("never"), bytes("committed"));

            assertThat(transaction.commit(WriteOptions.SYNC)).isTrue();
            assertThat(content(engine)).containsExactly("a=2", "c=3");
            assertThatThrownBy(() -> transaction.commit(OPTIONS)).isInstanceOf(IllegalStateException.class);
            clock.advance(SECOND);
            assertThat(content(engine)).containsExactly("a=2");
        }
    }

    @Test
    void aTransactionFailsIfWhatItReadHasChanged() throws Exception {
        try (StorageEngine engine = open()) {
            for (String change : List.of("put", "delete", "create", "batch")) {
                engine.put(bytes("a"), bytes("1"));
                engine.delete(bytes("absent"));
                Transaction transaction = engine.require(Transactions.class).transaction();
                transaction.get(bytes("a"));
                transaction.get(bytes("absent"));
                transaction.put(bytes("result"), bytes(change));
                switch (change) {
                    case "put" -> engine.put(bytes("a"), bytes("2"));
                    case "delete" -> engine.delete(bytes("a"));
                    case "create" -> engine.put(bytes("absent"), bytes("x"));
                    default -> engine.write(new WriteBatch().put(bytes("a"), bytes("3")), OPTIONS);
                }
                assertThat(transaction.commit(OPTIONS)).as(change).isFalse();
                assertThat(engine.contains(bytes("result"))).as(change).isFalse();
            }
        }
    }

    @Test
    void aTransactionDependsOnNothingElse() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            Transaction transaction = engine.require(Transactions.class).transaction();
            transaction.get(bytes("a"));
            transaction.put(bytes("b"), bytes("mine"));
            engine.put(bytes("b"), bytes("theirs"));
            engine.put(bytes("c"), bytes("theirs"));
            engine.require(Merging.class).merge();
            assertThat(transaction.commit(OPTIONS)).isTrue();
            assertThat(content(engine)).containsExactly("a=1", "b=mine", "c=theirs");
        }
    }

    @Test
    void transactionsLoseNoUpdate() throws Exception {
        int rounds = 500;
        try (StorageEngine engine = open()) {
            engine.put(bytes("counter"), bytes(0));
            Meeting meeting = new Meeting();
            inThreads(2, thread -> {
                for (int i = 0; i < rounds; i++) {
                    meeting.await(i);
                    Transaction transaction;
                    do {
                        transaction = engine.require(Transactions.class).transaction();
                        String value = Objects.requireNonNull(text(transaction.get(bytes("counter"))));
                        transaction.put(bytes("counter"), bytes(Integer.parseInt(value) + 1));
                    } while (!transaction.commit(WriteOptions.NONE));
                }
            });
            assertThat(number(engine, "counter")).isEqualTo(2 * rounds);
        }
    }

    @Test
    void transactionsHaveNoWriteSkew() throws Exception {
        try (StorageEngine engine = open()) {
            for (int round = 0; round < 100; round++) {
                engine.write(pair(1), OPTIONS);
                // Each may set its own to 0 only while the other is 1.
                Meeting meeting = new Meeting();
                inThreads(2, thread -> {
                    meeting.await(0);
                    String own = thread == 0 ? "left" : "right";
                    String other = thread == 0 ? "right" : "left";
                    Transaction transaction = engine.require(Transactions.class).transaction();
                    if ("1".equals(text(transaction.get(bytes(other))))) {
                        transaction.put(bytes(own), bytes(0));
                        transaction.commit(WriteOptions.NONE);
                    }
                });
                assertThat(number(engine, "left") + number(engine, "right"))
                        .as("round %s", round)
                        .isEqualTo(1);
            }
        }
    }

    @Test
    void changesComeInTheOrderOfTheirCommit() throws Exception {
        try (StorageEngine engine = open()) {
            assertThat(changes(engine, 0)).isEmpty();
            assertThat(engine.require(ChangeFeed.class).changes(0, change -> true))
                    .isZero();
            engine.put(bytes("a"), bytes("1"));
            engine.put(bytes("b"), bytes("2"), OPTIONS.timeToLive(SECOND));
            engine.delete(bytes("a"));
            engine.write(pair(7), OPTIONS);
            assertThat(changes(engine, 0))
                    .containsExactly("a=1", "b=2 until " + (clock.millis() + 1_000), "a gone", "left=7 ...", "right=7");

            List<Long> versions = new ArrayList<>();
            long first = engine.require(ChangeFeed.class).changes(0, change -> {
                versions.add(change.version());
                return versions.size() < 2;
            });
            assertThat(versions).hasSize(2);
            assertThat(versions.get(0)).isLessThan(versions.get(1));
            assertThat(first).isEqualTo(versions.get(1));
            assertThat(changes(engine, first)).containsExactly("a gone", "left=7 ...", "right=7");

            long last = engine.require(ChangeFeed.class).changes(first, change -> true);
            assertThat(last).isEqualTo(engine.stats().lastVersion());
            assertThat(engine.require(ChangeFeed.class).changes(last, change -> true))
                    .isEqualTo(last);
            engine.put(bytes("c"), bytes("3"));
            assertThat(changes(engine, last)).containsExactly("c=3");
        }
        try (StorageEngine engine = open()) {
            assertThat(changes(engine, 0)).hasSize(6).endsWith("c=3");
        }
    }

    private static List<String> changes(StorageEngine engine, long version) throws IOException {
        List<String> changes = new ArrayList<>();
        engine.require(ChangeFeed.class).changes(version, change -> changes.add(describe(change)));
        return changes;
    }

    private static String describe(Change change) {
        byte[] value = change.value();
        return text(change.key())
                + (value == null ? " gone" : "=" + text(value))
                + (change.expiresAtMillis() == Entry.NEVER ? "" : " until " + change.expiresAtMillis())
                + (change.isLastOfBatch() ? "" : " ...");
    }

    @Test
    void changesAreAllThereOrSaidToBeGone() throws Exception {
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 50; i++) {
                engine.put(bytes(i % 5), bytes(i));
            }
            long last = engine.stats().lastVersion();
            engine.require(Merging.class).merge();
            engine.put(bytes("after"), bytes("merge"));
            assertThat(changes(engine, last)).containsExactly("after=merge");
            try {
                assertThat(changes(engine, 0)).hasSize(51);
            } catch (EngineException e) {
                assertThat(e.code()).isEqualTo(ErrorCode.CHANGES_GONE);
            }
        }
    }
}
