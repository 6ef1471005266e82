package dev.caskwright.it.features;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.HashMap;
import java.util.Map;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.MethodSource;

final class BackupTest extends FeatureFixture {
    private Path target() {
        return temporary.resolve("backup");
    }

    private static Map<Path, Object> inodes(Path directory) throws IOException {
        Map<Path, Object> inodes = new HashMap<>();
        for (Path file : files(directory)) {
            inodes.put(file.getFileName(), Files.getAttribute(file, "unix:ino"));
        }
        return inodes;
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void aBackupOpensOverEveryBackend(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        fill(engine, 40, "value");
        delete(engine, "key3");
        engine.backup(target());
        Map<String, String> expected = content(engine);
        put(engine, "later", "not in it");
        engine.close();
        for (Backend other : Backend.all().toList()) {
            BitcaskEngine copy = other.builder(target(), clock).open();
            assertThat(content(copy)).isEqualTo(expected);
            copy.close();
        }
        assertThat(BitcaskEngine.verify(target(), Backends.ioManager("standard"))
                        .damages())
                .isEmpty();
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void aSecondRunAddsOnlyWhatIsNew(Backend backend) throws IOException {
        BitcaskEngine engine = backend.builder(directory(), clock).open();
        fill(engine, 40, "value");
        engine.backup(target());
        Map<Path, Object> first = inodes(target());
        Map<Path, Object> source = inodes(directory());
        first.forEach((name, inode) -> {
            if (name.toString().endsWith(".data")) {
                assertThat(inode).as("%s is no hard link", name).isNotEqualTo(source.get(name));
            }
        });
        put(engine, "more", "value");
        engine.backup(target());
        Map<Path, Object> second = inodes(target());
        assertThat(second.size()).isBetween(first.size() + 1, first.size() + 2);
        first.forEach((name, inode) -> {
            if (!name.toString().startsWith("MANIFEST")) {
                assertThat(second.get(name)).isEqualTo(inode);
            }
        });
        delete(engine, "key1");
        engine.merge();
        engine.backup(target());
        Map<String, String> expected = content(engine);
        engine.close();
        assertThat(dataFiles(target())).as("what a merge replaced goes").isLessThan(8);
        BitcaskEngine copy = backend.builder(target(), clock).open();
        assertThat(content(copy)).isEqualTo(expected);
        copy.close();
    }

    @Test
    void anEmptyStoreIsBackedUp() throws IOException {
        BitcaskEngine engine = open();
        engine.backup(target());
        engine.close();
        BitcaskEngine copy =
                Backend.DEFAULT.builder(target(), clock).createIfMissing(false).open();
        assertThat(copy.size()).isZero();
        copy.close();
    }

    @Test
    void foreignDirectoriesAreRefusedAndLeftAlone() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 10, "value");
        BitcaskEngine other = Backend.DEFAULT.builder(target(), clock).open();
        put(other, "key", "of another store");
        assertThatThrownBy(() -> engine.backup(target())).isInstanceOf(EngineLockedException.class);
        assertThatThrownBy(() -> engine.backup(directory()))
                .as("onto itself")
                .isInstanceOf(IllegalArgumentException.class);
        other.close();
        assertThatThrownBy(() -> engine.backup(target())).isInstanceOf(UnsupportedFormatException.class);
        other = Backend.DEFAULT.builder(target(), clock).open();
        assertThat(content(other)).isEqualTo(Map.of("key", "of another store"));
        other.close();
        Path file = Files.writeString(temporary.resolve("file"), "text");
        assertThatThrownBy(() -> engine.backup(file)).isInstanceOf(IOException.class);
        assertThat(file).hasContent("text");
        assertThat(content(engine)).isEqualTo(filled(10, "value"));
        put(engine, "key", "writes go on");
        assertThat(engine.health()).isNull();
        engine.close();
    }

    @Test
    void aBackupThatWasWrittenToIsRefused() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 10, "value");
        engine.backup(target());
        BitcaskEngine copy = Backend.DEFAULT.builder(target(), clock).open();
        put(copy, "key", "of its own");
        Map<String, String> diverged = content(copy);
        copy.close();
        fill(engine, 10, "value");
        assertThatThrownBy(() -> engine.backup(target())).isInstanceOf(UnsupportedFormatException.class);
        copy = Backend.DEFAULT.builder(target(), clock).open();
        assertThat(content(copy)).isEqualTo(diverged);
        copy.close();
        engine.close();
    }

    @Test
    void changesThatTheCopyLacksAreSaidToBeGone() throws IOException {
        BitcaskEngine engine = open();
        fill(engine, 20, "value");
        engine.merge();
        put(engine, "key", "value");
        engine.backup(target());
        engine.close();
        BitcaskEngine copy = Backend.DEFAULT.builder(target(), clock).open();
        assertCode(ErrorCode.CHANGES_GONE, () -> copy.changes(0, change -> true));
        assertThat(copy.changes(20, change -> true)).isEqualTo(21);
        copy.close();
    }

    @ParameterizedTest
    @MethodSource("dev.caskwright.it.features.Backend#all")
    void aBackupBesideWritersAndMergesIsOneMoment(Backend backend) throws Exception {
        BitcaskEngine engine =
                backend.builder(directory(), clock).maxFileBytes(2_000).open();
        AtomicBoolean isDone = new AtomicBoolean();
        FutureTask<Boolean> writer = new FutureTask<>(() -> {
            for (int i = 0; !isDone.get(); i++) {
                WriteBatch batch = new WriteBatch();
                for (int key = 0; key < 5; key++) {
                    batch.put(bytes("key" + key), bytes("" + i));
                }
                engine.write(batch, WriteOptions.DEFAULT);
            }
            return true;
        });
        FutureTask<Boolean> merger = new FutureTask<>(() -> {
            while (!isDone.get()) {
                engine.merge();
            }
            return true;
        });
        new Thread(writer).start();
        new Thread(merger).start();
        int previous = -1;
        try {
            for (int run = 0; run < 8; run++) {
                engine.backup(target());
                BitcaskEngine copy =
                        backend.builder(target(), clock).readOnly(true).open();
                Map<String, String> content = content(copy);
                copy.close();
                if (!content.isEmpty()) {
                    assertThat(content).hasSize(5);
                    assertThat(content.values()).containsOnly(content.get("key0"));
                    int value = Integer.parseInt(content.get("key0"));
                    assertThat(value).isGreaterThanOrEqualTo(previous);
                    previous = value;
                }
            }
        } finally {
            isDone.set(true);
        }
        assertThat(writer.get(60, TimeUnit.SECONDS)).isTrue();
        assertThat(merger.get(60, TimeUnit.SECONDS)).isTrue();
        assertThat(engine.health()).isNull();
        engine.close();
    }
}
