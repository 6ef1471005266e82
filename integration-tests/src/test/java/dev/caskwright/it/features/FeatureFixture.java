package dev.caskwright.it.features;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.io.TempDir;

/** Stores of text, in small files. */
abstract class FeatureFixture {
    @TempDir
    Path temporary;

    final ManualClock clock = new ManualClock();

    final Path directory() {
        return temporary.resolve("store");
    }

    final EngineBuilder builder() {
        return Backend.DEFAULT.builder(directory(), clock);
    }

    final BitcaskEngine open() throws IOException {
        return builder().open();
    }

    static byte[] bytes(String text) {
        return KeyValues.bytes(text);
    }

    static void put(BitcaskEngine engine, String key, String value) throws IOException {
        engine.put(bytes(key), bytes(value));
    }

    static void put(BitcaskEngine engine, String key, String value, Duration timeToLive) throws IOException {
        engine.put(bytes(key), bytes(value), WriteOptions.DEFAULT.timeToLive(timeToLive));
    }

    static boolean delete(BitcaskEngine engine, String key) throws IOException {
        return engine.delete(bytes(key));
    }

    static @Nullable String get(ReadView view, String key) throws IOException {
        return text(view.get(bytes(key)));
    }

    static @Nullable String text(byte @Nullable [] bytes) {
        return bytes == null ? null : new String(bytes, UTF_8);
    }

    /** Puts "key0" and so on, so many that they fill several files. */
    static void fill(BitcaskEngine engine, int count, String value) throws IOException {
        for (int i = 0; i < count; i++) {
            put(engine, "key" + i, value + i);
        }
    }

    static Map<String, String> content(ReadView view) throws IOException {
        Map<String, String> content = new TreeMap<>();
        KeyValues.entries(view).values().forEach(entry -> content.put(text(entry.key()), text(entry.value())));
        return content;
    }

    static Map<String, String> filled(int count, String value) {
        Map<String, String> content = new TreeMap<>();
        for (int i = 0; i < count; i++) {
            content.put("key" + i, value + i);
        }
        return content;
    }

    static void assertCode(ErrorCode code, ThrowingCallable call) {
        assertThatThrownBy(call).isInstanceOfSatisfying(EngineException.class, e -> {
            if (e.code() != code) {
                throw new AssertionError("expected " + code + ", found " + e.code(), e);
            }
        });
    }

    static List<Path> files(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return new ArrayList<>(files.sorted().toList());
        }
    }

    static long dataFiles(Path directory) throws IOException {
        return files(directory).stream()
                .filter(file ->
                        file.toString().endsWith(".data") || file.toString().endsWith(".merged"))
                .count();
    }

    /** Returns what can be seen of a directory from outside: names, times and bytes. */
    static List<String> image(Path directory) throws IOException {
        List<String> image = new ArrayList<>();
        image.add(directory + " " + Files.getLastModifiedTime(directory));
        for (Path file : files(directory)) {
            image.add(file + " " + Files.getLastModifiedTime(file) + " " + Arrays.hashCode(Files.readAllBytes(file)));
        }
        return image;
    }
}
