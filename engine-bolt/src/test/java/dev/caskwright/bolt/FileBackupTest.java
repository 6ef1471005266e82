package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Backups;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Restoring;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

class FileBackupTest {
    private static final int PAGE = 4096;

    @TempDir
    private Path directory;

    private Path file;
    private Path target;

    @BeforeEach
    void makeStore() throws IOException {
        file = directory.resolve("store.db");
        target = directory.resolve("backup.db");
        put(file, "a", "1");
    }

    private static BoltEngine open(Path path) throws IOException {
        return BoltEngine.over(BoltDatabase.open(path), List.of("data".getBytes(UTF_8)), true);
    }

    private static void put(Path path, String key, String value) throws IOException {
        try (BoltEngine engine = open(path)) {
            engine.put(key.getBytes(UTF_8), value.getBytes(UTF_8));
        }
    }

    private static byte[] get(Path path, String key) throws IOException {
        try (BoltEngine engine = open(path)) {
            return engine.get(key.getBytes(UTF_8));
        }
    }

    private Backups atRest() {
        return new BoltAtRest(file, StandardIoManager::open);
    }

    @Test
    void anUnchangedStoreIsNotCopiedAgain() throws IOException {
        CopyReport first = atRest().backup(target);
        assertThat(first.filesBrought()).isEqualTo(1);
        assertThat(first.bytes()).isEqualTo(Files.size(target));
        assertThat(atRest().backup(target).filesBrought()).isZero();
        put(file, "b", "2");
        assertThat(atRest().backup(target).filesBrought()).isEqualTo(1);
        assertThat(get(target, "b")).isEqualTo("2".getBytes(UTF_8));
    }

    @Test
    void aBackupThatWasWrittenToIsLeftAlone() throws IOException {
        atRest().backup(target);
        put(target, "own", "1");
        put(file, "b", "2");
        assertThatThrownBy(() -> atRest().backup(target))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("backup.db");
        assertThat(get(target, "own")).isNotNull();
    }

    @Test
    void theBackupOfAnotherStoreIsLeftAlone() throws IOException {
        Path other = directory.resolve("other.db");
        put(other, "other", "1");
        new BoltAtRest(other, StandardIoManager::open).backup(target);
        byte[] before = Files.readAllBytes(target);
        assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(UnsupportedFormatException.class);
        assertThat(target).hasBinaryContent(before);
    }

    @Test
    void linksToTheStoreAreTheStore() throws IOException {
        Files.createLink(target, file);
        assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(IllegalArgumentException.class);
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);
        assertThatThrownBy(() -> atRest().backup(link)).isInstanceOf(IllegalArgumentException.class);
        assertThat(get(file, "a")).isNotNull();
    }

    @Test
    void aDamagedStoreLeavesTheEarlierBackupAsItIs() throws IOException {
        atRest().backup(target);
        byte[] before = Files.readAllBytes(target);
        try (BoltEngine engine = open(file)) {
            for (int i = 0; i < 1_000; i++) {
                engine.put(("key" + i).getBytes(UTF_8), new byte[20]);
            }
        }
        byte[] bytes = Files.readAllBytes(file);
        for (int page = 2; page < bytes.length / PAGE; page++) {
            if (bytes[page * PAGE + 8] == 0x02) { // a leaf: its number becomes another's
                ByteBuffer.wrap(bytes).put(page * PAGE, (byte) (bytes[page * PAGE] ^ 1));
            }
        }
        Files.write(file, bytes);
        assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(CorruptRecordException.class);
        assertThat(target).hasBinaryContent(before);
        try (var files = Files.list(directory)) {
            assertThat(files).as("no unfinished copy is left").hasSize(2);
        }
    }

    @Test
    void aCopyThatWasCutShortIsNamed() throws IOException {
        Path unfinished = Files.createFile(directory.resolve("backup.db.copying"));
        assertThatThrownBy(() -> atRest().backup(target))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("backup.db.copying");
        assertThat(unfinished).exists();
        assertThat(target).doesNotExist();
    }

    @Test
    void aBackupIsRestoredToANewFileOnly() throws IOException {
        atRest().backup(target);
        Path restored = directory.resolve("restored.db");
        Restoring backup = new BoltAtRest(target, StandardIoManager::open);
        backup.restoreTo(restored);
        assertThat(get(restored, "a")).isEqualTo("1".getBytes(UTF_8));
        assertThatThrownBy(() -> backup.restoreTo(restored)).isInstanceOf(UnsupportedFormatException.class);
        assertThatThrownBy(() -> backup.restoreTo(target)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aRestoredStoreIsNoBackup() throws IOException {
        atRest().backup(target);
        Path restored = directory.resolve("restored.db");
        new BoltAtRest(target, StandardIoManager::open).restoreTo(restored);
        assertThatThrownBy(() -> atRest().backup(restored)).isInstanceOf(UnsupportedFormatException.class);
    }
}
