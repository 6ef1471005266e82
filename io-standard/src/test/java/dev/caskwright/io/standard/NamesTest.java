package dev.caskwright.io.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import java.lang.ref.WeakReference;
import java.nio.file.FileAlreadyExistsException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Random;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What the manager does with the names of its directory. */
final class NamesTest {
    @TempDir
    private Path root;

    private Path directory;
    private StandardIoManager manager;

    @BeforeEach
    void open() throws IOException {
        directory = root.toRealPath().resolve("d");
        manager = StandardIoManager.open(directory, true);
    }

    private void store(String name, byte[] content) throws IOException {
        Files.write(directory.resolve(name), content);
    }

    /** Whether a file, whose channel an interrupt closes now, can be read all the same. */
    private static void assertOutlivesAnInterrupt(ReadableFile file, int first) throws IOException {
        ((ChannelFile) file).channel().close();
        byte[] target = new byte[1];
        assertThat(file.read(0, target, 0, 1)).isEqualTo(1);
        assertThat(target[0]).isEqualTo((byte) first);
    }

    @Test
    void openFilesOutliveTheRenamingOfAnotherOverThem() throws IOException {
        store("a", new byte[] {1});
        store("b", new byte[] {2});
        try (ReadableFile a = manager.open("a");
                ReadableFile b = manager.open("b")) {
            manager.rename("a", "b");
            assertThat(a.name()).isEqualTo("b");
            assertOutlivesAnInterrupt(a, 1);
            assertThat(((ChannelFile) a).channel().isOpen()).isTrue();
            assertOutlivesAnInterrupt(b, 2);
            assertThat(((ChannelFile) b).channel().isOpen()).isFalse();
        }
    }

    @Test
    void aRenamingToTheSameNameChangesNothing() throws IOException {
        store("a", new byte[] {1});
        try (ReadableFile a = manager.open("a")) {
            manager.rename("a", "a");
            assertOutlivesAnInterrupt(a, 1);
        }
    }

    @Test
    void aRenamingThatFailsLeavesTheNameOfTheOpenFile() throws IOException {
        store("a", new byte[] {1});
        Files.createDirectories(directory.resolve("b/occupied"));
        try (ReadableFile a = manager.open("a")) {
            assertThatThrownBy(() -> manager.rename("a", "b")).isInstanceOf(IOException.class);
            assertThat(a.name()).isEqualTo("a");
        }
        assertThatThrownBy(() -> manager.rename("b", "c"))
                .as("a directory")
                .isInstanceOf(IOException.class)
                .hasMessageContaining("not a regular file");
        assertThatThrownBy(() -> manager.rename("missing", "c")).isInstanceOf(NoSuchFileException.class);
    }

    @Test
    void onlyTheFilesOfANameAreTouchedWhenItGoes() throws IOException {
        store("a", new byte[] {1});
        store("b", new byte[] {2});
        try (ReadableFile a = manager.open("a");
                ReadableFile b = manager.open("b")) {
            manager.delete("a");
            assertOutlivesAnInterrupt(a, 1);
            Files.delete(directory.resolve("b"));
            assertThatThrownBy(() -> assertOutlivesAnInterrupt(b, 2))
                    .as("nobody told the manager, so there is no spare")
                    .isInstanceOf(NoSuchFileException.class);
        }
    }

    @Test
    void aClosedFileIsForgotten() throws IOException {
        store("a", new byte[] {1});
        WeakReference<ReadableFile> closed = openAndClose("a");
        for (int i = 0; i < 100 && closed.get() != null; i++) {
            System.gc();
        }
        assertThat(closed.get()).isNull();
    }

    private WeakReference<ReadableFile> openAndClose(String name) throws IOException {
        try (ReadableFile file = manager.open(name)) {
            assertThat(file.length()).isEqualTo(1);
            return new WeakReference<>(file);
        }
    }

    @Test
    void plainNamesAreTakenAndNoOthers() throws IOException {
        for (String name : new String[] {"a", "...", ".a", "a.b", "a b", " ", "~", "LOCKS"}) {
            store(name, new byte[3]);
            assertThat(manager.length(name)).isEqualTo(3);
        }
        for (String name :
                new String[] {"", ".", "..", "a/b", "/a", "a\\b", "a\u001fb", "a\n", "LOCK", "lock", "owner"}) {
            assertThatThrownBy(() -> manager.length(name))
                    .as(name)
                    .isInstanceOf(IllegalArgumentException.class)
                    .hasMessageContaining("name=" + name);
        }
        assertThat(manager.list()).hasSize(8);
        assertThat(manager.describe()).isEqualTo(directory.toString());
        assertThat(manager.usableSpace()).isPositive();
    }

