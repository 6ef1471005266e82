package dev.caskwright.io.mmap;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.io.standard.StandardIoManager;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.Arrays;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Files with the smallest windows, so that few bytes need many; and what windows ahead do that a file must wait for. */
final class MappedWritableFileTest {
    private static final int WINDOW = 4 << 10;
    private static final int LARGEST_WINDOW = 2 << 20;
    private static final int FIRST_SPACE = 16 << 10;

    @TempDir
    private Path directory;

    private final WindowsAhead ahead = new WindowsAhead();
    private StandardIoManager manager;

    @BeforeEach
    void open() throws IOException {
        manager = StandardIoManager.open(directory, false);
    }

    @AfterEach
    void close() {
        ahead.close();
    }

    private Path path() {
        return directory.resolve("a");
    }

    private MappedWritableFile create(long expectedLength) throws IOException {
        return new MappedWritableFile(manager.create("a", expectedLength), expectedLength, ahead);
    }

    /** Opens a file that is there, with windows as for {@code expectedLength} bytes. */
    private MappedWritableFile reopen(long expectedLength) throws IOException {
        return new MappedWritableFile(manager.openWritable("a"), expectedLength, ahead);
    }

    private static void write(WritableFile file, long offset, byte[] bytes) throws IOException {
        file.write(offset, bytes, 0, bytes.length);
    }

    private static byte[] bytes(int first, int length) {
        byte[] bytes = new byte[length];
        Arrays.fill(bytes, (byte) first);
        return bytes;
    }

    private static void assertHolds(WritableFile file, byte[] expected) throws IOException {
        assertThat(file.length()).isEqualTo(expected.length);
        byte[] target = new byte[expected.length + 2];
        assertThat(file.read(0, target, 1, expected.length + 1)).isEqualTo(expected.length);
        assertThat(Arrays.copyOfRange(target, 1, expected.length + 1)).isEqualTo(expected);
    }

    /** A store of a few records once took two of the longest windows, 4 MiB, while it was open. */
    @Test
    void spaceIsInProportionToWhatIsWrittenUntilAWindowWasFilled() throws IOException {
        byte[] content = new byte[LARGEST_WINDOW + 1];
        new Random(9).nextBytes(content);
        try (MappedWritableFile file = create(1L << 30)) {
            int length = 1;
            file.write(0, content, 0, length);
            assertThat(Files.size(path())).isEqualTo(FIRST_SPACE);
            for (; length < LARGEST_WINDOW - 1_000; length += 1_000) {
                file.write(length, content, length, 1_000);
                assertThat(Files.size(path())).isLessThanOrEqualTo(Math.max(FIRST_SPACE, 2 * (length + 1_000)));
            }
            byte[] found = new byte[length];
            assertThat(file.read(0, found, 0, length)).isEqualTo(length);
            assertThat(found).isEqualTo(Arrays.copyOf(content, length));
            file.write(length, content, length, content.length - length);
            assertHolds(file, content);
            file.truncate(0);
        }
        Files.delete(path());
        try (MappedWritableFile file = create(1L << 30)) {
            file.write(0, content, 0, 1);
            assertThat(Files.size(path()))
                    .as("files that follow a long one are long")
                    .isGreaterThanOrEqualTo(LARGEST_WINDOW);
        }
    }

    @Test
    void theWindowIsTheExpectedLengthUpToAPowerOfTwo() throws IOException {
        long[][] windows = {
            {0, 256 << 10},
            {1, WINDOW},
            {WINDOW, WINDOW},
            {WINDOW + 1, 2 * WINDOW},
            {100_000, 128 << 10},
            {LARGEST_WINDOW, LARGEST_WINDOW},
            {1L << 40, LARGEST_WINDOW}
        };
        for (long[] window : windows) {
            ahead.learnLength(false);
            try (MappedWritableFile file = create(window[0])) {
                write(file, 0, bytes(1, 2));
                assertThat(Files.size(path())).as("expected=%d", window[0]).isEqualTo(Math.min(FIRST_SPACE, window[1]));
                write(file, 0, bytes(1, (int) window[1] + 1));
                file.truncate(1); // also waits for windows ahead
                assertThat(Files.size(path())).as("expected=%d", window[0]).isEqualTo(window[1]);
                assertThat(file.name()).isEqualTo("a");
                assertThat(file.isMapped()).isTrue();
            }
            assertThat(Files.size(path())).isEqualTo(1);
            manager.delete("a");
        }
    }

