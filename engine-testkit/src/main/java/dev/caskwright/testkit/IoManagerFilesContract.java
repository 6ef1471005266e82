package dev.caskwright.testkit;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.FutureTask;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.Test;

/**
 * The part of the contract of IO managers about reading and writing files.
 */
abstract class IoManagerFilesContract extends IoManagerNamesContract {
    /** Longer than any buffer or mapped window of a manager is likely to be, and no multiple of one. */
    private static final int BIG = (20 << 20) + 4321;

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

            // What was cut does not come back after new bytes.
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
        IoManager manager = openManager(root().resolve("d"), true);
        try (WritableFile file = manager.create("a", 0)) {
            manager.close();
            file.write(0, bytes(1, 100), 0, 100);
            file.force();
        }
        assertThat(load(manager("d"), "a")).isEqualTo(bytes(1, 100));
    }
}