    @Test
    void onlyAFileCanBeOpened() throws IOException {
        Files.createDirectory(directory.resolve("b"));
        assertThatThrownBy(() -> manager.open("b")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> manager.openWritable("b")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> manager.delete("b")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> manager.linkTo(manager, "b")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> manager.create("b", 0)).isInstanceOf(FileAlreadyExistsException.class);
        assertThat(directory.resolve("b")).isDirectory();
    }

    @Test
    void aFileIsCopiedToAForeignManagerWhole() throws IOException {
        byte[] content = new byte[600_000];
        new Random(2).nextBytes(content);
        store("a", content);
        IoManager target = FaultPlan.counting().wrap(StandardIoManager.open(root.resolve("e"), true));
        manager.linkTo(target, "a");
        assertThat(root.resolve("e/a")).hasBinaryContent(content);
        assertThat(Files.isSameFile(root.resolve("e/a"), directory.resolve("a")))
                .isFalse();
    }

    @Test
    void aCopyThatFailsLeavesNothing() throws IOException {
        store("a", new byte[600_000]);
        for (IoOperation failing : new IoOperation[] {IoOperation.WRITE, IoOperation.FORCE}) {
            FaultPlan plan = FaultPlan.failing(0).only(failing);
            IoManager target = plan.wrap(StandardIoManager.open(root.resolve("e"), true));
            assertThatThrownBy(() -> manager.linkTo(target, "a")).isInstanceOf(IOException.class);
            assertThat(plan.hasFired()).isTrue();
            assertThat(root.resolve("e")).isEmptyDirectory();
        }
    }

    @Test
    void aManagerIsOfADirectory() throws IOException {
        store("a", new byte[1]);
        assertThatThrownBy(() -> StandardIoManager.open(directory.resolve("a"), false))
                .isInstanceOf(NotDirectoryException.class);
        assertThatThrownBy(() -> StandardIoManager.open(directory.resolve("a"), true))
                .isInstanceOf(NotDirectoryException.class);
        assertThatThrownBy(() -> StandardIoManager.open(directory.resolve("b"), false))
                .isInstanceOf(NoSuchFileException.class);
        assertThat(StandardIoManager.open(directory.resolve("b/c/d"), true).list())
                .isEmpty();
        assertThat(directory.resolve("b/c/d")).isDirectory();
    }

    @Test
    void anInterruptIsKeptByAForceOfTheDirectory() throws IOException {
        Thread.currentThread().interrupt();
        manager.syncDirectory();
        assertThat(Thread.interrupted()).isTrue();
        manager.syncDirectory();
        assertThat(Thread.interrupted()).isFalse();
        Files.delete(directory);
        assertThatThrownBy(manager::syncDirectory).isInstanceOf(IOException.class);
    }

    @Test
    void bytesAreReadFromAndWrittenToTheirPlaceInTheArray() throws IOException {
        try (WritableFile file = manager.create("a", 10)) {
            file.write(0, new byte[] {9, 1, 2, 3, 9}, 1, 3);
            byte[] target = new byte[5];
            assertThat(file.read(1, target, 2, 3)).isEqualTo(2);
            assertThat(target).containsExactly(0, 0, 2, 3, 0);
            assertThat(file.read(2, target, 0, 0)).isZero();
            assertThat(file.read(3, target, 0, 5)).isZero();
            assertThatThrownBy(() -> file.read(-1, target, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.read(0, target, 3, 3)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> file.write(-1, target, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.write(4, target, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.truncate(-1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.truncate(4)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.write(0, target, 0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
            int length = BufferPool.BUFFER_LENGTH + 1;
            assertThatThrownBy(() -> file.write(0, new byte[length], 0, length + 1))
                    .isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(directory.resolve("a")).as("not even in part").hasBinaryContent(new byte[] {1, 2, 3});
            file.truncate(3);
            file.truncate(0);
            assertThat(file.length()).isZero();
        }
    }
}
