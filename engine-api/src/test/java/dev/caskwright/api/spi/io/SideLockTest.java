package dev.caskwright.api.spi.io;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.UnsupportedFormatException;
import java.io.File;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.channels.FileLock;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class SideLockTest {
    @TempDir
    Path directory;

    @Test
    void aDirectoryHasOneHolder() throws IOException {
        SideLock held = SideLock.hold(directory, "keeper");
        assertThatThrownBy(() -> SideLock.hold(directory, "keeper"))
                .isInstanceOf(EngineLockedException.class)
                .hasMessageContaining("another keeper of this process");
        held.close();
        held.close();
        SideLock.hold(directory, "keeper").close();
    }

    @Test
    void aLinkToTheLockOfAStoreDropsNothing() throws Exception {
        Path file = Files.createFile(directory.resolve("of a store"));
        Path name = directory.resolve(SideLock.NAME);
        try (FileChannel channel = FileChannel.open(file, StandardOpenOption.WRITE);
                FileLock held = channel.lock()) {
            Files.createSymbolicLink(name, file);
            assertThatThrownBy(() -> SideLock.hold(directory, "keeper")).isInstanceOf(UnsupportedFormatException.class);
            Files.delete(name);
            Files.createLink(name, file);
            assertThatThrownBy(() -> SideLock.hold(directory, "keeper")).isInstanceOf(EngineLockedException.class);
            assertThat(held.isValid()).isTrue();
            assertThat(canBeLockedByOthers(file)).isFalse();
        }
        assertThat(canBeLockedByOthers(file)).isTrue();
    }

    private static boolean canBeLockedByOthers(Path file) throws Exception {
        String classPath = System.getProperty("java.class.path")
                + File.pathSeparator
                + Path.of(Probe.class
                        .getProtectionDomain()
                        .getCodeSource()
                        .getLocation()
                        .toURI());
        Process probe = new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-cp",
                        classPath,
                        Probe.class.getName(),
                        file.toString())
                .start();
        return probe.waitFor() == 0;
    }

    /** Another process: it ends with 0 if it got the lock. */
    static final class Probe {
        private Probe() {}

        public static void main(String[] arguments) throws IOException {
            try (FileChannel channel = FileChannel.open(Path.of(arguments[0]), StandardOpenOption.WRITE)) {
                System.exit(channel.tryLock() == null ? 1 : 0);
            }
        }
    }

    @Test
    void aPipeIsRefusedAndNotWaitedFor() throws Exception {
        Path pipe = directory.resolve(SideLock.NAME);
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        assertThatThrownBy(() -> SideLock.hold(directory, "keeper"))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining(pipe.toString());
    }
}
