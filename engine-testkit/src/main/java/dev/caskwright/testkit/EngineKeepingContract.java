package dev.caskwright.testkit;

import static dev.caskwright.testkit.EngineSteps.bytes;
import static dev.caskwright.testkit.EngineSteps.content;
import static dev.caskwright.testkit.EngineSteps.merge;
import static dev.caskwright.testkit.EngineSteps.pair;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Entry;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Objects;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.Test;

/** What a store keeps: in its directory and nowhere else, and byte for byte. */
abstract class EngineKeepingContract extends EngineViewContract {
    private static final int[] LARGE_LENGTHS = {65_535, 65_536, 1 << 20, (1 << 20) + 1, (9 << 20) + 7};

    /** So few writes that they do not fill a data file: nothing in the background changes the directory meanwhile. */
    @Test
    void whatWasWrittenIsInTheDirectoryForTheNextProcess() throws Exception {
        Path copied = temporary().resolve("copied");
        try (StorageEngine engine = open()) {
            for (int i = 0; i < 10; i++) {
                engine.put(bytes(i), bytes("value " + i), WriteOptions.WRITE);
            }
            engine.delete(bytes(3), WriteOptions.WRITE);
            engine.write(pair(7), WriteOptions.WRITE);
            copyFiles(directory(), copied);
            try (StorageEngine next = open(copied, clock())) {
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
        Path copied = temporary().resolve("copied");
        copyFiles(directory(), copied);
        try (StorageEngine copy = open(copied, clock())) {
            assertThat(content(copy)).hasSize(149).isEqualTo(written);
        }
    }

    private static void copyFiles(Path from, Path to) throws IOException {
        if (Files.isRegularFile(from)) {
            Files.copy(from, to);
            return;
        }
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
            for (Map.Entry<Integer, byte[]> each : values.entrySet()) {
                engine.put(bytes(each.getKey()), bytes("old"));
                engine.put(bytes(each.getKey()), each.getValue());
            }
            assertLargeValues(engine, values);
            merge(engine);
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
}
