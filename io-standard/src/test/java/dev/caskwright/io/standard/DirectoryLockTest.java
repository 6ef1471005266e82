package dev.caskwright.io.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.UnsupportedFormatException;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

final class DirectoryLockTest {
    private static final String PROPERTY_PREFIX = "dev.caskwright.lock:";

    @TempDir
    private Path root;

    private final Set<String> before = allProperties();
    private Path directory;

    @BeforeEach
    void create() throws IOException {
        directory = Files.createDirectory(root.toRealPath().resolve("d"));
    }

    private DirectoryLock lock(boolean exclusive) throws IOException {
        return DirectoryLock.acquire(directory, exclusive);
    }

    private Path ownerFile() {
        return directory.resolve(DirectoryLock.OWNER_FILE);
    }

    private static Set<String> allProperties() {
        return System.getProperties().stringPropertyNames().stream()
                .filter(name -> name.startsWith(PROPERTY_PREFIX))
                .collect(Collectors.toSet());
    }

    /** Returns the locks that are told of, without those that were held before. */
    private Set<String> properties() {
        Set<String> added = allProperties();
        added.removeAll(before);
        return added;
    }

    @Test
    void aLockIsAPropertyUnderTwoNamesUntilItIsClosed() throws IOException {
        DirectoryLock lock = lock(true);
        String process = "pid=" + ProcessHandle.current().pid() + ", host=";
        assertThat(System.getProperty(PROPERTY_PREFIX + directory)).startsWith(process);
        assertThat(properties()).hasSize(2);
        assertThat(ownerFile()).content().isEqualTo(System.getProperty(PROPERTY_PREFIX + directory));
        long started =
                ProcessHandle.current().info().startInstant().orElseThrow().toEpochMilli();
        assertThat(ownerFile()).content().endsWith("processStartMillis=" + started);
        if (Files.isReadable(Path.of("/proc/sys/kernel/hostname"))) {
            String host = Files.readString(Path.of("/proc/sys/kernel/hostname")).strip();
            assertThat(ownerFile()).content().contains("host=" + host + ",");
        }
        lock.close();
        assertThat(properties()).isEmpty();
        assertThat(ownerFile()).doesNotExist();
    }

    @Test
    void aHolderInThisProcessIsNamed() throws IOException {
        String process = "owner=this process, pid=" + ProcessHandle.current().pid();
        for (boolean exclusive : new boolean[] {true, false}) {
            try (DirectoryLock writer = lock(true)) {
                assertThat(writer).isNotNull();
                assertThatThrownBy(() -> lock(exclusive))
                        .isInstanceOf(EngineLockedException.class)
                        .hasMessageContaining("directory=" + directory)
                        .hasMessageContaining(process);
            }
        }
        try (DirectoryLock reader = lock(false)) {
            assertThat(reader).isNotNull();
            assertThatThrownBy(() -> lock(true))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining(process);
        }
    }

    @Test
    void theLockIsGivenUpByTheLastReaderAndOnlyOnceByEach() throws IOException {
        lock(true).close();
        DirectoryLock first = lock(false);
        DirectoryLock second = lock(false);
        assertThat(ownerFile()).doesNotExist();
        first.close();
        first.close();
        assertThatThrownBy(() -> lock(true)).isInstanceOf(EngineLockedException.class);
        second.close();
        DirectoryLock writer = lock(true);
        second.close();
        assertThat(ownerFile()).exists();
        assertThatThrownBy(() -> lock(true)).isInstanceOf(EngineLockedException.class);
        writer.close();
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void theSameDirectoryIsKnownByAnyName() throws IOException {
        try (DirectoryLock writer = lock(true)) {
            assertThat(writer).isNotNull();
            Path moved = Files.move(directory, directory.resolveSibling("moved"));
            assertThatThrownBy(() -> DirectoryLock.acquire(moved, true))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining("this process, pid=");
            Files.move(moved, directory);
        }
        lock(true).close();
    }

    @Test
    void aLockIsHeldAlthoughItsFileIsDeleted() throws IOException {
        DirectoryLock writer = lock(true);
        Files.delete(directory.resolve(DirectoryLock.LOCK_FILE));
        assertThatThrownBy(() -> lock(true)).isInstanceOf(EngineLockedException.class);
        writer.close();
        lock(true).close();
    }

    @Test
    void aHolderInAnotherClassLoaderIsAStrangerAlsoAmongReaders() throws IOException {
        lock(true).close();
        String key = PROPERTY_PREFIX + directory;
        System.setProperty(key, "pid=1");
        try {
            assertThatThrownBy(() -> lock(false))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining("owner=this process, in another class loader, pid=1");
        } finally {
            System.clearProperty(key);
        }
        lock(false).close();
    }

    @Test
    void aLockThatNobodyToldOfIsSeenAllTheSame() throws IOException {
        Path file = directory.resolve(DirectoryLock.LOCK_FILE);
        try (FileChannel stranger = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE);
                var held = stranger.lock()) {
            for (int i = 0; i < 2; i++) {
                assertThat(held.isValid()).isTrue();
                assertThatThrownBy(() -> lock(true))
                        .isInstanceOf(EngineLockedException.class)
                        .hasMessageEndingWith("owner=this process, in another class loader");
                assertThat(properties()).isEmpty();
            }
        }
        lock(true).close();
    }

