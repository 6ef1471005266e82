package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/**
 * The part of the contract of IO managers about directories and names.
 */
abstract class IoManagerNamesContract extends IoManagerFixture {
    @Test
    void directoryAndParentsAreCreated() throws IOException {
        IoManager manager = manager("a/b/c");
        assertThat(manager.list()).isEmpty();
        assertThat(manager.describe()).contains("c");
        assertThat(manager.usableSpace()).isPositive();
        try (IoManager again = openManager(root().resolve("a/b/c"), false)) {
            assertThat(again.list()).isEmpty();
        }
    }

    @Test
    void missingDirectoryIsNotCreatedUnasked() {
        assertThatExceptionOfType(NoSuchFileException.class)
                .isThrownBy(() -> openManager(root().resolve("missing"), false));
        assertThatExceptionOfType(NoSuchFileException.class)
                .isThrownBy(() -> openManager(root().resolve("missing"), false));
    }

    @Test
    void fileIsNoDirectory() throws IOException {
        Path file = Files.createFile(root().resolve("file"));
        assertThatExceptionOfType(NotDirectoryException.class).isThrownBy(() -> openManager(file, true));
        assertThatExceptionOfType(NotDirectoryException.class).isThrownBy(() -> openManager(file, false));
    }

    @Test
    void closingTwiceIsFine() throws IOException {
        IoManager manager = openManager(root().resolve("d"), true);
        manager.close();
        manager.close();
    }

    @Test
    void createdFileIsEmptyAndListed() throws IOException {
        IoManager manager = manager("d");
        try (WritableFile file = manager.create("000001.data", 0)) {
            assertThat(file.name()).isEqualTo("000001.data");
            assertThat(file.length()).isZero();
            assertThat(read(file, 0, 10)).isEmpty();
        }
        assertThat(manager.list()).containsExactly("000001.data");
        assertThat(manager.length("000001.data")).isZero();
    }

    @Test
    void aFileWrittenInSequenceIsAsAnyOther() throws IOException {
        IoManager manager = manager("d");
        try (WritableFile file = manager.createSequential("a", 100)) {
            file.write(0, bytes(1, 70_000), 0, 70_000);
            file.write(70_000, bytes(2, 10), 0, 10);
            assertThat(read(file, 69_999, 3))
                    .isEqualTo(new byte[] {bytes(1, 70_000)[69_999], bytes(2, 10)[0], bytes(2, 10)[1]});
            file.force();
        }
        assertThat(manager.length("a")).isEqualTo(70_010);
        assertThat(Arrays.copyOf(load(manager, "a"), 70_000)).isEqualTo(bytes(1, 70_000));
        assertThatThrownBy(() -> manager.createSequential("a", 0)).isInstanceOf(IOException.class);
    }

    @Test
    void aFileIsForcedAndClosedAfterItsAccessHasEnded() throws IOException {
        IoManager manager = manager("d");
        try (WritableFile file = manager.create("a", 1 << 20)) {
            file.write(0, bytes(1, 1_000), 0, 1_000);
            try (ReadableFile reader = manager.open("a")) {
                file.endAccess();
                file.endAccess();
                file.force();
                assertThat(file.length()).isEqualTo(1_000);
                assertThat(read(reader, 0, 1_000)).isEqualTo(bytes(1, 1_000));
            }
        }
        assertThat(load(manager, "a")).isEqualTo(bytes(1, 1_000));
    }

    @Test
    void createRefusesAnExistingFile() throws IOException {
        IoManager manager = manager("d");
        store(manager, "a", bytes(1, 10));
        assertThatThrownBy(() -> manager.create("a", 0))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("a");
        assertThat(load(manager, "a")).isEqualTo(bytes(1, 10));
    }

