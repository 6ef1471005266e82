package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatExceptionOfType;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.NotDirectoryException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.Callable;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * What every {@link IoManager} does, as its Javadoc says. A manager's test extends this class and says how one is opened;
 * one whose files are files of the system extends {@link FileSystemIoManagerContract} instead.
 */
@Timeout(value = 2, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
public abstract class IoManagerContract {
    /** Longer than any buffer or mapped window of a manager is likely to be, and no multiple of one. */
    private static final int BIG = (20 << 20) + 4321;

    private Path root = Path.of("");
    private final List<IoManager> opened = new ArrayList<>();

    /** Opens the manager under test, as {@link dev.caskwright.api.spi.IoManagerFactory#open} says. */
    protected abstract IoManager openManager(Path directory, boolean create) throws IOException;

    /** Returns a directory of this test alone, in which it may create others. */
    protected final Path root() {
        return root;
    }

    /** Opens the manager over a directory below {@link #root}, creating it; it is closed after the test. */
    protected final IoManager manager(String directory) throws IOException {
        IoManager manager = openManager(root.resolve(directory), true);
        opened.add(manager);
        return manager;
    }

    @BeforeEach
    final void useDirectory(@TempDir Path directory) {
        root = directory;
    }

    @AfterEach
    final void closeManagers() throws IOException {
        for (IoManager manager : opened) {
            manager.close();
        }
    }

    // Opening a manager

    @Test
    void directoryAndParentsAreCreated() throws IOException {
        IoManager manager = manager("a/b/c");
        assertThat(manager.list()).isEmpty();
        assertThat(manager.describe()).contains("c");
        assertThat(manager.usableSpace()).isPositive();
        try (IoManager again = openManager(root.resolve("a/b/c"), false)) {
            assertThat(again.list()).isEmpty();
        }
    }

    @Test
    void missingDirectoryIsNotCreatedUnasked() {
        assertThatExceptionOfType(NoSuchFileException.class)
                .isThrownBy(() -> openManager(root.resolve("missing"), false));
        assertThatExceptionOfType(NoSuchFileException.class)
                .isThrownBy(() -> openManager(root.resolve("missing"), false));
    }

    @Test
    void fileIsNoDirectory() throws IOException {
        Path file = Files.createFile(root.resolve("file"));
        assertThatExceptionOfType(NotDirectoryException.class).isThrownBy(() -> openManager(file, true));
        assertThatExceptionOfType(NotDirectoryException.class).isThrownBy(() -> openManager(file, false));
    }

    @Test
    void closingTwiceIsFine() throws IOException {
        IoManager manager = openManager(root.resolve("d"), true);
        manager.close();
        manager.close();
    }

    // Names

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

            // An interrupt makes a manager that works with channels open them anew.
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

    // Reading and writing

    @Test
    void readsEndWhereTheFileEnds() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 1000);
        try (WritableFile active = manager.create("a", 0)) {
            active.write(0, content, 0, content.length);
            checkEnd(active, content);
        }
        try (ReadableFile sealed = manager.open("a")) {
            checkEnd(sealed, content);
        }
        try (WritableFile again = manager.openWritable("a")) {
            checkEnd(again, content);
        }
    }

    private static void checkEnd(ReadableFile file, byte[] content) throws IOException {
        int end = content.length;
        assertThat(file.length()).isEqualTo(end);
        assertThat(read(file, 0, end)).isEqualTo(content);
        assertThat(read(file, 0, 2 * end)).isEqualTo(content);
        assertThat(read(file, end - 1, 1)).containsExactly(content[end - 1]);
        assertThat(read(file, end - 1, 2)).containsExactly(content[end - 1]);
        assertThat(read(file, end, 1)).isEmpty();
        assertThat(read(file, end + 1, 1)).isEmpty();
        assertThat(read(file, 1L << 40, 1)).isEmpty();
        assertThat(read(file, Long.MAX_VALUE, 1)).isEmpty();
        assertThat(read(file, 5, 0)).isEmpty();

        byte[] target = new byte[10];
        Arrays.fill(target, (byte) 99);
        assertThat(file.read(end - 3, target, 4, 5)).isEqualTo(3);
        assertThat(target).startsWith(99, 99, 99, 99).endsWith(99, 99, 99);
        assertThat(Arrays.copyOfRange(target, 4, 7)).isEqualTo(Arrays.copyOfRange(content, end - 3, end));

        assertThatThrownBy(() -> file.read(0, target, 0, 11)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> file.read(0, target, -1, 1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> file.read(0, target, 8, 3)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> file.read(0, target, 0, -1)).isInstanceOf(IndexOutOfBoundsException.class);
        assertThatThrownBy(() -> file.read(-1, target, 0, 1)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void writesGrowTheFileOrChangeItsInside() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 1000);
        byte[] expected;
        try (WritableFile file = manager.create("a", 0)) {
            file.write(0, content, 0, 400);
            file.write(400, content, 400, 600);
            assertThat(file.length()).isEqualTo(1000);
            file.write(100, bytes(2, 300), 50, 200);
            assertThat(file.length()).isEqualTo(1000);
            expected = Arrays.copyOf(content, 1100);
            System.arraycopy(bytes(2, 300), 50, expected, 100, 200);
            assertThat(read(file, 0, 2000)).isEqualTo(Arrays.copyOf(expected, 1000));

            file.write(900, bytes(3, 200), 0, 200);
            assertThat(file.length()).isEqualTo(1100);
            file.write(1100, content, 7, 0);
            assertThat(file.length()).isEqualTo(1100);

            assertThatThrownBy(() -> file.write(1101, content, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.write(-1, content, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.write(0, content, 999, 2)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThat(file.length()).isEqualTo(1100);
        }
        System.arraycopy(bytes(3, 200), 0, expected, 900, 200);
        assertThat(load(manager, "a")).isEqualTo(expected);
    }

    @Test
    void fileOfUnknownLengthIsReadAsWritten() throws IOException {
        checkBigFile(0);
    }

    @Test
    void fileFarLongerThanExpectedIsReadAsWritten() throws IOException {
        checkBigFile(400);
    }

    @Test
    void fileOfExpectedLengthIsReadAsWritten() throws IOException {
        checkBigFile(BIG);
    }

    @Test
    void fileFarShorterThanExpectedIsReadAsWritten() throws IOException {
        checkBigFile(1L << 45);
    }

    private void checkBigFile(long expectedLength) throws IOException {
        long seed = System.nanoTime();
        Random random = new Random(seed);
        IoManager manager = manager("d");
        byte[] content = new byte[BIG];
        random.nextBytes(content);
        try (WritableFile file = manager.create("a", expectedLength)) {
            int offset = 0;
            while (offset < BIG) {
                int length = Math.min(BIG - offset, random.nextInt(random.nextInt(5) == 0 ? 3 << 20 : 5000));
                file.write(offset, content, offset, length);
                offset += length;
                int back = random.nextInt(Math.min(offset + 1, 10_000));
                assertThat(read(file, offset - back, back + 1))
                        .as("seed=%d, offset=%d, back=%d", seed, offset, back)
                        .isEqualTo(Arrays.copyOfRange(content, offset - back, offset));
            }
            for (int i = 0; i < 100; i++) {
                int length = random.nextInt(100_000);
                int place = random.nextInt(BIG - length);
                byte[] change = bytes(random.nextInt(), length);
                System.arraycopy(change, 0, content, place, length);
                file.write(place, change, 0, length);
            }
            file.force();
            checkEverywhere(file, content, seed);
        }
        assertThat(manager.length("a")).isEqualTo(BIG);
        try (ReadableFile sealed = manager.open("a")) {
            checkEverywhere(sealed, content, seed);
        }
        try (WritableFile again = manager.openWritable("a")) {
            checkEverywhere(again, content, seed);
            byte[] change = bytes(7, 100_000);
            again.write(BIG - 50_000, change, 0, change.length);
            content = Arrays.copyOf(content, BIG + 50_000);
            System.arraycopy(change, 0, content, BIG - 50_000, change.length);
            again.write(5, change, 0, 10);
            System.arraycopy(change, 0, content, 5, 10);
            checkEverywhere(again, content, seed);
        }
        assertThat(load(manager, "a")).as("seed=%d", seed).isEqualTo(content);
    }

    private static void checkEverywhere(ReadableFile file, byte[] content, long seed) throws IOException {
        assertThat(read(file, 0, content.length + 1)).as("seed=%d", seed).isEqualTo(content);
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            int length = random.nextInt(1000);
            // Next to multiples of 4 KiB, where buffers and windows end.
            int offset = Math.max(0, (random.nextInt(content.length - length) & -4096) - random.nextInt(1000));
            assertThat(read(file, offset, length))
                    .as("seed=%d, offset=%d, length=%d", seed, offset, length)
                    .isEqualTo(Arrays.copyOfRange(content, offset, offset + length));
        }
    }

    @Test
    void emptyFileIsRead() throws IOException {
        IoManager manager = manager("d");
        manager.create("a", 1 << 20).close();
        try (ReadableFile file = manager.open("a")) {
            assertThat(file.length()).isZero();
            assertThat(read(file, 0, 10)).isEmpty();
        }
        try (WritableFile file = manager.openWritable("a")) {
            assertThat(read(file, 0, 10)).isEmpty();
            file.write(0, bytes(1, 10), 0, 10);
        }
        assertThat(load(manager, "a")).isEqualTo(bytes(1, 10));
    }

    @Test
    void reservedSpaceIsOutOfSightAndGivenBack() throws IOException {
        IoManager manager = manager("d");
        try (WritableFile file = manager.create("a", 0)) {
            file.write(0, bytes(1, 100), 0, 100);
            file.reserve(3_000_000);
            file.reserve(50);
            assertThat(file.length()).isEqualTo(100);
            assertThat(read(file, 0, 200)).isEqualTo(bytes(1, 100));
            assertThat(read(file, 100, 200)).isEmpty();
            assertThatThrownBy(() -> file.write(101, new byte[1], 0, 1)).isInstanceOf(IllegalArgumentException.class);
            file.write(100, bytes(2, 50), 0, 50);
            file.force();
            assertThat(file.length()).isEqualTo(150);
        }
        assertThat(manager.length("a")).isEqualTo(150);
        try (WritableFile file = manager.openWritable("a")) {
            file.reserve(500_000);
            assertThat(file.length()).isEqualTo(150);
        }
        byte[] content = load(manager, "a");
        assertThat(content).hasSize(150).startsWith(bytes(1, 100)).endsWith(bytes(2, 50));
    }

    @Test
    void spaceIsReservedBesideWritesWithinWhatIsReserved() throws Exception {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 2_000_000);
        try (WritableFile file = manager.create("a", 4_000_000)) {
            file.reserve(content.length);
            FutureTask<Void> reserving = new FutureTask<>(() -> {
                for (int length = content.length; length <= 4_000_000; length += 100_000) {
                    file.reserve(length);
                }
                return null;
            });
            Thread thread = new Thread(reserving);
            thread.start();
            for (int offset = 0; offset < content.length; offset += 1_000) {
                file.write(offset, content, offset, 1_000);
            }
            reserving.get();
            assertThat(file.length()).isEqualTo(content.length);
            file.write(content.length, content, 0, content.length);
        }
        byte[] both = load(manager, "a");
        assertThat(Arrays.copyOf(both, content.length)).isEqualTo(content);
        assertThat(Arrays.copyOfRange(both, content.length, both.length)).isEqualTo(content);
    }

    @Test
    void truncateCuts() throws IOException {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 9_000_000);
        try (WritableFile file = manager.create("a", content.length)) {
            file.write(0, content, 0, content.length);
            file.reserve(10_000_000);
            file.truncate(content.length);
            file.truncate(5_000_001);
            assertThat(file.length()).isEqualTo(5_000_001);
            assertThat(read(file, 5_000_000, 10)).containsExactly(content[5_000_000]);
            assertThatThrownBy(() -> file.truncate(5_000_002)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.truncate(-1)).isInstanceOf(IllegalArgumentException.class);
            file.force();

            // What was cut does not come back behind new bytes.
            file.write(5_000_001, bytes(2, 10), 0, 10);
            assertThat(read(file, 5_000_001, 100)).isEqualTo(bytes(2, 10));
            file.write(5_000_011, bytes(3, 6_000_000), 0, 6_000_000);
            assertThat(read(file, 5_000_011, 6_000_001)).isEqualTo(bytes(3, 6_000_000));
            file.truncate(3);
        }
        assertThat(load(manager, "a")).isEqualTo(Arrays.copyOf(content, 3));
        try (WritableFile file = manager.openWritable("a")) {
            file.truncate(0);
            assertThat(file.length()).isZero();
            assertThat(read(file, 0, 3)).isEmpty();
        }
        assertThat(manager.length("a")).isZero();
    }

    @Test
    void useAfterCloseIsAnError() throws IOException {
        IoManager manager = manager("d");
        store(manager, "a", bytes(1, 100));
        ReadableFile sealed = manager.open("a");
        WritableFile active = manager.create("b", 0);
        active.write(0, bytes(1, 100), 0, 100);
        for (int i = 0; i < 2; i++) {
            sealed.close();
            active.close();
        }
        List<ThrowingCallable> calls = List.of(
                () -> read(sealed, 0, 10),
                () -> read(active, 0, 10),
                () -> active.write(0, new byte[10], 0, 10),
                () -> active.write(100, new byte[10], 0, 10),
                () -> active.reserve(1000),
                () -> active.truncate(10),
                active::force);
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call).isInstanceOf(IOException.class).hasMessageContaining("closed");
        }
        assertThat(load(manager, "b")).isEqualTo(bytes(1, 100));
    }

    @Test
    void filesOutliveTheirManager() throws IOException {
        IoManager manager = openManager(root.resolve("d"), true);
        try (WritableFile file = manager.create("a", 0)) {
            manager.close();
            file.write(0, bytes(1, 100), 0, 100);
            file.force();
        }
        assertThat(load(manager("d"), "a")).isEqualTo(bytes(1, 100));
    }

    // Links

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

    private static IoManager wrapped(IoManager manager) {
        return (IoManager) Proxy.newProxyInstance(
                IoManager.class.getClassLoader(), new Class<?>[] {IoManager.class}, (proxy, method, arguments) -> {
                    try {
                        return method.invoke(manager, arguments);
                    } catch (InvocationTargetException e) {
                        throw e.getCause();
                    }
                });
    }

    // Locks

    @Test
    void writerIsAlone() throws IOException {
        IoManager manager = manager("d");
        IoManager second = manager("d");
        try (IoManager.Lock lock = manager.lock(true)) {
            assertThat(lock).isNotNull();
            for (boolean exclusive : new boolean[] {true, false}) {
                assertThatThrownBy(() -> second.lock(exclusive))
                        .isInstanceOf(EngineLockedException.class)
                        .hasMessageContaining(second.describe());
            }
            manager("e").lock(true).close();
        }
        second.lock(true).close();
        second.lock(false).close();
    }

    @Test
    void readersShare() throws IOException {
        IoManager writer = manager("d");
        writer.lock(true).close();
        IoManager.Lock first = manager("d").lock(false);
        IoManager.Lock second = manager("d").lock(false);
        assertThatThrownBy(() -> writer.lock(true)).isInstanceOf(EngineLockedException.class);
        first.close();
        first.close();
        assertThatThrownBy(() -> writer.lock(true)).isInstanceOf(EngineLockedException.class);
        second.close();
        writer.lock(true).close();
    }

    @Test
    void lockLeavesNoTraceAmongTheFiles() throws IOException {
        IoManager manager = manager("d");
        try (IoManager.Lock lock = manager.lock(true)) {
            assertThat(lock).isNotNull();
            assertThat(manager.list()).isEmpty();
        }
        assertThat(manager.list()).isEmpty();
    }

    @Test
    void lockIsTakenByOneOfMany() throws Exception {
        IoManager manager = manager("d");
        ExecutorService executor = Executors.newFixedThreadPool(4);
        try {
            for (int round = 0; round < 50; round++) {
                List<Callable<IoManager.Lock>> tries = new ArrayList<>();
                for (int i = 0; i < 4; i++) {
                    tries.add(() -> manager.lock(true));
                }
                List<IoManager.Lock> locks = new ArrayList<>();
                for (Future<IoManager.Lock> future : executor.invokeAll(tries)) {
                    try {
                        locks.add(future.get());
                    } catch (java.util.concurrent.ExecutionException e) {
                        assertThat(e).hasCauseInstanceOf(EngineLockedException.class);
                    }
                }
                assertThat(locks).hasSize(1);
                locks.get(0).close();
            }
        } finally {
            executor.shutdownNow();
        }
    }

    // Threads and interrupts

    @Test
    void interruptedThreadGetsItsWorkDone() throws IOException {
        byte[] content = bytes(1, 1_000_000);
        IoManager[] manager = new IoManager[1];
        whileInterrupted(() -> manager[0] = manager("d/e/f"));
        IoManager d = manager[0];
        IoManager target = manager("t");
        whileInterrupted(() -> {
            d.lock(true).close();
            WritableFile file = d.create("a", 0);
            file.write(0, content, 0, 600_000);
            file.reserve(2_000_000);
            file.write(600_000, content, 600_000, 400_000);
            file.force();
            assertThat(read(file, 0, content.length)).isEqualTo(content);
            file.truncate(900_000);
            file.close();
            d.syncDirectory();
            assertThat(d.list()).containsExactly("a");
            assertThat(d.length("a")).isEqualTo(900_000);
            d.rename("a", "b");
            d.linkTo(target, "b");
            d.linkTo(wrapped(manager("u")), "b");
            ReadableFile sealed = d.open("b");
            assertThat(read(sealed, 0, content.length)).isEqualTo(Arrays.copyOf(content, 900_000));
            sealed.close();
            d.openWritable("b").close();
            d.delete("b");
            d.lock(false).close();
        });
        assertThat(load(target, "b")).isEqualTo(Arrays.copyOf(content, 900_000));
    }

    @Test
    void interruptsAtAnyMomentHarmNobody() throws Exception {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 1_000_000);
        store(manager, "sealed", content);
        store(manager, "deleted", content);
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService executor = Executors.newCachedThreadPool();
        try (ReadableFile sealed = manager.open("sealed");
                ReadableFile deleted = manager.open("deleted");
                WritableFile active = manager.create("active", 0)) {
            manager.delete("deleted");
            List<Thread> victims = new ArrayList<>();
            List<Future<?>> readers = new ArrayList<>();
            for (ReadableFile file : List.of(sealed, deleted)) {
                readers.add(executor.submit(() -> {
                    synchronized (victims) {
                        victims.add(Thread.currentThread());
                    }
                    Random random = new Random(1);
                    while (!done.get()) {
                        int length = random.nextInt(300_000);
                        int offset = random.nextInt(content.length - length);
                        assertThat(Arrays.equals(
                                        read(file, offset, length),
                                        Arrays.copyOfRange(content, offset, offset + length)))
                                .isTrue();
                        Thread.interrupted(); // lets the next interrupt be one that comes in the middle
                    }
                    return null;
                }));
            }
            Future<?> hail = executor.submit(() -> {
                while (!done.get()) {
                    synchronized (victims) {
                        victims.forEach(Thread::interrupt);
                    }
                    Thread.onSpinWait();
                }
            });
            try {
                synchronized (victims) {
                    victims.add(Thread.currentThread());
                }
                for (int offset = 0; offset < content.length; offset += 5000) {
                    active.write(offset, content, offset, 5000);
                    active.force();
                    assertThat(read(active, offset, 5000))
                            .isEqualTo(Arrays.copyOfRange(content, offset, offset + 5000));
                    manager.syncDirectory();
                    Thread.interrupted();
                }
                active.truncate(500_000);
            } finally {
                synchronized (victims) {
                    victims.remove(Thread.currentThread());
                }
                Thread.interrupted();
                done.set(true);
            }
            for (Future<?> reader : readers) {
                reader.get();
            }
            hail.get();
            assertThat(read(sealed, 0, content.length)).isEqualTo(content);
            assertThat(read(deleted, 0, content.length)).isEqualTo(content);
        } finally {
            done.set(true);
            executor.shutdownNow();
            executor.awaitTermination(1, TimeUnit.MINUTES);
        }
        assertThat(load(manager, "active")).isEqualTo(Arrays.copyOf(content, 500_000));
    }

    @Test
    void readersSeeWhatTheWriterHasWritten() throws Exception {
        IoManager manager = manager("d");
        byte[] content = bytes(1, 8_000_000);
        AtomicBoolean done = new AtomicBoolean();
        ExecutorService executor = Executors.newCachedThreadPool();
        try (WritableFile file = manager.create("a", 0)) {
            List<Future<?>> readers = new ArrayList<>();
            for (int i = 0; i < 3; i++) {
                int seed = i;
                readers.add(executor.submit(() -> {
                    Random random = new Random(seed);
                    while (!done.get()) {
                        int end = (int) file.length();
                        // The newest bytes first of all.
                        int offset = random.nextBoolean() ? Math.max(0, end - 200) : random.nextInt(end + 1);
                        int length = Math.min(200, end - offset);
                        byte[] found = read(file, offset, length);
                        assertThat(Arrays.equals(found, Arrays.copyOfRange(content, offset, offset + length)))
                                .as("seed=%d, offset=%d, length=%d, end=%d", seed, offset, length, end)
                                .isTrue();
                    }
                    return null;
                }));
            }
            Random random = new Random(9);
            for (int offset = 0; offset < content.length; ) {
                int length = Math.min(content.length - offset, 1 + random.nextInt(400));
                file.write(offset, content, offset, length);
                offset += length;
            }
            done.set(true);
            for (Future<?> reader : readers) {
                reader.get();
            }
        } finally {
            done.set(true);
            executor.shutdownNow();
            executor.awaitTermination(1, TimeUnit.MINUTES);
        }
        assertThat(load(manager, "a")).isEqualTo(content);
    }

    // Support

    /** Returns bytes that depend on the seed alone. */
    protected static byte[] bytes(int seed, int length) {
        byte[] bytes = new byte[length];
        new Random(seed).nextBytes(bytes);
        return bytes;
    }

    /** Creates a file with this content. */
    protected static void store(IoManager manager, String name, byte[] content) throws IOException {
        try (WritableFile file = manager.create(name, content.length)) {
            file.write(0, content, 0, content.length);
        }
    }

    /** Returns the whole content of a file. */
    protected static byte[] load(IoManager manager, String name) throws IOException {
        try (ReadableFile file = manager.open(name)) {
            return read(file, 0, Math.toIntExact(file.length()));
        }
    }

    /** Returns the bytes that one read finds. */
    protected static byte[] read(ReadableFile file, long offset, int length) throws IOException {
        byte[] target = new byte[length];
        return Arrays.copyOf(target, file.read(offset, target, 0, length));
    }

    /** Runs something in a thread whose interrupt flag is set, and makes sure that it still is afterwards. */
    protected static void whileInterrupted(ThrowingAction action) throws IOException {
        Thread.currentThread().interrupt();
        try {
            action.run();
        } finally {
            assertThat(Thread.interrupted()).as("interrupt flag").isTrue();
        }
    }

    /** Something that a test does. */
    @FunctionalInterface
    protected interface ThrowingAction {
        /** Does it. */
        void run() throws IOException;
    }
}
