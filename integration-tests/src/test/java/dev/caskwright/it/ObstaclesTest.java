package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.condition.DisabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Pipes, directories and links under the names of a store's files. What is a store's own is refused by a typed error, what
 * is a cache or still to come is gone round, and nothing waits: to open a pipe is to wait for its other end.
 */
@DisabledOnOs(OS.WINDOWS)
@Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
final class ObstaclesTest {
    private static final int KEYS = 200;

    @TempDir
    private Path temporary;

    private BitcaskEngine open(String io, Path directory) throws IOException {
        return BitcaskEngine.builder(directory)
                .io(Backends.ioManager(io))
                .maxFileBytes(4096)
                .executor(TestTasks.executor())
                .open();
    }

    /** Writes enough for several files, and merges. */
    private static void use(BitcaskEngine engine, int round) throws IOException {
        for (int i = 0; i < KEYS; i++) {
            engine.put(KeyValues.key(i), value(i, round), i % 20 == 0 ? WriteOptions.SYNC : WriteOptions.WRITE);
        }
        engine.merge();
        assertHolds(engine, round);
    }

    private static void assertHolds(BitcaskEngine engine, int round) throws IOException {
        for (int i = 0; i < KEYS; i++) {
            assertThat(engine.get(KeyValues.key(i))).isEqualTo(value(i, round));
        }
        assertThat(engine.health()).isNull();
    }

    private static byte[] value(int key, int round) {
        byte[] value = new byte[100];
        value[0] = (byte) key;
        value[1] = (byte) round;
        return value;
    }

    private void make(String kind, Path place) throws Exception {
        switch (kind) {
            case "pipe" ->
                assertThat(new ProcessBuilder("mkfifo", place.toString())
                                .start()
                                .waitFor())
                        .isZero();
            case "directory" -> Files.createDirectories(place.resolve("occupied"));
            default -> Files.createSymbolicLink(place, temporary.resolve("nowhere"));
        }
    }

    private static List<String> names(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.map(file -> file.getFileName().toString())
                    .filter(name -> name.endsWith(suffix))
                    .toList();
        }
    }

    private static long highest(Path directory) throws IOException {
        return names(directory, "").stream()
                .filter(name -> name.matches("\\d+\\..*"))
                .mapToLong(name -> Long.parseLong(name.substring(0, name.indexOf('.'))))
                .max()
                .orElseThrow();
    }

    @ParameterizedTest
    @CsvSource({
        "standard,pipe", "standard,directory", "standard,link",
        "mmap,pipe", "mmap,directory", "mmap,link"
    })
    void whatIsToComeGoesRoundThem(String io, String kind) throws Exception {
        for (String suffix : List.of("data", "merged", "hint", "image")) {
            for (boolean isOpen : new boolean[] {false, true}) {
                Path store = temporary.resolve(suffix + isOpen);
                List<Path> obstacles = new ArrayList<>();
                BitcaskEngine engine = open(io, store);
                use(engine, 1);
                if (!isOpen) {
                    engine.close();
                }
                long highest = highest(store);
                for (long id : new long[] {highest + 2, highest + 3, highest + 7, highest + 30}) {
                    obstacles.add(store.resolve(String.format("%08d.%s", id, suffix)));
                }
                obstacles.add(store.resolve("MANIFEST.new"));
                obstacles.add(store.resolve("MANIFEST.new.1"));
                for (Path obstacle : obstacles) {
                    make(kind, obstacle);
                }
                if (!isOpen) {
                    engine = open(io, store);
                    assertHolds(engine, 1);
                }
                use(engine, 2);
                engine.close();
                try (BitcaskEngine again = open(io, store)) {
                    assertHolds(again, 2);
                }
                assertThat(obstacles)
                        .as("%s, open=%s", suffix, isOpen)
                        .allSatisfy(each -> assertThat(Files.exists(each, LinkOption.NOFOLLOW_LINKS))
                                .isTrue());
            }
        }
    }

    @ParameterizedTest
    @CsvSource({
        "standard,pipe", "standard,directory", "standard,link",
        "mmap,pipe", "mmap,directory", "mmap,link"
    })
    void cachesAreDoneWithout(String io, String kind) throws Exception {
        Path store = temporary.resolve("store");
        for (int round = 1; round < 4; round++) {
            try (BitcaskEngine engine = open(io, store)) {
                use(engine, round);
            }
            for (String suffix : List.of(".hint", ".image")) {
                for (String name : names(store, suffix)) {
                    Path place = store.resolve(name);
                    if (Files.isRegularFile(place, LinkOption.NOFOLLOW_LINKS)) {
                        Files.delete(place);
                        make(kind, place);
                    }
                }
            }
            try (BitcaskEngine reader = BitcaskEngine.builder(store)
                    .io(Backends.ioManager(io))
                    .readOnly(true)
                    .open()) {
                assertHolds(reader, round);
            }
        }
    }

    @ParameterizedTest
    @ValueSource(strings = {"standard", "mmap"})
    void whatIsAStoresOwnIsRefused(String io) throws Exception {
        Path store = temporary.resolve("store");
        try (BitcaskEngine engine = open(io, store)) {
            use(engine, 1);
        }
        for (String kind : List.of("pipe", "directory", "link")) {
            for (String name : List.of("MANIFEST", "LOCK")) {
                Path kept = Files.move(store.resolve(name), temporary.resolve("kept"));
                make(kind, store.resolve(name));
                assertThatThrownBy(() -> open(io, store).close())
                        .as("%s as a %s", name, kind)
                        .isInstanceOf(UnsupportedFormatException.class)
                        .hasMessageContainingAll("not a regular file", name);
                Path moved = temporary.resolve(name + "-" + kind);
                Files.move(store.resolve(name), moved);
                Files.move(kept, store.resolve(name));
            }
        }
        try (BitcaskEngine engine = open(io, store)) {
            assertHolds(engine, 1);
        }
    }
}
