package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
import static dev.caskwright.testkit.EngineSteps.assertRefused;
import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.inThreads;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.number;
import static dev.caskwright.testkit.EngineSteps.text;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Entry;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.Versions;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.EngineSteps.Meeting;
import java.io.IOException;
import java.time.Duration;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.Test;

/** Versions of entries: what an engine that holds {@link Versions} must do. */
public interface VersionsContract extends EngineFixture {
    WriteOptions OPTIONS = WriteOptions.DEFAULT;

    @Test
    default void everyWriteHasAGreaterVersion() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            long first = Objects.requireNonNull(engine.entry(bytes("a"))).version();
            engine.put(bytes("b"), bytes("1"));
            long second = Objects.requireNonNull(engine.entry(bytes("b"))).version();
            engine.put(bytes("a"), bytes("1"));
            long third = Objects.requireNonNull(engine.entry(bytes("a"))).version();
            assertThat(first).isPositive();
            assertThat(second).isGreaterThan(first);
            assertThat(third).isGreaterThan(second);
            assertThat(engine.stats().lastVersion()).isEqualTo(third);
            assertThat(Objects.requireNonNull(engine.entry(bytes("a"))).expiresAtMillis())
                    .isEqualTo(Entry.NEVER);
            merge(engine);
            assertThat(Objects.requireNonNull(engine.entry(bytes("a"))).version())
                    .as("merging is no write")
                    .isEqualTo(third);
        }
        try (StorageEngine engine = open()) {
            long last = engine.stats().lastVersion();
            assertThat(last)
                    .isEqualTo(Objects.requireNonNull(engine.entry(bytes("a"))).version());
            engine.put(bytes("c"), bytes("1"));
            assertThat(Objects.requireNonNull(engine.entry(bytes("c"))).version())
                    .isGreaterThan(last);
        }
    }

    @Test
    default void noVersionIsGivenOutTwice() throws Exception {
        long last = 0;
        for (int round = 0; round < 4; round++) {
            try (StorageEngine engine = open()) {
                assertThat(engine.stats().lastVersion()).isEqualTo(last);
                for (int i = 0; i < 5; i++) {
                    engine.put(bytes(i), bytes(round));
                    last = assertLater(engine, bytes(i), last);
                }
                engine.write(
                        new WriteBatch()
                                .put(bytes("x"), bytes(1))
                                .put(bytes("y"), bytes(2))
                                .put(bytes("z"), bytes(3)),
                        OPTIONS);
                for (String key : List.of("x", "y", "z")) {
                    last = assertLater(engine, bytes(key), last);
                }
                if (engine.facet(Expiry.class).isPresent()) {
                    engine.require(Expiry.class).expire(bytes(1), OPTIONS.timeToLive(Duration.ofDays(1)));
                    last = assertLater(engine, bytes(1), last);
                }
                if (round == 1) {
                    merge(engine);
                }
                engine.delete(bytes(2));
                assertThat(engine.stats().lastVersion()).isGreaterThan(last);
                last = engine.stats().lastVersion();
            }
        }
    }

    private static long assertLater(StorageEngine engine, byte[] key, long last) throws IOException {
        long version = Objects.requireNonNull(engine.entry(key)).version();
        assertThat(version).isGreaterThan(last);
        return version;
    }

    @Test
    default void replaceVersionPutsOnlyOverThatWrite() throws Exception {
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
            merge(engine);
            assertThat(engine.require(Versions.class).replaceVersion(bytes("a"), version, bytes("3"), OPTIONS))
                    .isTrue();
            assertThat(engine.require(Versions.class).replaceVersion(bytes("a"), version, bytes("4"), OPTIONS))
                    .isFalse();
            assertThat(content(engine)).containsExactly("a=3");
        }
    }

    @Test
    default void updatesByVersionLoseNoUpdate() throws Exception {
        int rounds = 500;
        try (StorageEngine engine = open()) {
            engine.put(bytes("byVersion"), bytes(0));
            Meeting meeting = new Meeting();
            inThreads(2, thread -> {
                for (int i = 0; i < rounds; i++) {
                    meeting.await(i);
                    Entry entry;
                    int value;
                    do {
                        entry = Objects.requireNonNull(engine.entry(bytes("byVersion")));
                        value = Integer.parseInt(Objects.requireNonNull(text(entry.value())));
                    } while (!engine.require(Versions.class)
                            .replaceVersion(bytes("byVersion"), entry.version(), bytes(value + 1), WriteOptions.NONE));
                }
            });
            assertThat(number(engine, "byVersion")).isEqualTo(2 * rounds);
        }
    }

    @Test
    default void versionsRefuseKeysOfOtherLengths() throws Exception {
        try (StorageEngine engine = open()) {
            Versions held = engine.require(Versions.class);
            byte[] value = bytes("v");
            long version = engine.stats().lastVersion();
            for (byte[] key : new byte[][] {{}, new byte[StorageEngine.MAX_KEY_LENGTH + 1]}) {
                assertRefused(() -> held.replaceVersion(key, 1, value));
            }
            assertThat(engine.stats().lastVersion()).isEqualTo(version);
        }
    }

    @Test
    default void aClosedEngineRefusesVersions() throws Exception {
        StorageEngine engine = open();
        byte[] key = bytes("a");
        engine.put(key, bytes("1"));
        Versions held = engine.require(Versions.class);
        engine.close();
        assertClosed(() -> held.replaceVersion(key, 1, key));
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1");
        }
    }
}
