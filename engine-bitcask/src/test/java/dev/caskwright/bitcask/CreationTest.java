package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.io.standard.StandardIoManager;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.TreeSet;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Where a store is made, and that nothing is left where none is. */
final class CreationTest {
    private static final byte[] KEY = KeyValues.bytes("key");

    @TempDir
    private Path temporary;

    private Path directory;

    @BeforeEach
    void choose() {
        directory = temporary.resolve("store");
    }

    private TreeSet<String> names() throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            TreeSet<String> names = new TreeSet<>();
            files.forEach(file -> names.add(file.getFileName().toString()));
            return names;
        }
    }

    /** Something that is in a directory and not of a store. */
    private void put(String other) throws IOException {
        Files.createDirectories(directory);
        Path path = directory.resolve(other);
        switch (other) {
            case "folder", "lost+found" -> Files.createDirectory(path);
            case "link" -> Files.createSymbolicLink(path, Path.of("nowhere"));
            default -> Files.writeString(path, "mine");
        }
    }

    @Test
    void aMissingOrEmptyDirectoryBecomesAStore() throws IOException {
        BitcaskEngine.open(directory.resolve("below/another")).close();
        Files.createDirectories(directory.resolve("empty"));
        BitcaskEngine.open(directory.resolve("empty")).close();
    }

    @ParameterizedTest
    @ValueSource(
            strings = {
                "photo.jpg",
                ".hidden",
                "folder",
                "link",
                "data",
                "CURRENT",
                "1.data",
                "00000001.DATA",
                "MANIFEST-000001",
                "evil\u001b[2J"
            })
    void aDirectoryOfSomethingElseDoesNot(String other) throws IOException {
        put(other);
        for (boolean readOnly : new boolean[] {false, true}) {
            assertThatThrownBy(() ->
                            BitcaskEngine.builder(directory).readOnly(readOnly).open())
                    .isInstanceOf(UnsupportedFormatException.class)
                    .hasMessageContaining(directory.toRealPath().toString())
                    .hasMessageNotContaining("\u001b");
            assertThat(names()).containsExactly(other);
        }
        assertThatThrownBy(() -> BitcaskEngine.open(directory))
                .hasMessageContaining("createAmongOtherFiles", "--among-other-files");
    }

    @Test
    void itDoesIfTheCallerInsists() throws IOException {
        put("photo.jpg");
        put("folder");
        try (BitcaskEngine engine =
                BitcaskEngine.builder(directory).createAmongOtherFiles(true).open()) {
            engine.put(KEY, KEY);
        }
        // From then on it is a store, whatever lies beside it.
        try (BitcaskEngine engine = BitcaskEngine.open(directory)) {
            assertThat(engine.get(KEY)).isEqualTo(KEY);
        }
        assertThat(directory.resolve("photo.jpg")).hasContent("mine");
        put("later.txt");
        BitcaskEngine.open(directory).close();
    }

    @Test
    void whoMayNotCreateLeavesNothingBehind() throws IOException {
        Files.createDirectory(directory);
        for (EngineBuilder builder : List.of(
                BitcaskEngine.builder(directory).createIfMissing(false),
                BitcaskEngine.builder(directory).createIfMissing(false).createAmongOtherFiles(true),
                BitcaskEngine.builder(directory).readOnly(true))) {
            assertThatThrownBy(builder::open)
                    .isInstanceOf(UnsupportedFormatException.class)
                    .hasMessageStartingWith("no store in this directory");
            assertThat(directory).isEmptyDirectory();
        }
        Path missing = temporary.resolve("missing");
        assertThatThrownBy(() ->
                        BitcaskEngine.builder(missing).createIfMissing(false).open())
                .isInstanceOf(IOException.class);
        assertThat(missing).doesNotExist();
    }

    /** What a creation that was cut short left does not stand in the way of the next. */
    @Test
    void leftoversOfACreationAreNoOtherFiles() throws IOException {
        for (String leftover : List.of("LOCK", "OWNER", "MANIFEST.new")) {
            put(leftover);
        }
        try (BitcaskEngine engine = BitcaskEngine.open(directory)) {
            engine.put(KEY, KEY);
        }
    }

    @Test
    void theRootOfANewFileSystemCountsAsEmpty() throws IOException {
        put("lost+found");
        BitcaskEngine.open(directory).close();
        assertThat(directory.resolve("lost+found")).isDirectory();
    }

    @Test
    void aCopyThatIsRefusedLeavesNothingAmongOtherFiles() throws IOException {
        put("photo.jpg");
        Path source = temporary.resolve("source");
        for (boolean isCheckpoint : new boolean[] {true, false}) {
            try (BitcaskEngine engine = BitcaskEngine.open(source)) {
                engine.put(KEY, KEY);
                assertRefused(() -> {
                    if (isCheckpoint) {
                        engine.checkpoint(directory);
                    } else {
                        engine.backup(directory);
                    }
                });
            }
            assertRefused(() -> {
                if (isCheckpoint) {
                    BitcaskEngine.checkpoint(source, directory, StandardIoManager::open);
                } else {
                    BitcaskEngine.backup(source, directory, StandardIoManager::open);
                }
            });
        }
        assertRefused(() -> BitcaskEngine.restore(source, directory, StandardIoManager::open));
    }

    private void assertRefused(ThrowingCallable call) throws IOException {
        assertThatThrownBy(call)
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContainingAll("the target is not empty", directory.toString());
        assertThat(names()).containsExactly("photo.jpg");
    }
}
