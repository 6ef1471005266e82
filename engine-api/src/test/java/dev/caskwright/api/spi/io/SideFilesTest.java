package dev.caskwright.api.spi.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.UnsupportedFormatException;
import java.io.IOException;
import java.io.RandomAccessFile;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.List;
import java.util.Map;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SideFilesTest {
    @TempDir
    Path directory;

    @Test
    void aFileIsReplacedWholeAndNothingIsLeftBesideIt() throws IOException {
        Path file = directory.resolve("current");
        Files.writeString(
                directory.resolve("current" + SideFiles.FRESH), "left by a crash, and longer than what comes");
        SideFiles.replace(file, "a long first content\n");
        SideFiles.replace(file, "short\n");
        assertThat(file).hasContent("short\n");
        assertThat(directory.toFile().list()).containsExactly("current");
    }

    @Test
    void aFileThatCannotBeWrittenStaysAsItWas() throws IOException {
        Path file = Files.writeString(directory.resolve("current"), "old");
        Files.createDirectories(directory.resolve("current" + SideFiles.FRESH).resolve("in the way"));
        assertThatThrownBy(() -> SideFiles.replace(file, "new")).isInstanceOf(IOException.class);
        assertThat(file).hasContent("old");
    }

    @Test
    void valuesAreReadByTheirNames() throws IOException {
        Path file = directory.resolve("pairs");
        SideFiles.replace(file, "format=1\nno pair\n=nameless\nid=a=b\nempty=\n");
        assertThat(SideFiles.readPairs(file)).isEqualTo(Map.of("format", "1", "id", "a=b", "empty", ""));
    }

    @Test
    void aDeletedTreeTakesLinksAndNotWhatTheyLeadTo() throws IOException {
        Path other = Files.createDirectory(directory.resolve("other"));
        Files.writeString(other.resolve("file"), "stays");
        Path tree = Files.createDirectories(directory.resolve("tree/within"));
        Files.createSymbolicLink(tree.resolve("link"), other);
        Files.createSymbolicLink(tree.resolve("nowhere"), directory.resolve("missing"));
        Path root = directory.resolve("tree");
        SideFiles.deleteTree(root);
        SideFiles.deleteTree(root); // missing by now
        assertThat(root).doesNotExist();
        assertThat(other.resolve("file")).hasContent("stays");
    }

    @Test
    void whatIsNoFileOfOursIsNeitherReadNorWrittenThrough() throws Exception {
        Path other = Files.writeString(directory.resolve("other"), "of a stranger");
        Path file = directory.resolve("current");
        Files.createSymbolicLink(directory.resolve("current" + SideFiles.FRESH), other);
        SideFiles.replace(file, "new");
        assertThat(other).hasContent("of a stranger");
        assertThat(file).hasContent("new").isRegularFile();

        Path link = Files.createSymbolicLink(directory.resolve("link"), file);
        Path pipe = directory.resolve("pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Path endless = directory.resolve("endless");
        try (RandomAccessFile sparse = new RandomAccessFile(endless.toFile(), "rw")) {
            sparse.setLength(3L << 30);
        }
        for (Path odd : List.of(link, pipe, endless)) {
            assertThatThrownBy(() -> SideFiles.readPairs(odd))
                    .isInstanceOf(UnsupportedFormatException.class)
                    .hasMessageContaining(odd.toString());
        }
    }
}
