package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Backups;
import dev.caskwright.api.ChangeFeed;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Expiry;
import dev.caskwright.api.Merging;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a store keeps: in its directory and nowhere else, byte for byte, and under which versions. */
abstract class EngineKeepingContract extends EngineViewContract {
    private static final int[] LARGE_LENGTHS = {65_535, 65_536, 1 << 20, (1 << 20) + 1, (9 << 20) + 7};

    /** So few writes that they do not fill a data file: nothing in the background changes the directory meanwhile. */
    @Test
    void whatWasWrittenIsInTheDirectoryForTheNextProcess() throws Exception {
        Path copied = temporary.resolve("copied");
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 10; i++) {
                engine.put(bytes(i), bytes("value " + i), WriteOptions.WRITE);
            }
            engine.delete(bytes(3), WriteOptions.WRITE);
            engine.write(pair(7), WriteOptions.WRITE);
            copyFiles(directory(), copied);
            try (StorageEngine next = open(copied, clock)) {
                assertThat(content(next)).hasSize(11).isEqualTo(content(engine));
            }
        }
    }

    @Test
    void aClosedStoreIsAllInItsDirectory() throws Exception {
        List<String> written;
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 400; i++) {
                engine.put(KeyValues.key(i % 150), bytes(i));
            }
            engine.delete(KeyValues.key(7));
            written = content(engine);
        }
        Path copied = temporary.resolve("copied");
        copyFiles(directory(), copied);
        try (StorageEngine copy = open(copied, clock)) {
            assertThat(content(copy)).hasSize(149).isEqualTo(written);
        }
    }

    private static void copyFiles(Path from, Path to) throws IOException {
        Files.createDirectories(to);
        try (Stream<Path> files = Files.list(from)) {
            for (Path file : files.filter(Files::isRegularFile).toList()) {
                Files.copy(file, to.resolve(file.getFileName()));
            }
        }
    }

    @Test
    void largeValuesAreKeptByteForByte() throws Exception {
        Random random = new Random(17);
        Map<Integer, byte[]> values = new TreeMap<>();
        for (int length : LARGE_LENGTHS) {
            byte[] value = new byte[length];
            random.nextBytes(value);
            values.put(length, value);
        }
        try (StorageEngine engine = open()) {
            long before = 0;
            for (Map.Entry<Integer, byte[]> each : values.entrySet()) {
                engine.put(bytes(each.getKey()), bytes("old"));
                before = engine.stats().lastVersion();
                engine.put(bytes(each.getKey()), each.getValue());
            }
            assertLargeValues(engine, values);
            List<byte[]> changed = new ArrayList<>();
            engine.require(ChangeFeed.class)
                    .changes(before, change -> changed.add(Objects.requireNonNull(change.value())));
            assertThat(changed).containsExactly(values.get(LARGE_LENGTHS[LARGE_LENGTHS.length - 1]));
            engine.require(Merging.class).merge();
            assertLargeValues(engine, values);
        }
        try (StorageEngine engine = open()) {
            assertLargeValues(engine, values);
        }
    }

    private static void assertLargeValues(ReadView view, Map<Integer, byte[]> values) throws IOException {
        NavigableMap<byte[], Entry> visited = KeyValues.entries(view);
        assertThat(visited).hasSize(values.size());
        for (Map.Entry<Integer, byte[]> each : values.entrySet()) {
            byte[] key = bytes(each.getKey());
            assertThat(view.get(key)).isEqualTo(each.getValue());
            assertThat(Objects.requireNonNull(view.entry(key)).value()).isEqualTo(each.getValue());
            assertThat(Objects.requireNonNull(visited.get(key)).value()).isEqualTo(each.getValue());
            ByteBuffer target = ByteBuffer.allocate(each.getKey());
            assertThat(view.get(key, target)).isEqualTo(each.getKey());
            assertThat(target.array()).isEqualTo(each.getValue());
        }
    }

    @Test
    void noVersionIsGivenOutTwice() throws Exception {
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
                        WriteOptions.DEFAULT);
                for (String key : List.of("x", "y", "z")) {
                    last = assertLater(engine, bytes(key), last);
                }
                engine.require(Expiry.class).expire(bytes(1), WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1)));
                last = assertLater(engine, bytes(1), last);
                if (round == 1) {
                    engine.require(Merging.class).merge();
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
    void aBatchHasOneEndInTheFeed() throws Exception {
        StringBuilder expected = new StringBuilder();
        try (StorageEngine engine = open()) {
            for (int size : new int[] {1, 2, 3, 7, 40, 1}) {
                WriteBatch batch = new WriteBatch();
                for (int i = 0; i < size; i++) {
                    if (i % 3 == 1) {
                        batch.delete(bytes(1_000 + i));
                    } else {
                        batch.put(bytes(i), bytes(size));
                    }
                }
                engine.write(batch, WriteOptions.DEFAULT);
                expected.append(".".repeat(size - 1)).append('|');
            }
            assertThat(ends(engine)).isEqualTo(expected.toString());
        }
        try (StorageEngine engine = open()) {
            assertThat(ends(engine)).isEqualTo(expected.toString());
        }
    }

    private static String ends(StorageEngine engine) throws IOException {
        StringBuilder ends = new StringBuilder();
        engine.require(ChangeFeed.class).changes(0, change -> ends.append(change.isLastOfBatch() ? '|' : '.') != null);
        return ends.toString();
    }

    @Test
    void aChangeOfExpiryIsInTheFeed() throws Exception {
        try (StorageEngine engine = open()) {
            engine.put(bytes("a"), bytes("1"));
            long before = engine.stats().lastVersion();
            assertThat(engine.require(Expiry.class)
                            .expire(bytes("a"), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1))))
                    .isTrue();
            assertThat(engine.require(Expiry.class).expire(bytes("a"), WriteOptions.DEFAULT))
                    .isTrue();
            List<String> seen = new ArrayList<>();
            engine.require(ChangeFeed.class)
                    .changes(
                            before,
                            change -> seen.add(text(change.key()) + "=" + text(change.value()) + " until "
                                    + change.expiresAtMillis()));
            assertThat(seen).containsExactly("a=1 until " + (clock.millis() + 1_000), "a=1 until " + Entry.NEVER);
        }
    }

    @Test
    void aBackupRefusesTheDirectoryOfAnotherStore() throws Exception {
        Path other = temporary.resolve("other");
        List<String> written;
        try (StorageEngine engine = open(other, clock)) {
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
        try (StorageEngine engine = open(other, clock)) {
            assertThat(content(engine)).isEqualTo(written);
        }
    }

    @Test
    void aBackupIntoTheStoreItselfIsRefused() throws Exception {
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
    void aBackupLeavesFilesOfOthersAlone() throws Exception {
        Path target = Files.createDirectory(temporary.resolve("target"));
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
}
