package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
import static dev.caskwright.testkit.EngineSteps.assertRefused;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.get;
import static dev.caskwright.testkit.EngineSteps.keys;
import static dev.caskwright.testkit.EngineSteps.merge;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.ConditionalWrites;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.OrderedView;
import dev.caskwright.api.Range;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.time.Duration;
import java.time.Instant;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Expiry: what an engine that holds {@link Expiry} must do. */
public interface ExpiryContract extends EngineFixture {
    WriteOptions OPTIONS = WriteOptions.DEFAULT;
    Duration SECOND = Duration.ofSeconds(1);

    @Test
    default void anExpiredKeyIsAbsentEverywhereAtOnce() throws Exception {
        try (StorageEngine engine = open()) {
            ConditionalWrites conditional =
                    engine.facet(ConditionalWrites.class).orElse(null);
            engine.put(bytes("a"), bytes("1"), OPTIONS.timeToLive(SECOND));
            engine.put(
                    bytes("b"), bytes("2"), OPTIONS.expiresAt(clock().instant().plus(SECOND)));
            engine.put(bytes("c"), bytes("3"));
            long deadline = clock().millis() + 1_000;
            assertThat(Objects.requireNonNull(engine.entry(bytes("a"))).expiresAtMillis())
                    .isEqualTo(deadline);
            assertThat(Objects.requireNonNull(engine.entry(bytes("b"))).expiresAtMillis())
                    .isEqualTo(deadline);

            clock().advance(Duration.ofMillis(999));
            assertThat(content(engine)).containsExactly("a=1", "b=2", "c=3");
            clock().advance(Duration.ofMillis(1));

            for (String key : List.of("a", "b")) {
                assertAbsent(engine, key);
                if (conditional != null) {
                    assertThat(conditional.replace(bytes(key), bytes("1"), bytes("x")))
                            .isFalse();
                    assertThat(conditional.delete(bytes(key), bytes("1"))).isFalse();
                }
                assertThat(engine.require(Expiry.class).expire(bytes(key), OPTIONS))
                        .isFalse();
            }
            assertThat(engine.delete(bytes("a"))).isFalse();
            assertThat(content(engine)).containsExactly("c=3");
            try (Snapshot snapshot = engine.snapshot()) {
                assertAbsent(snapshot, "a");
                assertThat(content(snapshot)).containsExactly("c=3");
            }
            if (engine.facet(OrderedView.class).isPresent()) {
                assertThat(keys(engine, Range.all())).containsExactly("c");
            }
            if (conditional == null) {
                engine.put(bytes("b"), bytes("new"));
            } else {
                assertThat(conditional.putIfAbsent(bytes("b"), bytes("new"))).isTrue();
            }
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
    default void aDeadlineThatHasPassedIsAbsentAtOnce() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("old"));
            engine.put(bytes("a"), bytes("new"), OPTIONS.expiresAt(Instant.ofEpochMilli(1)));
            assertAbsent(engine, "a");
        }
        try (StorageEngine engine = open()) {
            assertAbsent(engine, "a");
            merge(engine);
            assertAbsent(engine, "a");
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).isEmpty();
        }
    }

    @Test
    default void expiryCanBeChangedAndTakenAway() throws Exception {
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

            clock().advance(Duration.ofMillis(1));
            assertThat(content(engine)).containsExactly("longer=longer", "overwritten=new", "persisted=persisted");
            clock().advance(SECOND);
            assertThat(content(engine)).hasSize(3);
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).hasSize(3);
            clock().advance(SECOND.multipliedBy(2));
            assertThat(content(engine)).containsExactly("overwritten=new", "persisted=persisted");
        }
    }

    @Test
    default void anExpiredKeyNeverComesBack() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("oldest"));
            engine.put(bytes("a"), bytes("1"), OPTIONS.timeToLive(SECOND));
            engine.put(bytes("b"), bytes("2"));
            clock().advance(SECOND);
            assertAbsent(engine, "a");
            clock().advance(SECOND.multipliedBy(-5));
            assertAbsent(engine, "a");
            clock().advance(SECOND.multipliedBy(5));
            merge(engine);
            assertAbsent(engine, "a");
        }
        clock().advance(SECOND.multipliedBy(-5));
        try (StorageEngine engine = open()) {
            assertAbsent(engine, "a");
            merge(engine);
            assertThat(content(engine)).containsExactly("b=2");
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).containsExactly("b=2");
        }
    }

    @Test
    default void batchesExpireEntryByEntry() throws Exception {
        try (StorageEngine engine = open()) {
            engine.write(
                    new WriteBatch()
                            .put(bytes("a"), bytes("1"), OPTIONS.timeToLive(SECOND))
                            .put(bytes("b"), bytes("2")),
                    OPTIONS);
            assertThat(content(engine)).containsExactly("a=1", "b=2");
            clock().advance(SECOND);
            assertThat(content(engine)).containsExactly("b=2");
        }
    }

    @Test
    default void aSnapshotKeepsWhatHasExpiredSince() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("expiring"), bytes("1"), OPTIONS.timeToLive(SECOND));
            try (Snapshot snapshot = engine.snapshot()) {
                clock().advance(SECOND.multipliedBy(2));
                merge(engine);
                assertThat(get(snapshot, "expiring")).isEqualTo("1");
                assertThat(content(snapshot)).containsExactly("expiring=1");
                assertAbsent(engine, "expiring");
            }
        }
    }

    /** A put says when its entry expires, or that it never does: the expiry before it is not kept. */
    @Test
    default void aPutWithoutExpiryPersists() throws Exception {
        try (StorageEngine engine = open()) {
            for (String key : List.of("put", "batch", "persisted")) {
                engine.put(bytes(key), bytes("1"), OPTIONS.timeToLive(SECOND));
            }
            engine.put(bytes("put"), bytes("2"));
            engine.write(new WriteBatch().put(bytes("batch"), bytes("2")));
            assertThat(engine.require(Expiry.class).persist(bytes("persisted"))).isTrue();
            clock().advance(SECOND.multipliedBy(2));
            assertThat(content(engine)).containsExactly("batch=2", "persisted=1", "put=2");
        }
    }

    @Test
    default void changesOfExpiryRefuseKeysOfOtherLengths() throws Exception {
        try (StorageEngine engine = open()) {
            Expiry held = engine.require(Expiry.class);
            long version = engine.stats().lastVersion();
            for (byte[] key : new byte[][] {{}, new byte[StorageEngine.MAX_KEY_LENGTH + 1]}) {
                assertRefused(() -> held.expire(key, OPTIONS));
            }
            assertThat(engine.stats().lastVersion()).isEqualTo(version);
        }
    }

    @Test
    default void aClosedEngineRefusesExpiry() throws Exception {
        StorageEngine engine = open();
        byte[] key = bytes("a");
        engine.put(key, bytes("1"));
        Expiry held = engine.require(Expiry.class);
        engine.close();
        assertClosed(() -> held.expire(key, OPTIONS));
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1");
        }
    }
}