    @Test
    void aWriteMakesTheFileLongerByWholeWindows() throws IOException {
        try (MappedWritableFile file = create(WINDOW)) {
            write(file, 0, bytes(1, WINDOW));
            assertThat(Files.size(path())).isEqualTo(WINDOW);
            write(file, WINDOW, bytes(2, 1));
            assertThat(Files.size(path())).isEqualTo(2 * WINDOW);
            write(file, WINDOW + 1, bytes(3, 2 * WINDOW));
            assertThat(Files.size(path())).isEqualTo(4 * WINDOW);
        }
        assertThat(Files.size(path())).isEqualTo(3 * WINDOW + 1);
    }

    @Test
    void writesCutsAndReopeningsLeaveWhatAnArrayHolds() throws IOException {
        for (int seed = 0; seed < 8; seed++) {
            Random random = new Random(seed);
            byte[] model = {};
            MappedWritableFile file = create(WINDOW);
            for (int step = 1; step < 150; step++) {
                int choice = random.nextInt(10);
                if (choice == 0) {
                    file.close();
                    assertThat(path()).hasBinaryContent(model);
                    file = reopen(WINDOW);
                } else if (choice < 3) {
                    int length =
                            random.nextInt(4) == 0 ? model.length / WINDOW * WINDOW : random.nextInt(model.length + 1);
                    file.truncate(length);
                    model = Arrays.copyOf(model, length);
                } else {
                    byte[] piece = new byte[random.nextInt(3 * WINDOW)];
                    random.nextBytes(piece);
                    int offset = random.nextBoolean() ? model.length : random.nextInt(model.length + 1);
                    int start = random.nextInt(piece.length + 1);
                    int count = piece.length - start;
                    file.write(offset, piece, start, count);
                    model = Arrays.copyOf(model, Math.max(model.length, offset + count));
                    System.arraycopy(piece, start, model, offset, count);
                }
                assertHolds(file, model);
            }
            file.close();
            assertThat(path()).hasBinaryContent(model);
            manager.delete("a");
        }
    }

    /** Long writes go through the channel and short ones through mappings: all are read back, over cuts and reopenings. */
    @ParameterizedTest
    @ValueSource(longs = {WINDOW, 1L << 30})
    void longAndShortWritesLeaveWhatAnArrayHolds(long expectedLength) throws IOException {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        byte[] content = new byte[9 << 20];
        int length = 0;
        ahead.learn(false, false);
        MappedWritableFile file = create(expectedLength);
        try {
            boolean areLong = false;
            for (int i = 0; i < 600 && length < content.length - (1 << 20); i++) {
                areLong ^= random.nextInt(20) == 0;
                int count = 1 + random.nextInt(areLong ? 200_000 : 500);
                byte[] bytes = new byte[count];
                random.nextBytes(bytes);
                int at = random.nextInt(8) == 0 ? random.nextInt(length + 1) : length;
                write(file, at, bytes);
                System.arraycopy(bytes, 0, content, at, count);
                length = Math.max(length, at + count);
                if (random.nextInt(100) == 0) {
                    length = random.nextInt(length + 1);
                    file.truncate(length);
                }
                if (random.nextInt(150) == 0) {
                    file.close();
                    file = reopen(expectedLength);
                }
                int from = random.nextInt(length + 1);
                byte[] read = new byte[Math.min(length - from, 200_000)];
                assertThat(file.read(from, read, 0, read.length)).isEqualTo(read.length);
                assertThat(Arrays.equals(read, 0, read.length, content, from, from + read.length))
                        .as("seed %d, step %d", seed, i)
                        .isTrue();
            }
            assertHolds(file, Arrays.copyOf(content, length));
        } finally {
            file.close();
        }
        assertThat(Files.readAllBytes(path())).isEqualTo(Arrays.copyOf(content, length));
    }

