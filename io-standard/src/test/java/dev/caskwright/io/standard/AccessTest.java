package dev.caskwright.io.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.List;
import java.util.stream.Stream;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

@EnabledOnOs({OS.LINUX, OS.MAC})
final class AccessTest {
    @TempDir
    private Path root;

    private static String permissions(Path path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(path, LinkOption.NOFOLLOW_LINKS));
    }

    private static List<Path> filesOf(Path directory) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.toList();
        }
    }

    /** Those that the umask of most systems would take away, too. */
    @Test
    void permissionsAreTheUsersChoice() throws IOException {
        for (String chosen : List.of("rw-r-----", "rw-rw----", "rw-rw-rw-", "rw-------")) {
            Path directory = root.resolve("parent" + chosen).resolve("d");
            Path byUmask = Files.createDirectory(root.resolve("byUmask" + chosen));
            try (IoManager manager = StandardIoManager.withPermissions(PosixFilePermissions.fromString(chosen))
                            .open(directory, true);
                    IoManager.Lock lock = manager.lock(true);
                    WritableFile file = manager.create("a", 0)) {
                assertThat(lock).isNotNull();
                assertThat(file.length()).isZero();
                assertThat(filesOf(directory))
                        .hasSize(3)
                        .allSatisfy(each -> assertThat(permissions(each)).isEqualTo(chosen));
                String reachable =
                        "rwx" + chosen.substring(3).replace("rw-", "rwx").replace("r--", "r-x");
                assertThat(permissions(directory)).isEqualTo(reachable);
                assertThat(permissions(directory.getParent())).isEqualTo(permissions(byUmask));
            }
        }
        assertThatThrownBy(() -> StandardIoManager.withPermissions(PosixFilePermissions.fromString("r--r--r--")))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("r--r--r--");
    }

    @Test
    void whatTheSuperuserMakesBelongsToTheOwnerOfTheDirectory() throws IOException {
        Path directory = Files.createDirectory(root.resolve("d"));
        Assumptions.assumeTrue(
                Integer.valueOf(0).equals(Files.getAttribute(directory, "unix:uid")), "only root can give files away");
        Path other = Files.createFile(root.resolve("other"));
        Files.setAttribute(directory, "unix:uid", 12_345);
        Files.setAttribute(directory, "unix:gid", 23_456);
        try (IoManager manager = StandardIoManager.open(directory, true);
                IoManager.Lock lock = manager.lock(true);
                WritableFile file = manager.create("a", 0)) {
            assertThat(lock).isNotNull();
            assertThat(file.length()).isZero();
            assertThat(filesOf(directory)).hasSize(3).allSatisfy(each -> {
                assertThat(Files.getAttribute(each, "unix:uid")).isEqualTo(12_345);
                assertThat(Files.getAttribute(each, "unix:gid")).isEqualTo(23_456);
                assertThat(permissions(each)).isEqualTo("rw-------");
            });
        }
        assertThat(Files.getAttribute(other, "unix:uid")).isEqualTo(0);
    }
}
