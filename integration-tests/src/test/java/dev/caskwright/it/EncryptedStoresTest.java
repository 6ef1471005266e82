package dev.caskwright.it;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Integrity;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

/** Encrypted stores with every index over every IO manager: what is read, and that nothing of it is in the directory. */
final class EncryptedStoresTest {
    private static final String KEY_MARK = "marked-key-";
    private static final String VALUE_MARK = "marked-value-";

    @TempDir
    private Path directory;

    private final Map<String, byte[]> model = new TreeMap<>();

    private static byte[] key(String id) {
        return Arrays.copyOf(("a key of the test, " + id).getBytes(UTF_8), 32);
    }

    private BitcaskEngine open(Combination combination, String keyId) throws IOException {
        EngineBuilder builder = combination.builder(directory.resolve("store"));
        return builder.encryption(Encryption.writing(keyId, EncryptedStoresTest::key))
                .open();
    }

    static Stream<Combination> combinations() {
        return Combination.all().stream().filter(each -> each.io().equals(each.startupIo()));
    }

    private static byte[] value(int i, int length) {
        byte[] value = new byte[length];
        byte[] mark = (VALUE_MARK + i + "-").getBytes(UTF_8);
        for (int at = 0; at < length; at++) {
            value[at] = mark[at % mark.length];
        }
        return value;
    }

    private void put(BitcaskEngine engine, int i, int length) throws IOException {
        engine.put((KEY_MARK + i).getBytes(UTF_8), value(i, length));
        model.put(KEY_MARK + i, value(i, length));
    }

    @ParameterizedTest
    @MethodSource("combinations")
    void entriesComeBackAndNothingOfThemIsInTheDirectory(Combination combination) throws IOException {
        boolean hasImages = List.of("hashmap", "sorted", "compact").contains(combination.index());
        try (BitcaskEngine engine = open(combination, "one")) {
            for (int i = 0; i < 200; i++) {
                put(engine, i, 1 + i % 7 * 60);
            }
            put(engine, 1_000, 100_000);
            engine.write(
                    new WriteBatch()
                            .put((KEY_MARK + "b").getBytes(UTF_8), value(7, 40))
                            .delete((KEY_MARK + 3).getBytes(UTF_8)),
                    WriteOptions.SYNC);
            model.put(KEY_MARK + "b", value(7, 40));
            model.remove(KEY_MARK + 3);
            assertSame(engine);
            assertNothingShows();
            engine.merge();
            assertSame(engine);
        }
        assertNothingShows();
        try (BitcaskEngine engine = open(combination, "two")) {
            assertThat(engine.stats().opening().fromImage()).isEqualTo(hasImages);
            assertSame(engine);
            for (int i = 0; i < 50; i++) {
                put(engine, i, 30);
            }
            engine.merge();
            assertSame(engine);
            assertThat(engine.stats().encryption().orElseThrow().otherBytes()).isZero();
        }
        assertNothingShows();
        List<Path> caches;
        try (Stream<Path> files = Files.list(directory.resolve("store"))) {
            caches = files.filter(file -> file.toString().matches(".*\\.(hint|image)"))
                    .toList();
        }
        assertThat(caches.stream().anyMatch(file -> file.toString().endsWith(".image")))
                .isEqualTo(hasImages);
        assertThat(caches).anyMatch(file -> file.toString().endsWith(".hint"));
        assertThat(BitcaskEngine.atRest(
                                directory.resolve("store"),
                                Backends.ioManager(combination.io()),
                                Encryption.reading(EncryptedStoresTest::key))
                        .require(Integrity.class)
                        .verify()
                        .damages())
                .isEmpty();
        for (Path cache : caches) {
            Files.delete(cache);
        }
        try (BitcaskEngine engine = open(combination, "two")) {
            assertSame(engine);
        }
        assertNothingShows();
    }

    private void assertSame(BitcaskEngine engine) throws IOException {
        assertThat(engine.size()).isEqualTo(model.size());
        Map<String, byte[]> visited = new TreeMap<>();
        engine.visit(entry -> {
            visited.put(new String(entry.key(), UTF_8), entry.value());
            return true;
        });
        for (Map.Entry<String, byte[]> each : model.entrySet()) {
            assertThat(Arrays.equals(engine.get(each.getKey().getBytes(UTF_8)), each.getValue()))
                    .as(each.getKey())
                    .isTrue();
            assertThat(Arrays.equals(visited.get(each.getKey()), each.getValue()))
                    .as(each.getKey())
                    .isTrue();
        }
        assertThat(engine.get((KEY_MARK + "absent").getBytes(UTF_8))).isNull();
    }

    /** An open engine may remove a file meanwhile, an old image for one. */
    private void assertNothingShows() throws IOException {
        try (Stream<Path> files = Files.walk(directory).filter(Files::isRegularFile)) {
            for (Path file : files.toList()) {
                String content;
                try {
                    content = Files.readString(file, ISO_8859_1);
                } catch (NoSuchFileException removed) {
                    continue;
                }
                assertThat(content.contains("marked-") || content.contains("d-value") || content.contains("d-key"))
                        .as(file.toString())
                        .isFalse();
            }
        }
    }
}