    @Test
    void longWritesAreNotPrecededByZeros() throws IOException {
        ahead.learn(false, false);
        try (MappedWritableFile file = create(1L << 30)) {
            write(file, 0, bytes(1, 100));
            long space = Files.size(path());
            byte[] value = bytes(2, 1 << 20);
            for (int i = 0; i < 8; i++) {
                write(file, file.length(), value);
            }
            assertThat(Files.size(path())).isEqualTo(Math.max(space, file.length()));
            write(file, file.length(), bytes(3, 100));
            assertHolds(file, bytes(100, 8 << 20, 100));
        }
    }

    private static byte[] bytes(int first, int second, int third) {
        byte[] bytes = new byte[first + second + third];
        Arrays.fill(bytes, 0, first, (byte) 1);
        Arrays.fill(bytes, first, first + second, (byte) 2);
        Arrays.fill(bytes, first + second, bytes.length, (byte) 3);
        return bytes;
    }

    @Test
    void whatWasCutIsZeroOnTheDiskUntilItIsWrittenAgain() throws IOException {
        try (MappedWritableFile file = create(WINDOW)) {
            write(file, 0, bytes(1, 3 * WINDOW));
            file.truncate(WINDOW + 100);
            assertThat(Files.size(path())).isEqualTo(2 * WINDOW);
            byte[] onDisk = Arrays.copyOf(bytes(1, WINDOW + 100), 2 * WINDOW);
            assertThat(path()).hasBinaryContent(onDisk);
            file.truncate(WINDOW);
            assertThat(Files.size(path())).isEqualTo(WINDOW);
            file.truncate(0);
            assertThat(Files.size(path())).isZero();
            write(file, 0, bytes(2, 10));
            assertHolds(file, bytes(2, 10));
        }
    }

