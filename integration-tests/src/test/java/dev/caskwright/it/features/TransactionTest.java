package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Range;
import dev.caskwright.api.Transaction;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** What optimistic transactions isolate, anomaly by anomaly. */
final class TransactionTest extends FeatureFixture {
    private static final WriteOptions OPTIONS = WriteOptions.DEFAULT;

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void noUpdateIsLost(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        put(engine, "counter", "1");
        Transaction one = engine.transaction();
        Transaction other = engine.transaction();
        assertThat(one.get(bytes("counter"))).isEqualTo(other.get(bytes("counter")));
        one.put(bytes("counter"), bytes("2"));
        other.put(bytes("counter"), bytes("2"));
        assertThat(one.commit(OPTIONS)).isTrue();
        assertThat(other.commit(OPTIONS)).isFalse();
        assertThat(engine.stats().lastVersion()).isEqualTo(2);
        engine.close();
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void thereIsNoWriteSkew(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        put(engine, "alice", "on call");
        put(engine, "bob", "on call");
        Transaction one = engine.transaction();
        Transaction other = engine.transaction();
        for (Transaction each : List.of(one, other)) {
            assertThat(each.get(bytes("alice"))).isNotNull();
            assertThat(each.get(bytes("bob"))).isNotNull();
        }
        one.delete(bytes("alice"));
        other.delete(bytes("bob"));
        assertThat(other.commit(OPTIONS)).isTrue();
        assertThat(one.commit(OPTIONS)).isFalse();
        assertThat(content(engine)).containsOnlyKeys("alice");
        engine.close();
    }

    @Test
    void nothingThatIsNotCommittedIsSeen() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "old");
        Transaction writer = engine.transaction();
        writer.put(bytes("key"), bytes("new"));
        writer.delete(bytes("other"));
        assertThat(get(engine, "key")).isEqualTo("old");
        assertThat(text(engine.transaction().get(bytes("key")))).isEqualTo("old");
        assertThat(text(writer.get(bytes("key")))).isEqualTo("new");
        assertThat(writer.get(bytes("other"))).isNull();
        engine.close();
        engine = open();
        assertThat(get(engine, "key")).isEqualTo("old");
        engine.close();
    }

    @Test
    void readsThatDoNotRepeatPreventTheCommit() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "old");
        Transaction transaction = engine.transaction();
        assertThat(text(transaction.get(bytes("key")))).isEqualTo("old");
        put(engine, "key", "new");
        assertThat(text(transaction.get(bytes("key")))).isEqualTo("new");
        transaction.put(bytes("copy"), bytes("either"));
        assertThat(transaction.commit(OPTIONS)).isFalse();
        assertThat(get(engine, "copy")).isNull();
        engine.close();
    }

    @Test
    void aKeyThatWasAbsentMustStayAbsent() throws IOException {
        BitcaskEngine engine = open();
        Transaction one = engine.transaction();
        assertThat(one.get(bytes("name"))).isNull();
        one.put(bytes("name"), bytes("one"));
        put(engine, "name", "taken");
        assertThat(one.commit(OPTIONS)).isFalse();
        Transaction other = engine.transaction();
        assertThat(other.get(bytes("name"))).isNotNull();
        delete(engine, "name");
        put(engine, "name", "taken");
        other.put(bytes("name"), bytes("other"));
        assertThat(other.commit(OPTIONS))
                .as("the same value, written again, is a change")
                .isFalse();
        engine.close();
    }

    @Test
    void mergesAndExpiryCountRightly() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value");
        put(engine, "short-lived", "value", Duration.ofMinutes(1));
        Transaction one = engine.transaction();
        assertThat(one.get(bytes("key"))).isNotNull();
        engine.merge();
        one.put(bytes("copy"), bytes("value"));
        assertThat(one.commit(OPTIONS)).as("a merge changes nothing").isTrue();
        Transaction other = engine.transaction();
        assertThat(other.get(bytes("short-lived"))).isNotNull();
        clock.advance(Duration.ofMinutes(1));
        other.put(bytes("copy"), bytes("changed"));
        assertThat(other.commit(OPTIONS)).as("an expired key has changed").isFalse();
        engine.close();
    }

    @Test
    void itEndsWithItsCommit() throws IOException {
        BitcaskEngine engine = open();
        Transaction transaction = engine.transaction();
        transaction.put(bytes("key"), bytes("value"));
        assertThat(transaction.commit(OPTIONS)).isTrue();
        assertThatThrownBy(() -> transaction.commit(OPTIONS)).isInstanceOf(IllegalStateException.class);
        engine.close();
    }

    /** Keys that are found through an ordered view are not tracked, as documented: this is no promise, but a limit. */
    @Test
    void phantomsAreNotPrevented() throws IOException {
        BitcaskEngine engine =
                new Backend("btree", "standard").builder(directory(), clock).open();
        put(engine, "task 1", "open");
        Transaction transaction = engine.transaction();
        List<String> found = new ArrayList<>();
        try (var cursor = engine.ordered().range(Range.prefix(bytes("task ")))) {
            for (var entry = cursor.next(); entry != null; entry = cursor.next()) {
                found.add(text(transaction.get(entry.key())));
            }
        }
        put(engine, "task 2", "open");
        transaction.put(bytes("count"), bytes(String.valueOf(found.size())));
        assertThat(transaction.commit(OPTIONS)).isTrue();
        assertThat(get(engine, "count")).isEqualTo("1");
        engine.close();
    }

    @Test
    void aKeyThatExpiresAfterItWasReadHasChanged() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "session", "open", Duration.ofSeconds(5));
        Transaction transaction = engine.transaction();
        assertThat(transaction.get(bytes("session"))).isNotNull();
        transaction.put(bytes("login"), bytes("granted"));
        clock.advance(Duration.ofSeconds(5));
        assertThat(transaction.commit(OPTIONS)).isFalse();
        assertThat(get(engine, "login")).isNull();
        engine.close();
    }

    @Test
    void aKeyThatWasAbsentAndIsAgainHasNotChanged() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "session", "open", Duration.ofSeconds(5));
        clock.advance(Duration.ofSeconds(5));
        Transaction transaction = engine.transaction();
        assertThat(transaction.get(bytes("session"))).isNull();
        put(engine, "session", "open again", Duration.ofSeconds(5));
        clock.advance(Duration.ofSeconds(5));
        transaction.put(bytes("login"), bytes("refused"));
        assertThat(transaction.commit(OPTIONS)).isTrue();
        assertThat(get(engine, "login")).isEqualTo("refused");
        engine.close();
    }
}
