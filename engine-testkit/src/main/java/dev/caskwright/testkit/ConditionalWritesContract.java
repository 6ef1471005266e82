package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
import static dev.caskwright.testkit.EngineSteps.assertRefused;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.get;
import static dev.caskwright.testkit.EngineSteps.inThreads;
import static dev.caskwright.testkit.EngineSteps.number;
import static dev.caskwright.testkit.EngineSteps.text;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.EngineSteps.Meeting;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;

/** Conditional writes: what an engine that holds {@link ConditionalWrites} must do. */
public interface ConditionalWritesContract extends EngineFixture {
    WriteOptions OPTIONS = WriteOptions.DEFAULT;

    @Test
    default void putIfAbsentPutsOnlyWhereNothingIs() throws Exception {
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
    default void replacePutsOnlyWhereTheValueIsTheExpectedOne() throws Exception {
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
    default void deleteIfEqualRemovesOnlyTheExpectedValue() throws Exception {
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
    default void aConditionThatFailsWritesNothing() throws Exception {
        try (StorageEngine engine = open()) {
            ConditionalWrites held = engine.require(ConditionalWrites.class);
            engine.put(bytes("a"), bytes("1"));
            long version = engine.stats().lastVersion();
            held.delete(bytes("a"), bytes("other"));
            held.replace(bytes("a"), bytes("other"), bytes("2"));
            held.putIfAbsent(bytes("a"), bytes("2"));
            assertThat(engine.stats().lastVersion()).isEqualTo(version);
            assertThat(content(engine)).containsExactly("a=1");
        }
    }

    @Test
    default void onlyOneOfManyPutsIfAbsent() throws Exception {
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
    default void conditionalWritesLoseNoUpdate() throws Exception {
        int rounds = 500;
        try (StorageEngine engine = open()) {
            engine.put(bytes("byValue"), bytes(0));
            Meeting meeting = new Meeting();
            inThreads(2, thread -> {
                for (int i = 0; i < rounds; i++) {
                    meeting.await(i);
                    int value;
                    do {
                        value = number(engine, "byValue");
                    } while (!engine.require(ConditionalWrites.class)
                            .replace(bytes("byValue"), bytes(value), bytes(value + 1), WriteOptions.NONE));
                }
            });
            assertThat(number(engine, "byValue")).isEqualTo(2 * rounds);
        }
    }

    @Test
    default void conditionalWritesRefuseKeysOfOtherLengths() throws Exception {
        try (StorageEngine engine = open()) {
            ConditionalWrites held = engine.require(ConditionalWrites.class);
            byte[] value = bytes("v");
            long version = engine.stats().lastVersion();
            for (byte[] key : new byte[][] {{}, new byte[StorageEngine.MAX_KEY_LENGTH + 1]}) {
                assertRefused(() -> held.putIfAbsent(key, value));
                assertRefused(() -> held.replace(key, value, value));
                assertRefused(() -> held.delete(key, value));
            }
            assertThat(engine.stats().lastVersion()).isEqualTo(version);
        }
    }

    @Test
    default void aClosedEngineRefusesConditionalWrites() throws Exception {
        StorageEngine engine = open();
        byte[] key = bytes("a");
        engine.put(key, bytes("1"));
        ConditionalWrites held = engine.require(ConditionalWrites.class);
        engine.close();
        assertClosed(() -> held.putIfAbsent(bytes("b"), key));
        assertClosed(() -> held.replace(key, bytes("1"), key));
        assertClosed(() -> held.delete(key, bytes("1")));
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1");
        }
    }

    @Test
    default void updatesAreTriedAgainUntilNobodyComesBetween() throws Exception {
        int rounds = 500;
        try (StorageEngine engine = open()) {
            ConditionalWrites held = engine.require(ConditionalWrites.class);
            Meeting meeting = new Meeting();
            inThreads(2, thread -> {
                for (int i = 0; i < rounds; i++) {
                    meeting.await(i);
                    held.update(
                            bytes("text"),
                            value -> bytes((value == null ? 0 : Integer.parseInt(new String(value, UTF_8))) + 1),
                            WriteOptions.NONE);
                    held.increment(bytes("counter"), 2, WriteOptions.NONE);
                }
            });
            assertThat(number(engine, "text")).isEqualTo(2 * rounds);
            assertThat(held.increment(bytes("counter"), -1)).isEqualTo(4L * rounds - 1);
        }
    }

    @Test
    default void anUpdateMayRemoveOrLeave() throws Exception {
        try (StorageEngine engine = open()) {
            ConditionalWrites held = engine.require(ConditionalWrites.class);
            engine.put(bytes("a"), bytes("1"));
            assertThat(held.update(bytes("a"), value -> null)).isNull();
            assertThat(held.update(bytes("a"), value -> null)).isNull();
            assertThat(content(engine)).isEmpty();
            assertThat(text(held.update(bytes("a"), value -> bytes("2")))).isEqualTo("2");
            assertThat(content(engine)).containsExactly("a=2");
        }
    }

    @Test
    default void whatIsNoCounterStaysAsItIs() throws Exception {
        try (StorageEngine engine = open()) {
            ConditionalWrites held = engine.require(ConditionalWrites.class);
            engine.put(bytes("text"), bytes("1"));
            assertThatThrownBy(() -> held.increment(bytes("text"), 1)).isInstanceOf(IllegalStateException.class);
            assertThat(held.increment(bytes("full"), Long.MAX_VALUE)).isEqualTo(Long.MAX_VALUE);
            assertThatThrownBy(() -> held.increment(bytes("full"), 1)).isInstanceOf(ArithmeticException.class);
            assertThat(get(engine, "text")).isEqualTo("1");
            assertThat(held.increment(bytes("full"), 0)).isEqualTo(Long.MAX_VALUE);
        }
    }
}