    @Test
    void aDirectoryWithoutALockFileIsNoStoreToAReader() {
        assertThatThrownBy(() -> lock(false))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("directory=" + directory)
                .hasMessageContaining("missing=LOCK");
        assertThat(directory).isEmptyDirectory();
        assertThat(properties()).isEmpty();
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void linksAreNotFollowed() throws IOException {
        Path outside = Files.writeString(root.resolve("outside"), "secret");
        Files.createSymbolicLink(ownerFile(), outside);
        lock(true).close();
        assertThat(outside).hasContent("secret");
        Files.delete(directory.resolve(DirectoryLock.LOCK_FILE));
        Files.createSymbolicLink(directory.resolve(DirectoryLock.LOCK_FILE), outside);
        assertThatThrownBy(() -> lock(true)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> lock(false)).isInstanceOf(IOException.class);
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void anOwnerThatCannotBeWrittenLeavesNoLock() throws IOException {
        Files.createDirectories(ownerFile().resolve("occupied"));
        assertThatThrownBy(() -> lock(true)).isInstanceOf(IOException.class);
        assertThat(properties()).isEmpty();
        Files.delete(ownerFile().resolve("occupied"));
        lock(true).close(); // the channel was closed, or this would meet its lock
    }

    /** Starts a process that holds the lock until it is killed. */
    private Process hold(boolean exclusive) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockHolder.class.getName(),
                        directory.toString(),
                        Boolean.toString(exclusive))
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    @Test
    void anotherProcessIsDescribedByItsOwnerFile() throws Exception {
        Process holder = hold(true);
        try (BufferedReader output = holder.inputReader(StandardCharsets.UTF_8)) {
            assertThat(output.readLine()).isEqualTo("locked");
            assertOwner("another process");
            Files.writeString(ownerFile(), " \n");
            assertOwner("another process");
            Files.writeString(ownerFile(), " somebody\u001b[1m, somewhere\n");
            assertOwner("somebody?[1m, somewhere");
            Files.writeString(ownerFile(), "x".repeat(10_000));
            assertOwner("x".repeat(512));
        } finally {
            holder.destroyForcibly().waitFor();
        }
        lock(true).close();
    }

    @Test
    void readersInAnotherProcessAreNotTakenForAWriter() throws Exception {
        Process holder = hold(false);
        try (BufferedReader output = holder.inputReader(StandardCharsets.UTF_8)) {
            assertThat(output.readLine()).isEqualTo("locked");
            Files.writeString(ownerFile(), "a writer that died");
            assertThatThrownBy(() -> lock(true))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageEndingWith("owner=readers in other processes");
            lock(false).close();
        } finally {
            holder.destroyForcibly().waitFor();
        }
        lock(true).close();
    }

    private void assertOwner(String owner) {
        for (boolean exclusive : new boolean[] {true, false}) {
            assertThatThrownBy(() -> lock(exclusive))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageEndingWith("owner=" + owner);
        }
    }

    /** Holds the lock of a directory, without a word about itself, until it is killed. */
    static final class LockHolder {
        private LockHolder() {}

        public static void main(String[] arguments) throws IOException {
            Path file = Path.of(arguments[0], DirectoryLock.LOCK_FILE);
            try (FileChannel channel = FileChannel.open(
                            file, StandardOpenOption.CREATE, StandardOpenOption.READ, StandardOpenOption.WRITE);
                    var held = channel.lock(0, Long.MAX_VALUE, !Boolean.parseBoolean(arguments[1]))) {
                System.out.println(held.isValid() ? "locked" : "nothing");
                System.out.flush();
                int end = System.in.read();
                System.out.println(end);
            }
        }
    }
}
