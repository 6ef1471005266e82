package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.time.Duration;
import java.time.Instant;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ExpiryTest extends FeatureFixture {
    private static final Duration MINUTE = Duration.ofMinutes(1);

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void whatHasExpiredNeverComesBack(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        put(engine, "key", "without expiry");
        put(engine, "other", "stays");
        engine.merge(); // the version without expiry is in a file of its own now
        put(engine, "key", "value", MINUTE);
        clock.advance(MINUTE.minusMillis(1));
        assertThat(get(engine, "key")).isEqualTo("value");
        clock.advance(Duration.ofMillis(1));
        assertThat(get(engine, "key")).isNull();
        clock.advance(MINUTE.negated().multipliedBy(100));
        assertGone(engine);
        engine.merge();
        assertGone(engine);
        engine.close();
        for (int i = 0; i < 2; i++) {
            engine = backend.builder(directory(), clock).open();
            assertGone(engine);
            engine.merge();
            engine.close();
        }
    }

    private static void assertGone(BitcaskEngine engine) throws IOException {
        assertThat(get(engine, "key")).isNull();
        assertThat(engine.contains(bytes("key"))).isFalse();
        assertThat(content(engine)).isEqualTo(Map.of("other", "stays"));
        assertThat(engine.delete(bytes("key"))).isFalse();
    }

    @Test
    void whatWasSeenToExpireStaysSoAfterACrash() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        BitcaskEngine engine = builder().io(disk.factory()).open();
        put(engine, "key", "value", MINUTE);
        clock.advance(MINUTE);
        assertThat(get(engine, "key")).isNull();
        clock.advance(MINUTE.negated());
        BitcaskEngine reopened = builder().io(disk.kill().factory()).open();
        assertThat(get(reopened, "key")).isNull();
        assertThat(content(reopened)).isEmpty();
        reopened.close();
    }

    @Test
    void aMergeGivesTheSpaceBackThoughNobodyRead() throws IOException {
        BitcaskEngine engine = open();
        for (int i = 0; i < 50; i++) {
            put(engine, "key" + i, "v".repeat(50), MINUTE);
        }
        put(engine, "stays", "value");
        clock.advance(MINUTE);
        assertThat(engine.size()).isEqualTo(51);
        engine.merge();
        assertThat(engine.size()).isEqualTo(1);
        assertThat(engine.stats().space().files()).isEqualTo(1);
        assertThat(engine.stats().space().diskBytes()).isLessThan(200);
        engine.close();
        engine = open();
        assertThat(engine.size()).isEqualTo(1);
        engine.close();
    }

    @Test
    void theDeadlineIsReadChangedAndTakenAway() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value", MINUTE);
        long expected = clock.millis() + MINUTE.toMillis();
        assertThat(expiry(engine)).isEqualTo(expected);
        clock.advance(Duration.ofSeconds(10));
        assertThat(engine.expire(bytes("key"), WriteOptions.DEFAULT.timeToLive(MINUTE)))
                .isTrue();
        assertThat(expiry(engine)).isEqualTo(expected + 10_000);
        Instant deadline = clock.instant().plusSeconds(5);
        assertThat(engine.expire(bytes("key"), WriteOptions.DEFAULT.expiresAt(deadline)))
                .isTrue();
        assertThat(expiry(engine)).isEqualTo(deadline.toEpochMilli());
        engine.close();
        engine = open();
        assertThat(expiry(engine)).isEqualTo(deadline.toEpochMilli());
        assertThat(engine.expire(bytes("key"), WriteOptions.DEFAULT)).isTrue();
        assertThat(expiry(engine)).isEqualTo(Entry.NEVER);
        clock.advance(MINUTE);
        assertThat(get(engine, "key")).isEqualTo("value");
        assertThat(engine.expire(bytes("absent"), WriteOptions.DEFAULT)).isFalse();
        engine.close();
    }

    private static long expiry(BitcaskEngine engine) throws IOException {
        Entry entry = engine.entry(bytes("key"));
        if (entry == null) {
            throw new AssertionError("the key is absent");
        }
        return entry.expiresAtMillis();
    }

    @Test
    void aPutWithoutADeadlineTakesItAway() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value", MINUTE);
        put(engine, "key", "again");
        clock.advance(MINUTE);
        assertThat(get(engine, "key")).isEqualTo("again");
        engine.close();
    }

    @Test
    void anExpiredKeyIsAbsentForConditionalWrites() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "key", "value", MINUTE);
        clock.advance(MINUTE);
        WriteOptions options = WriteOptions.DEFAULT;
        assertThat(engine.replace(bytes("key"), bytes("value"), bytes("new"), options))
                .isFalse();
        assertThat(engine.replaceVersion(bytes("key"), 1, bytes("new"), options))
                .isFalse();
        assertThat(engine.delete(bytes("key"), bytes("value"), options)).isFalse();
        assertThat(engine.expire(bytes("key"), options)).isFalse();
        assertThat(engine.putIfAbsent(bytes("key"), bytes("new"), options)).isTrue();
        assertThat(get(engine, "key")).isEqualTo("new");
        engine.close();
    }

    @Test
    void entriesOfABatchExpireOnTheirOwn() throws IOException {
        BitcaskEngine engine = open();
        WriteBatch batch = new WriteBatch()
                .put(bytes("minute"), bytes("1"), WriteOptions.DEFAULT.timeToLive(MINUTE))
                .put(bytes("hour"), bytes("2"), WriteOptions.DEFAULT.timeToLive(Duration.ofHours(1)))
                .put(bytes("ever"), bytes("3"));
        engine.write(batch, WriteOptions.DEFAULT);
        clock.advance(MINUTE);
        assertThat(content(engine)).isEqualTo(Map.of("hour", "2", "ever", "3"));
        engine.merge();
        clock.advance(Duration.ofHours(1));
        engine.close();
        engine = open();
        assertThat(content(engine)).isEqualTo(Map.of("ever", "3"));
        // Each write of a batch starts its own time to live.
        engine.write(batch, WriteOptions.DEFAULT);
        assertThat(content(engine)).containsOnlyKeys("minute", "hour", "ever");
        engine.close();
    }

    @Test
    void deadlinesAtTheEdges() throws IOException {
        BitcaskEngine engine = open();
        put(engine, "for ever", "value", Duration.ofMillis(Long.MAX_VALUE));
        engine.put(bytes("past"), bytes("value"), WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(1)));
        assertThat(get(engine, "for ever")).isEqualTo("value");
        assertThat(get(engine, "past")).isNull();
        assertThatThrownBy(() -> WriteOptions.DEFAULT.timeToLive(Duration.ZERO))
                .isInstanceOf(IllegalArgumentException.class);
        assertThatThrownBy(() -> WriteOptions.DEFAULT.expiresAt(Instant.EPOCH))
                .isInstanceOf(IllegalArgumentException.class);
        engine.close();
    }
}