    @Test
    void onlyPlacesInTheFileAreTaken() throws IOException {
        try (MappedWritableFile file = create(WINDOW)) {
            write(file, 0, bytes(1, 10));
            byte[] array = new byte[10];
            assertThat(file.read(10, array, 0, 10)).isZero();
            assertThat(file.read(1L << 40, array, 0, 10)).isZero();
            assertThat(file.read(3, array, 0, 0)).isZero();
            assertThatThrownBy(() -> file.read(-1, array, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.read(0, array, 5, 6)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> file.write(0, array, 5, 6)).isInstanceOf(IndexOutOfBoundsException.class);
            assertThatThrownBy(() -> file.write(-1, array, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.write(11, array, 0, 1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.truncate(-1)).isInstanceOf(IllegalArgumentException.class);
            assertThatThrownBy(() -> file.truncate(11)).isInstanceOf(IllegalArgumentException.class);
            assertHolds(file, bytes(1, 10));
            file.truncate(10);
            assertHolds(file, bytes(1, 10));
        }
    }

    @Test
    void whenAccessHasEndedOnlyForcingAndClosingAreLeft() throws IOException {
        MappedWritableFile file = create(WINDOW);
        write(file, 0, bytes(1, 10));
        file.reserve(WINDOW);
        file.endAccess();
        byte[] array = new byte[10];
        assertThatThrownBy(() -> file.read(0, array, 0, 1))
                .isInstanceOf(IOException.class)
                .hasMessage("file is closed: file=a");
        assertThatThrownBy(() -> file.write(0, array, 0, 1)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> file.truncate(0)).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> file.reserve(0)).isInstanceOf(IOException.class);
        file.force();
        file.close();
        file.close();
        assertThatThrownBy(file::force).as("of a closed file").isInstanceOf(IOException.class);
        assertThat(path()).hasBinaryContent(bytes(1, 10));
    }

    /** Lets windows ahead wait, as there is one thread for all of them. */
    private Future<ByteBuffer> delay(CountDownLatch latch) {
        Future<ByteBuffer> delayed = ahead.prepare(() -> {
            latch.await();
            return ByteBuffer.allocate(0);
        });
        assertThat(delayed).isNotNull();
        return delayed;
    }

    @Test
    void aWindowIsMadeAheadAndAsMuchAsIsExpected() throws Exception {
        ahead.learn(true, true);
        try (MappedWritableFile file = create(2 * LARGEST_WINDOW)) {
            write(file, 0, bytes(1, 1));
            delay(new CountDownLatch(0)).get();
            assertThat(Files.size(path())).isEqualTo(2 * LARGEST_WINDOW);
            write(file, 1, bytes(1, LARGEST_WINDOW));
            delay(new CountDownLatch(0)).get();
            assertThat(Files.size(path())).as("no more is expected").isEqualTo(2 * LARGEST_WINDOW);
            assertHolds(file, bytes(1, LARGEST_WINDOW + 1));
        }
        ahead.learnLength(false);
        try (MappedWritableFile file = reopen(4 * LARGEST_WINDOW)) {
            write(file, file.length(), bytes(1, 1));
            delay(new CountDownLatch(0)).get();
            assertThat(Files.size(path())).as("none for a file that was there").isEqualTo(2 * LARGEST_WINDOW);
        }
    }

    @Test
    void whoNeedsTheWindowWaitsForItAndKeepsAnInterrupt() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        delay(latch);
        try (MappedWritableFile file = create(2 * LARGEST_WINDOW)) {
            write(file, 0, bytes(1, LARGEST_WINDOW));
            Thread writer = Thread.currentThread();
            AtomicBoolean written = new AtomicBoolean();
            Thread interrupter = new Thread(() -> {
                while (writer.getState() != Thread.State.WAITING && !written.get()) {
                    Thread.onSpinWait();
                }
                writer.interrupt();
                latch.countDown();
            });
            interrupter.start();
            write(file, LARGEST_WINDOW, bytes(1, 1));
            assertThat(Thread.interrupted()).isTrue();
            written.set(true);
            interrupter.join();
            assertHolds(file, bytes(1, LARGEST_WINDOW + 1));
        }
    }

    @Test
    void whyNoWindowCouldBeMadeAheadIsToldWithTheErrorOfTheWriter() throws Exception {
        CountDownLatch latch = new CountDownLatch(1);
        delay(latch);
        WritableFile under = manager.create("a", 0);
        MappedWritableFile file = new MappedWritableFile(under, 3 * LARGEST_WINDOW, ahead);
        write(file, 0, bytes(1, LARGEST_WINDOW));
        under.close();
        latch.countDown();
        assertThatThrownBy(() -> write(file, LARGEST_WINDOW, bytes(1, 1)))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("closed")
                .satisfies(e -> assertThat(e.getSuppressed())
                        .as("that nothing could be given back, and the error of the other thread")
                        .hasSize(2));
        assertHolds(file, bytes(1, LARGEST_WINDOW));
        file.endAccess();
    }

    @Test
    void theThreadThatMakesWindowsKeepsNoJvmAlive() throws Exception {
        Future<ByteBuffer> told =
                ahead.prepare(() -> ByteBuffer.allocate(Thread.currentThread().isDaemon() ? 1 : 0));
        assertThat(told).isNotNull();
        assertThat(told.get().capacity()).isOne();
    }

    @Test
    void aClosedMakerOfWindowsMakesNone() {
        ahead.close();
        assertThat(ahead.prepare(() -> ByteBuffer.allocate(0))).isNull();
    }
}
