package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.inThreads;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.number;
import static dev.caskwright.testkit.EngineSteps.pair;
import static dev.caskwright.testkit.EngineSteps.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Expiry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.Transactions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.EngineSteps.Meeting;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Optimistic transactions: what an engine that holds {@link Transactions} must do. */
public interface TransactionsContract extends EngineFixture {
    WriteOptions OPTIONS = WriteOptions.DEFAULT;
    Duration SECOND = Duration.ofSeconds(1);

    @Test
    default void aTransactionSeesItsOwnChangesAndNobodyElseDoes() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            engine.put(bytes("b"), bytes("1"));
            Transaction transaction = engine.require(Transactions.class).transaction();
            transaction.put(bytes("a"), bytes("2"));
            transaction.delete(bytes("b"));
            transaction.put(bytes("c"), bytes("3"), withExpiry(engine));
            assertThat(text(transaction.get(bytes("a")))).isEqualTo("2");
            assertThat(transaction.get(bytes("b"))).isNull();
            assertThat(text(transaction.get(bytes("c")))).isEqualTo("3");
            assertThat(content(engine)).containsExactly("a=1", "b=1");

            engine.require(Transactions.class).transaction().put(bytes("never"), bytes("committed"));

            assertThat(transaction.commit(WriteOptions.SYNC)).isTrue();
            assertThat(content(engine)).containsExactly("a=2", "c=3");
            assertThatThrownBy(() -> transaction.commit(OPTIONS)).isInstanceOf(IllegalStateException.class);
            if (engine.facet(Expiry.class).isPresent()) {
                clock().advance(SECOND);
                assertThat(content(engine)).containsExactly("a=2");
            }
        }
    }

    /** Returns options with an expiry, if the engine has that. */
    private static WriteOptions withExpiry(StorageEngine engine) {
        return engine.facet(Expiry.class).isPresent() ? OPTIONS.timeToLive(SECOND) : OPTIONS;
    }

    @Test
    default void aTransactionFailsIfWhatItReadHasChanged() throws Exception {
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
    default void aTransactionDependsOnNothingElse() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            Transaction transaction = engine.require(Transactions.class).transaction();
            transaction.get(bytes("a"));
            transaction.put(bytes("b"), bytes("mine"));
            engine.put(bytes("b"), bytes("theirs"));
            engine.put(bytes("c"), bytes("theirs"));
            merge(engine);
            assertThat(transaction.commit(OPTIONS)).isTrue();
            assertThat(content(engine)).containsExactly("a=1", "b=mine", "c=theirs");
        }
    }

    @Test
    default void transactionsLoseNoUpdate() throws Exception {
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
    default void transactionsHaveNoWriteSkew() throws Exception {
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
    default void aClosedEngineRefusesTransactions() throws Exception {
        StorageEngine engine = open();
        Transactions held = engine.require(Transactions.class);
        Transaction begun = held.transaction();
        begun.put(bytes("a"), bytes("1"));
        engine.close();
        assertClosed(() -> begun.commit(OPTIONS));
        assertClosed(() -> held.transaction().get(bytes("a")));
        try (StorageEngine next = open()) {
            assertThat(content(next)).isEmpty();
        }
    }

    @Test
    default void aTransactionIsRunAgainUntilItCommits() throws Exception {
        int rounds = 300;
        try (StorageEngine engine = open()) {
            Transactions held = engine.require(Transactions.class);
            engine.write(pair(0));
            Meeting meeting = new Meeting();
            inThreads(2, thread -> {
                for (int i = 0; i < rounds; i++) {
                    meeting.await(i);
                    held.transact(WriteOptions.NONE, transaction -> {
                        int left = Integer.parseInt(Objects.requireNonNull(text(transaction.get(bytes("left")))));
                        transaction.put(bytes("left"), bytes(left + 1));
                        transaction.put(bytes("right"), bytes(left + 1));
                        return null;
                    });
                }
            });
            assertThat(number(engine, "left")).isEqualTo(2 * rounds);
            assertThat(number(engine, "right")).isEqualTo(2 * rounds);
            assertThatThrownBy(() -> held.transact(OPTIONS, transaction -> {
                        transaction.put(bytes("left"), bytes(-1));
                        throw new IllegalStateException("changed its mind");
                    }))
                    .hasMessage("changed its mind");
            assertThat(number(engine, "left")).isEqualTo(2 * rounds);
        }
    }
}
