package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class ReadOnlyTest extends FeatureFixture {
    private Map<String, String> create() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 30, "old");
        engine.merge();
        fill(engine, 20, "new");
        put(engine, "short-lived", "value", Duration.ofMinutes(1));
        Map<String, String> content = content(engine);
        engine.close();
        return content;
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void nothingChangesOnDisk(Backend backend) throws IOException {
        Map<String, String> expected = create();
        // Hint files that are missing or damaged are not made again either.
        List<Path> hints = files(directory()).stream()
                .filter(file -> file.toString().endsWith(".hint"))
                .toList();
        Files.delete(hints.get(0));
        Files.write(hints.get(1), new byte[10]);
        List<String> before = image(directory());
        BitcaskEngine engine =
                backend.builder(directory(), clock).readOnly(true).open();
        assertThat(content(engine)).isEqualTo(expected);
        assertThat(get(engine, "key1")).isEqualTo("new1");
        try (Snapshot snapshot = engine.snapshot()) {
            assertThat(content(snapshot)).isEqualTo(expected);
        }
        clock.advance(Duration.ofHours(1));
        assertThat(get(engine, "short-lived")).isNull();
        engine.close();
        assertThat(image(directory())).isEqualTo(before);
    }

    @Test
    void everyWriteIsRefused() throws IOException {
        Map<String, String> expected = create();
        BitcaskEngine engine = builder().readOnly(true).open();
        WriteOptions options = WriteOptions.DEFAULT;
        byte[] key = bytes("key1");
        byte[] value = bytes("new1");
        assertCode(ErrorCode.READ_ONLY, () -> engine.put(key, value));
        assertCode(ErrorCode.READ_ONLY, () -> engine.delete(key));
        assertCode(ErrorCode.READ_ONLY, () -> engine.putIfAbsent(bytes("absent"), value, options));
        assertCode(ErrorCode.READ_ONLY, () -> engine.replace(key, value, value, options));
        assertCode(ErrorCode.READ_ONLY, () -> engine.delete(key, value, options));
        assertCode(ErrorCode.READ_ONLY, () -> engine.expire(key, options));
        assertCode(ErrorCode.READ_ONLY, () -> engine.write(new WriteBatch().put(key, value), options));
        assertCode(ErrorCode.READ_ONLY, () -> {
            var transaction = engine.transaction();
            transaction.put(key, value);
            transaction.commit(options);
        });
        assertCode(ErrorCode.READ_ONLY, engine::merge);
        assertThat(engine.health()).isNull();
        assertThat(content(engine)).isEqualTo(expected);
        engine.close();
    }

    @Test
    void readersShareAStoreAndKeepWritersOut() throws IOException {
        Map<String, String> expected = create();
        BitcaskEngine one = builder().readOnly(true).open();
        BitcaskEngine other = builder().readOnly(true).open();
        assertThat(content(one)).isEqualTo(content(other)).isEqualTo(expected);
        assertThatThrownBy(this::open).isInstanceOf(EngineLockedException.class);
        one.close();
        assertThatThrownBy(this::open).isInstanceOf(EngineLockedException.class);
        assertThat(get(other, "key1")).isEqualTo("new1");
        other.close();
        BitcaskEngine writer = open();
        assertThatThrownBy(() -> builder().readOnly(true).open()).isInstanceOf(EngineLockedException.class);
        writer.close();
    }

    @Test
    void aReaderMakesNoStore() throws IOException {
        assertThatThrownBy(() -> builder().readOnly(true).open()).isInstanceOf(IOException.class);
        assertThat(directory()).doesNotExist();
        Files.createDirectory(directory());
        assertThatThrownBy(() -> builder().readOnly(true).open()).isInstanceOf(UnsupportedFormatException.class);
        assertThat(directory()).isEmptyDirectory();
    }
}
