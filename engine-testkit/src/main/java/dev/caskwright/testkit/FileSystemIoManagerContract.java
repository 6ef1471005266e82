package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.BufferedReader;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Assumptions;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;

/**
 * What an {@link IoManager} does whose files are files of the system: permissions, links, locks between processes,
 * descriptors. The manager has a provider, by whose name other processes find it.
 */
public abstract class FileSystemIoManagerContract extends IoManagerContract {
    private static final Path DESCRIPTORS = Path.of("/proc/self/fd");

    /** Returns the name by which the manager is found. */
    protected abstract String providerName();

    @Override
    protected IoManager openManager(Path directory, boolean create) throws IOException {
        return Backends.ioManager(providerName()).open(directory, create);
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void everythingIsForTheOwnerOnly() throws IOException {
        IoManager manager = manager("parent/d");
        store(manager, "a", new byte[10]);
        try (IoManager.Lock lock = manager.lock(true)) {
            assertThat(lock).isNotNull();
            Files.createDirectory(root().resolve("byUmask"));
            assertThat(permissions("parent")).isEqualTo(permissions("byUmask"));
            assertThat(permissions("parent/d")).isEqualTo("rwx------");
            try (Stream<Path> files = Files.list(root().resolve("parent/d"))) {
                assertThat(files.toList())
                        .hasSizeGreaterThan(1)
                        .allSatisfy(
                                file -> assertThat(PosixFilePermissions.toString(Files.getPosixFilePermissions(file)))
                                        .isEqualTo("rw-------"));
            }
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void linksAreNotFollowed() throws IOException {
        IoManager manager = manager("d");
        IoManager target = manager("e");
        Path outside = Files.writeString(root().resolve("outside"), "secret");
        Path link = Files.createSymbolicLink(root().resolve("d/link"), outside);
        Files.createSymbolicLink(root().resolve("d/dangling"), root().resolve("nowhere"));
        List<ThrowingCallable> calls = List.of(
                () -> manager.open("link"),
                () -> manager.openWritable("link"),
                () -> manager.create("link", 0),
                () -> manager.create("dangling", 0),
                () -> manager.length("link"),
                () -> manager.linkTo(target, "link"));
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call).isInstanceOf(IOException.class);
        }
        assertThat(manager.list()).isEmpty();
        assertThat(target.list()).isEmpty();
        assertThat(outside).hasContent("secret");
        assertThat(root().resolve("nowhere")).doesNotExist();
        assertThat(link).isSymbolicLink();
    }

    @Test
    void onlyRegularFilesAreListed() throws IOException {
        IoManager manager = manager("d");
        Files.createDirectory(root().resolve("d/directory"));
        store(manager, "a", new byte[10]);
        assertThat(manager.list()).containsExactly("a");
        assertThatThrownBy(() -> manager.open("directory")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> manager.delete("directory")).isInstanceOf(IOException.class);
        assertThat(root().resolve("d/directory")).exists();
    }

    @Test
    void linkSharesTheBytes() throws IOException {
        IoManager source = manager("d");
        IoManager target = manager("e");
        store(source, "a", bytes(1, 100));
        source.linkTo(target, "a");
        assertThat(Files.isSameFile(root().resolve("d/a"), root().resolve("e/a")))
                .isTrue();
    }

    @Test
    void shortenedFileIsAnError() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 1_000_000);
        store(manager, "a", content);
        try (ReadableFile file = manager.open("a")) {
            assertThat(read(file, 0, content.length)).isEqualTo(content);
            try (FileChannel channel = FileChannel.open(root().resolve("d/a"), StandardOpenOption.WRITE)) {
                channel.truncate(100_000);
            }
            for (int i = 0; i < 1000; i++) {
                assertThatThrownBy(() -> read(file, 500_000, 144))
                        .isInstanceOf(IOException.class)
                        .hasMessageContaining(file.name());
            }
            assertThat(read(file, 0, 50_000)).isEqualTo(Arrays.copyOf(content, 50_000));
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void descriptorsAreGivenBack() throws IOException {
        IoManager manager = manager("d");
        cycle(manager, -1);
        long before = descriptors();
        for (int i = 0; i < 1000; i++) {
            cycle(manager, i);
        }
        assertThat(descriptors()).isLessThan(before + 20);
    }

    private void cycle(IoManager manager, int i) throws IOException {
        try (IoManager.Lock lock = manager.lock(true)) {
            assertThat(lock).isNotNull();
            assertThatThrownBy(() -> manager.lock(false)).isInstanceOf(EngineLockedException.class);
            assertThatThrownBy(() -> manager.open("missing")).isInstanceOf(IOException.class);
            try (WritableFile file = manager.create("a", 400)) {
                file.write(0, bytes(i, 400), 0, 400);
                assertThatThrownBy(() -> manager.create("a", 400)).isInstanceOf(IOException.class);
                manager.rename("a", "b");
            }
            try (ReadableFile file = manager.open("b")) {
                manager.delete("b");
                assertThat(read(file, 0, 400)).isEqualTo(bytes(i, 400));
            }
            manager.syncDirectory();
        }
        manager.lock(false).close();
    }

    /** A manager may hold no space ready, but if it does, it must say that there is none. */
    private static void reserveTooMuch(WritableFile file) throws IOException {
        try {
            file.reserve(5_000_000);
        } catch (OutOfSpaceException e) {
            assertThat(e).hasMessageContaining(file.name());
        }
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void fullDiskIsItsOwnErrorAndPasses() throws Exception {
        Path small = Files.createDirectory(root().resolve("small"));
        boolean mounted = new ProcessBuilder("mount", "-t", "tmpfs", "-o", "size=1m", "tmpfs", small.toString())
                        .inheritIO()
                        .start()
                        .waitFor()
                == 0;
        Assumptions.assumeTrue(mounted, "only root can mount a small file system");
        try {
            IoManager manager = manager("small/d");
            byte[] content = bytes(1, 2_000_000);
            try (WritableFile file = manager.create("a", content.length)) {
                file.write(0, content, 0, 300_000);
                reserveTooMuch(file);
                assertThatThrownBy(() -> file.write(300_000, content, 300_000, 1_700_000))
                        .isInstanceOf(OutOfSpaceException.class)
                        .hasMessageContaining("a");
                assertThat(file.length()).isEqualTo(300_000);
                assertThat(read(file, 0, content.length)).isEqualTo(Arrays.copyOf(content, 300_000));
                file.write(300_000, content, 300_000, 1000);
                file.force();
                file.write(100, content, 100, 1000);
                assertThat(read(file, 0, content.length)).isEqualTo(Arrays.copyOf(content, 301_000));
                assertThatThrownBy(() -> file.write(301_000, content, 301_000, 1_600_000))
                        .isInstanceOf(OutOfSpaceException.class);
            }
            assertThat(manager.length("a")).isEqualTo(301_000);
            try (WritableFile file = manager.create("b", 0)) {
                byte[] block = new byte[1000];
                assertThatThrownBy(() -> {
                            for (long offset = 0; ; offset += block.length) {
                                file.write(offset, block, 0, block.length);
                            }
                        })
                        .isInstanceOf(OutOfSpaceException.class);
                long length = file.length();
                assertThatThrownBy(() -> file.write(length, content, 0, 300_000))
                        .isInstanceOf(OutOfSpaceException.class);

                // A full disk does not keep anyone out, and room that comes back is used.
                manager.lock(true).close();
                manager.delete("a");
                file.write(length, content, 0, 200_000);
                assertThat(read(file, length, content.length)).isEqualTo(Arrays.copyOf(content, 200_000));
            }
        } finally {
            assertThat(new ProcessBuilder("umount", small.toString())
                            .inheritIO()
                            .start()
                            .waitFor())
                    .isZero();
        }
    }

    @Test
    void offsetsBeyondFourGigabytesAreReadAndWritten() throws IOException {
        IoManager manager = manager("d");
        long[] places = {0, (1L << 31) - 5, (1L << 31) + 4_000, (1L << 32) - 5, 5L << 30};
        try (FileChannel channel =
                FileChannel.open(root().resolve("d/a"), StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            for (int i = 0; i < places.length; i++) {
                channel.write(ByteBuffer.wrap(bytes(i, 10)), places[i]); // with holes in between, which take no space
            }
        }
        long end = (5L << 30) + 10;
        assertThat(manager.length("a")).isEqualTo(end);
        try (ReadableFile file = manager.open("a")) {
            assertPlaces(file, places, end);
        }
        try (WritableFile file = manager.openWritable("a")) {
            assertPlaces(file, places, end);
            file.write(3L << 30, bytes(77, 10), 0, 10);
            file.write(end, bytes(78, 10), 0, 10);
            file.force();
            assertThat(read(file, 3L << 30, 10)).isEqualTo(bytes(77, 10));
            assertThat(read(file, end, 20)).isEqualTo(bytes(78, 10));
            assertThat(read(file, 1L << 30, 10)).isEqualTo(new byte[10]);
            file.truncate((1L << 32) + 2);
            assertThat(file.length()).isEqualTo((1L << 32) + 2);
        }
        try (ReadableFile file = manager.open("a")) {
            assertThat(file.length()).isEqualTo((1L << 32) + 2);
            assertThat(read(file, (1L << 32) - 5, 10)).isEqualTo(Arrays.copyOf(bytes(3, 10), 7));
            assertThat(read(file, 3L << 30, 10)).isEqualTo(bytes(77, 10));
        }
    }

    private static void assertPlaces(ReadableFile file, long[] places, long end) throws IOException {
        assertThat(file.length()).isEqualTo(end);
        for (int i = 0; i < places.length; i++) {
            assertThat(read(file, places[i], 10)).as("offset=%s", places[i]).isEqualTo(bytes(i, 10));
        }
        assertThat(read(file, end - 3, 10)).isEqualTo(Arrays.copyOfRange(bytes(places.length - 1, 10), 7, 10));
        assertThat(read(file, end, 10)).isEmpty();
    }

    /**
     * Looks at the device itself, here a file, for the bytes: what a force or a sync returned for is there, and so survives
     * a power loss; what is only in the page cache is not.
     */
    @Test
    @EnabledOnOs(OS.LINUX)
    void whatWasForcedIsOnTheDevice() throws Exception {
        Path device = root().resolve("device");
        Path mounted = Files.createDirectory(root().resolve("mounted"));
        try (FileChannel channel = FileChannel.open(device, StandardOpenOption.CREATE_NEW, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.allocate(1), (16L << 20) - 1);
        }
        boolean isMounted = succeeds("mkfs.ext4", "-q", "-F", device.toString())
                && succeeds("mount", "-o", "loop", device.toString(), mounted.toString());
        Assumptions.assumeTrue(
                isMounted, "NOT PROVED: what a force does shows on a loop device, which only root can mount");
        try (IoManager manager = openManager(mounted.resolve("d"), true)) {
            for (boolean isSequential : new boolean[] {false, true}) {
                String name = isSequential ? "a-name-of-its-own" : "another-odd-name";
                byte[] mark = bytes(isSequential ? 5 : 6, 64);
                try (WritableFile file =
                        isSequential ? manager.createSequential(name, 0) : manager.create(name, 1 << 20)) {
                    file.write(0, bytes(7, 100_000), 0, 100_000);
                    file.write(100_000, mark, 0, mark.length);
                    file.force();
                    assertThat(contains(device, mark)).as("forced bytes").isTrue();
                    byte[] last = bytes(isSequential ? 8 : 9, 64);
                    file.write(100_064, last, 0, last.length);
                    file.endAccess();
                    file.force();
                    assertThat(contains(device, last)).as("bytes forced later").isTrue();
                }
            }
            manager.create("a-third-name", 0).close();
            manager.syncDirectory();
            assertThat(contains(device, "a-third-name".getBytes(StandardCharsets.UTF_8)))
                    .as("a name after the directory was synced")
                    .isTrue();
        } finally {
            assertThat(succeeds("umount", mounted.toString())).isTrue();
        }
    }

    private static boolean succeeds(String... command) throws Exception {
        try {
            return new ProcessBuilder(command).inheritIO().start().waitFor() == 0;
        } catch (IOException e) {
            return false; // there is no such program
        }
    }

    private static boolean contains(Path file, byte[] wanted) throws IOException {
        String content = new String(Files.readAllBytes(file), StandardCharsets.ISO_8859_1);
        return content.contains(new String(wanted, StandardCharsets.ISO_8859_1));
    }

    // Locks between processes

    @Test
    void readerChangesNothing() throws IOException {
        IoManager manager = manager("d");
        manager.lock(false).close(); // of a copy, or a disk that is read-only, where nobody ever wrote
        assertThat(root().resolve("d")).isEmptyDirectory();
        manager.lock(true).close();
        List<String> before = everything("d");
        try (IoManager.Lock lock = manager.lock(false)) {
            assertThat(lock).isNotNull();
            assertThat(everything("d")).isEqualTo(before);
        }
        assertThat(everything("d")).isEqualTo(before);
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void removedLockIsNoticedByItsOwner() throws IOException {
        IoManager manager = manager("d");
        try (IoManager.Lock lock = manager.lock(true);
                WritableFile file = manager.create("a", 100_000)) {
            assertThat(lock).isNotNull();
            store(manager, "b", new byte[10]);
            file.write(0, new byte[10], 0, 10);
            file.force();
            manager.syncDirectory();
            Files.delete(root().resolve("d/LOCK"));
            assertOwnerIsTold(manager, file, EngineLockedException.class);
            Files.createFile(root().resolve("d/LOCK"));
            file.write(10, new byte[10], 0, 10);
            assertOwnerIsTold(manager, file, EngineLockedException.class);
            assertThat(root().resolve("d/b")).hasSize(10);
            assertThat(root().resolve("d/c")).doesNotExist();
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void replacedDirectoryIsNoticed() throws IOException {
        for (boolean isLocked : new boolean[] {true, false}) {
            String name = "d" + isLocked;
            IoManager manager = manager(name);
            IoManager.Lock lock = isLocked ? manager.lock(true) : () -> {};
            try (lock;
                    WritableFile file = manager.create("a", 100_000)) {
                store(manager, "b", new byte[10]);
                file.write(0, bytes(1, 10), 0, 10);
                Files.move(root().resolve(name), root().resolve("moved" + isLocked));
                assertOwnerIsTold(manager, file, IOException.class);
                Files.createDirectory(root().resolve(name));
                Files.createFile(root().resolve(name).resolve("b"));
                assertOwnerIsTold(manager, file, IOException.class);
                assertThatThrownBy(() -> manager.open("b")).isInstanceOf(IOException.class);
                assertThat(read(file, 0, 10)).isEqualTo(bytes(1, 10));
            }
            assertThat(everything(name)).hasSize(1);
        }
    }

    private static void assertOwnerIsTold(IoManager manager, WritableFile file, Class<? extends IOException> type) {
        List<ThrowingCallable> calls = List.of(
                file::force,
                manager::syncDirectory,
                () -> manager.create("c", 100),
                () -> manager.createSequential("c", 100),
                () -> manager.rename("b", "c"),
                () -> manager.delete("b"));
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call).isInstanceOf(type).hasMessageContaining("directory=");
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void specialFilesAreObstaclesAndNeverOpened() throws Exception {
        IoManager manager = manager("d");
        IoManager target = manager("e");
        store(manager, "a", new byte[10]);
        Path pipe = root().resolve("d/pipe");
        assertThat(new ProcessBuilder("mkfifo", pipe.toString()).start().waitFor())
                .isZero();
        Files.createDirectory(root().resolve("d/directory"));
        Files.createSymbolicLink(root().resolve("d/link"), pipe);
        List<String> obstacles = List.of("pipe", "directory", "link");
        for (String name : obstacles) {
            List<ThrowingCallable> calls = List.of(
                    () -> manager.open(name),
                    () -> manager.openWritable(name),
                    () -> manager.create(name, 0),
                    () -> manager.createSequential(name, 0),
                    () -> manager.length(name),
                    () -> manager.delete(name),
                    () -> manager.rename(name, "b"),
                    () -> manager.linkTo(target, name));
            for (ThrowingCallable call : calls) {
                assertThatThrownBy(call).isInstanceOf(IOException.class).hasMessageContaining(name);
            }
        }
        assertThat(manager.list()).containsExactly("a");
        assertThat(manager.listObstacles()).containsExactlyInAnyOrderElementsOf(obstacles);
        assertThat(target.list()).isEmpty();
        assertThat(target.listObstacles()).isEmpty();
    }

    @Test
    void lockFilesAreNoFilesOfTheUser() throws IOException {
        IoManager manager = manager("d");
        try (IoManager.Lock lock = manager.lock(true)) {
            assertThat(lock).isNotNull();
            try (Stream<Path> files = Files.list(root().resolve("d"))) {
                for (Path file : files.toList()) {
                    String name = file.getFileName().toString();
                    assertThatThrownBy(() -> manager.open(name)).isInstanceOf(IllegalArgumentException.class);
                    assertThatThrownBy(() -> manager.delete(name)).isInstanceOf(IllegalArgumentException.class);
                }
            }
        }
    }

    @Test
    void writerKeepsOtherProcessesOut() throws Exception {
        IoManager manager = manager("d");
        IoManager.Lock lock = manager.lock(true);
        String owner = "pid=" + ProcessHandle.current().pid();
        assertThat(probe("d", true)).startsWith("refused").contains(owner, "d");
        assertThat(probe("d", false)).startsWith("refused").contains(owner);

        // A second try in this process must not touch the lock file: closing it would drop the lock.
        assertThatThrownBy(() -> manager.lock(true)).isInstanceOf(EngineLockedException.class);
        assertThatThrownBy(() -> manager("d").lock(false)).isInstanceOf(EngineLockedException.class);
        assertThat(probe("d", true)).startsWith("refused");

        lock.close();
        assertThat(probe("d", true)).isEqualTo("locked");
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void anotherPathToTheDirectoryIsTheSameDirectory() throws Exception {
        IoManager manager = manager("d");
        Files.createSymbolicLink(root().resolve("link"), root().resolve("d"));
        IoManager other = manager("link");
        try (IoManager.Lock lock = manager.lock(true)) {
            assertThat(lock).isNotNull();
            assertThatThrownBy(() -> other.lock(true)).isInstanceOf(EngineLockedException.class);
            assertThat(probe("link", true)).startsWith("refused");
        }
    }

    @Test
    void readersOfSeveralProcessesShare() throws Exception {
        IoManager manager = manager("d");
        manager.lock(true).close();
        IoManager.Lock first = manager.lock(false);
        IoManager.Lock second = manager("d").lock(false);
        first.close();
        assertThat(probe("d", false)).isEqualTo("locked");
        assertThat(probe("d", true)).startsWith("refused").contains("readers");
        second.close();
        assertThat(probe("d", true)).isEqualTo("locked");
    }

    @Test
    void lockOfADeadProcessDoesNotCount() throws Exception {
        IoManager manager = manager("d");
        Process holder = start("d", true, "hold");
        try (BufferedReader output = holder.inputReader(StandardCharsets.UTF_8)) {
            assertThat(output.readLine()).isEqualTo("locked");
            assertThatThrownBy(() -> manager.lock(true))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining("pid=" + holder.pid());
            assertThatThrownBy(() -> manager.lock(false)).isInstanceOf(EngineLockedException.class);
        } finally {
            holder.destroyForcibly().waitFor();
        }
        manager.lock(false).close();
        manager.lock(true).close();
    }

    private String probe(String directory, boolean exclusive) throws Exception {
        Process process = start(directory, exclusive, "try");
        try (BufferedReader output = process.inputReader(StandardCharsets.UTF_8)) {
            String line = output.readLine();
            assertThat(process.waitFor(1, TimeUnit.MINUTES)).isTrue();
            assertThat(line).isNotNull();
            return line;
        } finally {
            process.destroyForcibly();
        }
    }

    private Process start(String directory, boolean exclusive, String mode) throws IOException {
        return new ProcessBuilder(
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        "-Xshare:auto",
                        "-XX:TieredStopAtLevel=1",
                        "-cp",
                        System.getProperty("java.class.path"),
                        LockProbe.class.getName(),
                        providerName(),
                        root().resolve(directory).toString(),
                        Boolean.toString(exclusive),
                        mode)
                .redirectError(ProcessBuilder.Redirect.INHERIT)
                .start();
    }

    private String permissions(String path) throws IOException {
        return PosixFilePermissions.toString(Files.getPosixFilePermissions(root().resolve(path)));
    }

    private List<String> everything(String directory) throws IOException {
        List<String> found = new ArrayList<>();
        try (Stream<Path> files = Files.list(root().resolve(directory))) {
            for (Path file : files.sorted().toList()) {
                found.add(file.getFileName() + " " + Files.getLastModifiedTime(file, LinkOption.NOFOLLOW_LINKS) + " "
                        + Files.size(file));
            }
        }
        return found;
    }

    /** Returns how many files this process has open. */
    protected static long descriptors() throws IOException {
        try (Stream<Path> entries = Files.list(DESCRIPTORS)) {
            return entries.count();
        }
    }
}
