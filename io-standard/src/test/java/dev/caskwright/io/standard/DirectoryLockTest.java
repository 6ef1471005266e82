package dev.caskwright.io.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.IoManager;
import java.io.BufferedReader;
import java.io.FileInputStream;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.channels.FileChannel;
import java.nio.channels.OverlappingFileLockException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.LinkOption;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.FileTime;
import java.nio.file.attribute.PosixFilePermissions;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Properties;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
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
        return DirectoryLock.acquire(directory, exclusive, Access.ownerOnly());
    }

    private Path lockFile() {
        return directory.resolve(DirectoryLock.LOCK_FILE);
    }

    private Path ownerFile() {
        return directory.resolve(OwnerFile.NAME);
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

    /** Has no memory from one of its changes on. */
    private static final class ShortOfMemory extends Properties {
        private static final long serialVersionUID = 1L;

        private int changesLeft = Integer.MAX_VALUE;

        ShortOfMemory(Properties like) {
            putAll(like);
        }

        private void take() {
            if (changesLeft-- <= 0) {
                throw new OutOfMemoryError("simulated");
            }
        }

        @Override
        public synchronized Object setProperty(String key, String value) {
            take();
            return super.setProperty(key, value);
        }

        @Override
        public synchronized Object remove(Object key) {
            take();
            return super.remove(key);
        }
    }

    private void whileShortOfMemory(boolean exclusive, int changes, ShortOfMemory properties) throws IOException {
        properties.changesLeft = changes;
        try {
            lock(exclusive).close();
        } catch (OutOfMemoryError e) {
            assertThat(e).hasMessage("simulated");
        } finally {
            properties.changesLeft = Integer.MAX_VALUE;
        }
    }

    @Test
    void wantOfMemoryKeepsNoDirectoryInUse() throws IOException {
        Properties properties = System.getProperties();
        ShortOfMemory simulated = new ShortOfMemory(properties);
        System.setProperties(simulated);
        try {
            for (int changes = 0; changes < 5; changes++) {
                for (boolean exclusive : new boolean[] {true, false}) {
                    whileShortOfMemory(exclusive, changes, simulated);
                    lock(true).close();
                    assertThat(properties()).isEmpty();
                    try (DirectoryLock reader = lock(false)) {
                        assertThat(reader).isNotNull();
                        whileShortOfMemory(false, changes, simulated);
                        assertThatThrownBy(() -> lock(true)).isInstanceOf(EngineLockedException.class);
                    }
                    Files.delete(lockFile());
                    try (DirectoryLock readerWithoutFile = lock(false)) {
                        assertThat(readerWithoutFile).isNotNull();
                        Files.createFile(lockFile());
                        whileShortOfMemory(false, changes, simulated);
                        lock(false).close();
                        assertThat(properties()).hasSize(2);
                    }
                    assertThat(properties()).isEmpty();
                }
            }
        } finally {
            System.setProperties(properties);
        }
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void theSameDirectoryIsKnownByAnyName() throws IOException {
        try (DirectoryLock writer = lock(true)) {
            assertThat(writer).isNotNull();
            Path moved = Files.move(directory, directory.resolveSibling("moved"));
            assertThatThrownBy(() -> DirectoryLock.acquire(moved, true, Access.ownerOnly()))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageContaining("this process, pid=");
            Files.move(moved, directory);
        }
        lock(true).close();
    }

    @Test
    void aLockIsHeldAlthoughItsFileIsDeleted() throws IOException {
        DirectoryLock writer = lock(true);
        Files.delete(lockFile());
        assertThatThrownBy(() -> lock(true)).isInstanceOf(EngineLockedException.class);
        assertThatThrownBy(writer::check)
                .isInstanceOf(EngineLockedException.class)
                .hasMessageContainingAll("LOCK was removed", "directory=" + directory, "owner=pid=");
        writer.close();
        lock(true).close();
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void anOwnerNoticesAnotherLockFileAndLeavesTheNextOwnersNameAlone() throws IOException {
        DirectoryLock writer = lock(true);
        writer.check();
        Path kept = Files.move(lockFile(), directory.resolve("kept")); // or its inode might be used again
        Files.createFile(lockFile());
        assertThatThrownBy(writer::check)
                .isInstanceOf(EngineLockedException.class)
                .hasMessageContaining("LOCK was replaced");
        Files.writeString(ownerFile(), "the next owner");
        writer.close();
        assertThat(ownerFile()).hasContent("the next owner");
        assertThat(kept).exists();
    }

    @Test
    void withoutALockFileALivingOwnerIsAskedFor() throws Exception {
        Process other = hold(false);
        try (BufferedReader output = other.inputReader(StandardCharsets.UTF_8)) {
            assertThat(output.readLine()).isEqualTo("locked");
            long started = other.info().startInstant().orElseThrow().toEpochMilli();
            String own = OwnerFile.thisProcess();
            String host = own.substring(own.indexOf("host="), own.lastIndexOf("=") + 1);
            String living = "pid=" + other.pid() + ", " + host;
            for (String owner : List.of(living + started, living + "0")) {
                Files.deleteIfExists(lockFile());
                Files.writeString(ownerFile(), owner);
                for (boolean exclusive : new boolean[] {true, false}) {
                    assertThatThrownBy(() -> lock(exclusive))
                            .isInstanceOf(EngineLockedException.class)
                            .hasMessageContainingAll("somebody removed or replaced LOCK", "remove OWNER")
                            .hasMessageEndingWith("owner=" + owner);
                    assertThat(lockFile()).doesNotExist();
                    assertThat(properties()).isEmpty();
                }
            }
            // Nor does something else in the place of the file hide the owner.
            for (String kind : List.of("pipe", "directory", "dangling")) {
                Files.deleteIfExists(lockFile());
                make(kind, lockFile());
                for (boolean exclusive : new boolean[] {true, false}) {
                    assertThatThrownBy(() -> lock(exclusive))
                            .as(kind)
                            .isInstanceOf(EngineLockedException.class)
                            .hasMessageContaining("somebody removed or replaced LOCK");
                }
            }
            // Another process has the number now, another machine, or it is no owner at all.
            for (String owner : List.of(
                    living + (started - 3_600_000),
                    (living + started).replace("host=", "host=x"),
                    "pid=99999999999999999999, " + host + started,
                    "somebody")) {
                Files.deleteIfExists(lockFile());
                Files.writeString(ownerFile(), owner);
                lock(true).close();
            }
            Files.delete(lockFile());
            Files.writeString(ownerFile(), living + started);
        } finally {
            other.destroyForcibly().waitFor();
        }
        lock(true).close();
    }

    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void whatIsNoFileIsNeverOpenedAndOnlyTheLockItselfMatters() throws Exception {
        for (boolean isOwner : new boolean[] {true, false}) {
            Path place = isOwner ? ownerFile() : lockFile();
            for (String kind : List.of("pipe", "directory", "link", "dangling")) {
                Files.deleteIfExists(lockFile());
                make(kind, place);
                if (isOwner) {
                    lock(true).close();
                    lock(false).close();
                    Process holder = hold(true);
                    try (BufferedReader output = holder.inputReader(StandardCharsets.UTF_8)) {
                        assertThat(output.readLine()).isEqualTo("locked");
                        Files.deleteIfExists(place);
                        make(kind, place);
                        assertThatThrownBy(() -> lock(true)).isInstanceOf(EngineLockedException.class);
                    } finally {
                        holder.destroyForcibly().waitFor();
                    }
                } else {
                    for (boolean exclusive : new boolean[] {true, false}) {
                        assertThatThrownBy(() -> lock(exclusive))
                                .as(kind)
                                .isInstanceOf(UnsupportedFormatException.class)
                                .hasMessageContainingAll("not a regular file", "file=" + lockFile());
                    }
                }
                assertThat(properties()).isEmpty();
                Files.delete(place);
            }
        }
    }

    /** What is locked is the file under the name, and not one that somebody took away right after it was made. */
    @Test
    void aLockFileThatIsExchangedWhileItIsMadeIsNotTakenForTheOneLocked() throws IOException {
        boolean[] isExchanged = {false};
        Access exchanging = new Access(PosixFilePermissions.fromString("rw-------")) {
            @Override
            void settleFile(Path path) throws IOException {
                super.settleFile(path);
                if (path.equals(lockFile()) && !isExchanged[0]) {
                    isExchanged[0] = true;
                    Files.delete(path);
                    Files.createFile(path);
                }
            }
        };
        try (DirectoryLock lock = DirectoryLock.acquire(directory, true, exchanging)) {
            assertThat(isExchanged[0]).isTrue();
            lock.check();
            try (FileChannel another = FileChannel.open(lockFile(), StandardOpenOption.WRITE)) {
                assertThatThrownBy(another::tryLock).isInstanceOf(OverlappingFileLockException.class);
            }
        }
    }

    @Test
    void whatSomebodyElseCallsOwnerIsLeftAlone() throws Exception {
        for (String content : List.of("mine", "the owner is pid=1", " \n\nanother's", "x".repeat(10_000))) {
            Files.writeString(ownerFile(), content);
            lock(true).close();
            lock(false).close();
            assertThat(ownerFile()).hasContent(content);
        }
        Files.delete(ownerFile());
        make("dangling", ownerFile());
        lock(true).close();
        assertThat(Files.isSymbolicLink(ownerFile())).isTrue();
        Files.delete(ownerFile());
        for (String own : List.of("", "p", "pid=", "pid=1, host=none", OwnerFile.thisProcess())) {
            Files.writeString(ownerFile(), own);
            try (DirectoryLock lock = lock(true)) {
                assertThat(ownerFile()).as(own).hasContent(OwnerFile.thisProcess());
                lock.check();
            }
            assertThat(ownerFile()).doesNotExist();
        }
    }

    private void make(String kind, Path place) throws Exception {
        switch (kind) {
            case "pipe" ->
                assertThat(new ProcessBuilder("mkfifo", place.toString())
                                .start()
                                .waitFor())
                        .isZero();
            case "directory" -> Files.createDirectory(place);
            case "link" -> Files.createSymbolicLink(place, root.resolve("d"));
            default -> Files.createSymbolicLink(place, root.resolve("nowhere"));
        }
    }

    @Test
    void aReaderWithoutALockFileIsJoinedAndKeepsAWriterOut() throws Exception {
        DirectoryLock first = lock(false);
        assertThatThrownBy(() -> lock(true)).isInstanceOf(EngineLockedException.class);
        DirectoryLock second = lock(false);
        assertThat(directory).isEmptyDirectory();
        second.close();
        Process writer = hold(true);
        try (BufferedReader output = writer.inputReader(StandardCharsets.UTF_8)) {
            assertThat(output.readLine()).isEqualTo("locked");
            assertThatThrownBy(() -> lock(false)).as("there is a writer now").isInstanceOf(EngineLockedException.class);
        } finally {
            writer.destroyForcibly().waitFor();
        }
        DirectoryLock third = lock(false);
        first.close();
        Process late = hold(true);
        try (BufferedReader output = late.inputReader(StandardCharsets.UTF_8)) {
            assertThatThrownBy(() -> lock(true)).isInstanceOf(EngineLockedException.class);
            third.close();
            assertThat(output.readLine()).isEqualTo("locked");
        } finally {
            late.destroyForcibly().waitFor();
        }
        assertThat(properties()).isEmpty();
        lock(true).close();
    }

    /** A lock that was not got for want of a descriptor once stayed in the registry for ever. */
    @Test
    @EnabledOnOs({OS.LINUX, OS.MAC})
    void aShortageOfDescriptorsLeavesNothingBehind() throws Exception {
        lock(true).close();
        Process process = new ProcessBuilder(
                        "sh",
                        "-c",
                        "ulimit -n 80 && exec \"$0\" -XX:TieredStopAtLevel=1 -cp \"$1\" \"$2\" \"$3\"",
                        Path.of(System.getProperty("java.home"), "bin", "java").toString(),
                        System.getProperty("java.class.path"),
                        FewDescriptors.class.getName(),
                        directory.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), StandardCharsets.UTF_8);
        assertThat(process.waitFor()).as(output).isZero();
        assertThat(output).contains("refused").endsWith("fine\n");
    }

    /** Takes the lock with ever more descriptors free, and each time again with enough of them. */
    static final class FewDescriptors {
        private FewDescriptors() {}

        public static void main(String[] arguments) throws IOException {
            Path directory = Path.of(arguments[0]);
            // Classes take descriptors, too.
            DirectoryLock.acquire(directory, true, Access.ownerOnly()).close();
            System.out.println(Failures.ofNameChange("loaded", directory, new IOException("before")));
            for (boolean exclusive : new boolean[] {false, true}) {
                for (int free = 0; free < 8; free++) {
                    Deque<FileInputStream> held = new ArrayDeque<>();
                    try {
                        while (held.size() < 10_000) {
                            held.add(new FileInputStream("/dev/null"));
                        }
                    } catch (IOException e) {
                        for (int i = 0; i < free; i++) {
                            held.removeLast().close();
                        }
                    }
                    try {
                        DirectoryLock.acquire(directory, exclusive, Access.ownerOnly())
                                .close();
                    } catch (IOException e) {
                        System.out.println("refused with free=" + free + ": " + e);
                    }
                    for (FileInputStream each : held) {
                        each.close();
                    }
                    DirectoryLock.acquire(directory, true, Access.ownerOnly()).close();
                    if (System.getProperties().stringPropertyNames().stream()
                            .anyMatch(name -> name.startsWith(PROPERTY_PREFIX))) {
                        throw new IllegalStateException("a lock was left in the registry");
                    }
                }
            }
            System.out.println("fine");
        }
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
    void anOwnerThatCannotBeWrittenKeepsNobodyOut() throws IOException {
        Files.createDirectories(ownerFile().resolve("occupied"));
        lock(true).close();
        lock(false).close();
        assertThat(ownerFile().resolve("occupied")).exists();
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
    void aWriterWaitsForReadersOfAnotherProcessAndTellsThem() throws Exception {
        lock(true).close();
        Path wish = directory.resolve("LOCK.wanted");
        Process holder = hold(false);
        try (BufferedReader output = holder.inputReader(StandardCharsets.UTF_8)) {
            assertThat(output.readLine()).isEqualTo("locked");
            assertThat(StandardIoManager.isWriterWaiting(directory)).isFalse();
            CompletableFuture<DirectoryLock> writer = CompletableFuture.supplyAsync(() -> {
                try {
                    return lock(true);
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            });
            while (!StandardIoManager.isWriterWaiting(directory)) {
                assertThat(writer).isNotDone();
            }
            holder.destroyForcibly().waitFor();
            writer.join().close();
            assertThat(wish).doesNotExist();
        } finally {
            holder.destroyForcibly().waitFor();
        }
    }

    @Test
    void noReaderComesWhileAWriterWaitsAndWhatIsLeftOfOneKeepsNobodyOut() throws Exception {
        lock(true).close();
        Path wish = Files.createFile(directory.resolve("LOCK.wanted"));
        assertThatThrownBy(() -> lock(false))
                .isInstanceOf(EngineLockedException.class)
                .hasMessageContaining("a writer is about to open the store");
        Files.setLastModifiedTime(wish, FileTime.fromMillis(System.currentTimeMillis() - 60_000));
        lock(false).close();
        for (String kind : List.of("pipe", "directory", "dangling")) {
            Files.deleteIfExists(wish);
            make(kind, wish);
            lock(false).close();
            lock(true).close();
            assertThat(Files.exists(wish, LinkOption.NOFOLLOW_LINKS)).as(kind).isTrue();
        }
        try (IoManager manager = StandardIoManager.open(directory, false)) {
            assertThat(manager.list()).isEmpty();
        }
    }

    @Test
    void readersInAnotherProcessAreNotTakenForAWriter() throws Exception {
        Process holder = hold(false);
        try (BufferedReader output = holder.inputReader(StandardCharsets.UTF_8)) {
            assertThat(output.readLine()).isEqualTo("locked");
            Files.writeString(ownerFile(), "a writer that died");
            Thread.currentThread().interrupt(); // so that nobody is waited for
            assertThatThrownBy(() -> lock(true))
                    .isInstanceOf(EngineLockedException.class)
                    .hasMessageEndingWith("owner=readers in other processes");
            assertThat(Thread.interrupted()).isTrue();
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