    @Test
    void missingFileIsAnErrorThatNamesIt() throws IOException {
        IoManager manager = manager("d");
        List<ThrowingCallable> calls = List.of(
                () -> manager.open("gone.data"),
                () -> manager.openWritable("gone.data"),
                () -> manager.length("gone.data"),
                () -> manager.delete("gone.data"),
                () -> manager.rename("gone.data", "other"),
                () -> manager.linkTo(manager("e"), "gone.data"));
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call).isInstanceOf(IOException.class).hasMessageContaining("gone.data");
        }
        assertThat(manager.list()).isEmpty();
        assertThat(manager("e").list()).isEmpty();
    }

    @Test
    void namesThatLeadElsewhereAreRefused() throws IOException {
        IoManager manager = manager("d");
        IoManager other = manager("e");
        store(manager, "a", bytes(1, 10));
        for (String name :
                List.of("", ".", "..", "../x", "/x", "x/", "x/y", "x\\y", "..\\x", "x/../y", "a\0b", "../d/a")) {
            assertRefused(manager, other, name);
        }
        assertThat(manager.list()).containsExactly("a");
        assertThat(other.list()).isEmpty();
    }

    private static void assertRefused(IoManager manager, IoManager other, String name) {
        List<ThrowingCallable> calls = List.of(
                () -> manager.create(name, 0),
                () -> manager.open(name),
                () -> manager.openWritable(name),
                () -> manager.length(name),
                () -> manager.delete(name),
                () -> manager.rename("a", name),
                () -> manager.rename(name, "b"),
                () -> manager.linkTo(other, name));
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call).as("name=%s", name).isInstanceOf(IllegalArgumentException.class);
        }
    }

    @Test
    void renameTakesThePlaceOfAnotherFile() throws IOException {
        IoManager manager = manager("d");
        store(manager, "new", bytes(1, 100));
        store(manager, "old", bytes(2, 50));
        manager.rename("new", "old");
        assertThat(manager.list()).containsExactly("old");
        assertThat(load(manager, "old")).isEqualTo(bytes(1, 100));
        manager.syncDirectory();
    }

    @Test
    void filesThatLoseTheirNameKeepWorking() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 100_000);
        store(manager, "sealed", content);
        store(manager, "replaced", content);
        store(manager, "other", bytes(2, 10));
        try (ReadableFile sealed = manager.open("sealed");
                ReadableFile replaced = manager.open("replaced");
                WritableFile active = manager.create("active", 0)) {
            active.write(0, content, 0, 50_000);
            manager.delete("sealed");
            manager.rename("other", "replaced");
            manager.delete("active");
            assertThat(manager.list()).containsExactly("replaced");

            // An interrupt makes a manager that works with channels open them again.
            whileInterrupted(() -> assertThat(read(sealed, 0, content.length)).isEqualTo(content));
            active.write(50_000, content, 50_000, 50_000);
            active.force();
            active.reserve(200_000);
            assertThat(read(active, 0, 200_000)).isEqualTo(content);
            assertThat(read(sealed, 0, content.length)).isEqualTo(content);
            assertThat(read(replaced, 0, content.length)).isEqualTo(content);
            active.truncate(10);
            assertThat(read(active, 0, 100)).isEqualTo(Arrays.copyOf(content, 10));
        }
        assertThat(load(manager, "replaced")).isEqualTo(bytes(2, 10));
        assertThat(manager.list()).containsExactly("replaced");
        try (WritableFile again = manager.create("active", 0)) {
            assertThat(again.length()).isZero();
        }
    }

    @Test
    void renamedOpenFileKeepsWorking() throws IOException {
        IoManager manager = manager("d");
        try (WritableFile file = manager.create("a", 0)) {
            file.write(0, bytes(1, 100), 0, 60);
            manager.rename("a", "b");
            file.write(60, bytes(1, 100), 60, 40);
            file.force();
            assertThat(read(file, 0, 100)).isEqualTo(bytes(1, 100));
        }
        assertThat(load(manager, "b")).isEqualTo(bytes(1, 100));
    }

    @Test
    void aRenameThatFailsLeavesItsTarget() throws IOException {
        IoManager manager = manager("d");
        store(manager, "a", bytes(1, 10));
        assertThatThrownBy(() -> manager.rename("gone", "a")).isInstanceOf(IOException.class);
        assertThat(load(manager, "a")).isEqualTo(bytes(1, 10));
    }

    @Test
    void aRenameIsNeverSeenHalfDone() throws Exception {
        IoManager manager = manager("d");
        store(manager, "target", bytes(1, 10));
        AtomicBoolean done = new AtomicBoolean();
        FutureTask<Integer> looking = new FutureTask<>(() -> {
            int looks = 0;
            for (; !done.get() || looks < 2; looks++) {
                assertThat(manager.length("target")).isEqualTo(10);
            }
            return looks;
        });
        Thread thread = new Thread(looking);
        thread.start();
        try {
            for (int i = 0; i < 5_000 && !looking.isDone(); i++) {
                store(manager, "new", bytes(i, 10));
                manager.rename("new", "target");
            }
        } finally {
            done.set(true);
        }
        assertThat(looking.get()).isPositive();
    }

    @Test
    void linkedFileIsInBothDirectories() throws IOException {
        IoManager source = manager("d");
        IoManager target = manager("e");
        store(source, "a", bytes(1, 1_000_000));
        source.linkTo(target, "a");
        target.syncDirectory();
        assertThat(load(target, "a")).isEqualTo(bytes(1, 1_000_000));
        source.delete("a");
        assertThat(load(target, "a")).isEqualTo(bytes(1, 1_000_000));
    }

    @Test
    void linkToAForeignManagerIsACopy() throws IOException {
        IoManager source = manager("d");
        IoManager target = manager("e");
        store(source, "a", bytes(1, 1_000_000));
        source.linkTo(wrapped(target), "a");
        assertThat(load(target, "a")).isEqualTo(bytes(1, 1_000_000));
    }

    @Test
    void linkDoesNotReplace() throws IOException {
        IoManager source = manager("d");
        IoManager target = manager("e");
        store(source, "a", bytes(1, 100));
        store(target, "a", bytes(2, 100));
        assertThatThrownBy(() -> source.linkTo(target, "a")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> source.linkTo(wrapped(target), "a")).isInstanceOf(IOException.class);
        assertThat(load(target, "a")).isEqualTo(bytes(2, 100));
    }
}
