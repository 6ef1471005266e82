package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.assertClosed;
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

import dev.caskwright.api.Backups;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;

/** Backups: what an engine that holds {@link Backups} must do. */
public interface BackupsContract extends EngineFixture {
    WriteOptions OPTIONS = WriteOptions.DEFAULT;

    @Test
    default void aBackupIsAStore() throws Exception {
        Path target = temporary().resolve("backup");
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 100; i++) {
                engine.put(KeyValues.key(i), bytes(i));
            }
            engine.delete(KeyValues.key(0));
            engine.require(Backups.class).backup(target);
            engine.put(bytes("later"), bytes("1"));
            engine.delete(KeyValues.key(1));
            try (StorageEngine copy = open(target, clock())) {
                assertThat(KeyValues.entries(copy)).hasSize(99);
                assertThat(text(copy.get(KeyValues.key(1)))).isEqualTo("1");
                assertThat(copy.contains(bytes("later"))).isFalse();
            }
            assertThat(get(engine, "later")).isEqualTo("1");
        }
    }

    @Test
    default void aBackupIsBroughtUpToDateByAnother() throws Exception {
        Path target = temporary().resolve("backup");
        try (StorageEngine engine = open()) {
            for (int round = 0; round < 4; round++) {
                for (int i = 0; i < 50; i++) {
                    engine.put(KeyValues.key(i), bytes(round));
                }
                engine.delete(KeyValues.key(round));
                if (round == 2) {
                    merge(engine);
                }
                engine.require(Backups.class).backup(target);
            }
            engine.put(bytes("later"), bytes("1"));
        }
        try (StorageEngine copy = open(target, clock())) {
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
    default void aBackupBesideAWriterShowsOneMoment() throws Exception {
        Path target = temporary().resolve("backup");
        AtomicBoolean isDone = new AtomicBoolean();
        try (StorageEngine engine = open()) {
            engine.write(pair(0), OPTIONS);
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
        try (StorageEngine copy = open(target, clock())) {
            assertThat(number(copy, "left")).isNotNegative().isEqualTo(number(copy, "right"));
        }
    }

    @Test
    default void aBackupRefusesTheDirectoryOfAnotherStore() throws Exception {
        Path other = temporary().resolve("other");
        List<String> written;
        try (StorageEngine engine = open(other, clock())) {
            for (int i = 0; i < 50; i++) {
                engine.put(KeyValues.key(i), bytes("of the other store"));
            }
            written = content(engine);
        }
        try (StorageEngine engine = open()) {
            engine.put(bytes("mine"), bytes("1"));
            for (int i = 0; i < 2; i++) {
                assertThatThrownBy(() -> engine.require(Backups.class).backup(other))
                        .isInstanceOf(IOException.class);
            }
            assertThat(content(engine)).containsExactly("mine=1");
        }
        try (StorageEngine engine = open(other, clock())) {
            assertThat(content(engine)).isEqualTo(written);
        }
    }

    @Test
    default void aBackupIntoTheStoreItselfIsRefused() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            assertThatThrownBy(() -> engine.require(Backups.class).backup(directory()))
                    .isInstanceOf(IllegalArgumentException.class);
            engine.put(bytes("b"), bytes("2"));
        }
        try (StorageEngine engine = open()) {
            assertThat(content(engine)).containsExactly("a=1", "b=2");
        }
    }

    @Test
    default void aBackupLeavesFilesOfOthersAlone() throws Exception {
        Path target = Files.createDirectory(temporary().resolve("target"));
        Path letter = Files.writeString(target.resolve("letter.txt"), "dear");
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            try {
                engine.require(Backups.class).backup(target);
            } catch (IOException e) {
                assertThat(e).hasMessageContaining("target"); // a refusal names the place
            }
        }
        assertThat(letter).hasContent("dear");
    }

    @Test
    default void aClosedEngineRefusesBackups() throws Exception {
        StorageEngine engine = open();
        byte[] key = bytes("a");
        engine.put(key, bytes("1"));
        Backups held = engine.require(Backups.class);
        engine.close();
        assertClosed(() -> held.backup(temporary().resolve("backup")));
        assertClosed(() -> held.checkpoint(temporary().resolve("checkpoint")));
        try (StorageEngine next = open()) {
            assertThat(content(next)).containsExactly("a=1");
        }
    }
}
