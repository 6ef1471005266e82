package dev.caskwright.io.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.spi.io.ReadableFile;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.channels.NonWritableChannelException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.atomic.AtomicBoolean;
import org.assertj.core.api.ThrowableAssert.ThrowingCallable;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.condition.EnabledOnOs;
import org.junit.jupiter.api.condition.OS;
import org.junit.jupiter.api.io.TempDir;

/**
 * What follows when an interrupt has closed the channel of a file. Here the test closes it, at a known moment; and it
 * closes the spare, too, where the second way is to fail.
 */
final class InterruptedFileTest {
    private static final int LENGTH = 3 * BufferPool.BUFFER_LENGTH + 1_000;

    @TempDir
    private Path directory;

    private final byte[] content = new byte[LENGTH];
    private StandardIoManager manager;
    private WritableChannelFile file;

    @BeforeEach
    void open() throws IOException {
        new Random(3).nextBytes(content);
        manager = StandardIoManager.open(directory, false);
        file = (WritableChannelFile) manager.create("a", LENGTH);
        file.write(0, content, 0, LENGTH);
    }

    @AfterEach
    void close() throws IOException {
        file.close();
    }

    private Path path() {
        return directory.resolve("a");
    }

    private static void interrupt(ChannelFile file) throws IOException {
        file.channel().close();
    }

    private static byte[] read(ReadableFile file, long offset, int length) throws IOException {
        byte[] target = new byte[length + 2];
        assertThat(file.read(offset, target, 1, length)).isEqualTo(length);
        assertThat(target[0]).isZero();
        assertThat(target[length + 1]).isZero();
        return Arrays.copyOfRange(target, 1, length + 1);
    }

    private byte[] expected(int offset, int length) {
        return Arrays.copyOfRange(content, offset, offset + length);
    }

    @Test
    void aReadIsDoneAgainAndTheChannelIsNew() throws IOException {
        FileChannel before = file.channel();
        interrupt(file);
        assertThat(read(file, 100, LENGTH - 100)).isEqualTo(expected(100, LENGTH - 100));
        assertThat(file.channel()).isNotSameAs(before);
        assertThat(file.channel().isOpen()).isTrue();
        assertThat(read(file, 100, LENGTH - 100)).isEqualTo(expected(100, LENGTH - 100));
    }

    @Test
    void aSealedFileIsReadAgainToo() throws IOException {
        try (ChannelFile sealed = (ChannelFile) manager.open("a")) {
            assertThat(sealed.isMapped()).isFalse();
            interrupt(sealed);
            assertThat(read(sealed, 7, LENGTH - 7)).isEqualTo(expected(7, LENGTH - 7));
            assertThat(sealed.channel().isOpen()).isTrue();
            assertThatThrownBy(() -> sealed.channel().write(ByteBuffer.allocate(1)))
                    .as("opened for reading only")
                    .isInstanceOf(NonWritableChannelException.class);
        }
    }

    @Test
    void aFileThatHasLostItsNameIsReadThroughItsSpare() throws IOException {
        try (ChannelFile sealed = (ChannelFile) manager.open("a")) {
            manager.delete("a");
            interrupt(sealed);
            for (int i = 0; i < 2; i++) {
                assertThat(read(sealed, 7, LENGTH - 7)).isEqualTo(expected(7, LENGTH - 7));
                assertThat(sealed.channel().isOpen()).isFalse();
            }
            assertThatThrownBy(() -> sealed.call(FileChannel::size))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("deleted");
        }
    }

    @Test
    void aFileWhoseNameMeansAnotherOneIsNotMistakenForThat() throws IOException {
        Path other = Files.write(directory.resolve("b"), new byte[LENGTH]);
        try (ChannelFile sealed = (ChannelFile) manager.open("a")) {
            Files.move(other, path(), StandardCopyOption.REPLACE_EXISTING);
            interrupt(sealed);
            assertThatThrownBy(() -> read(sealed, 0, 10))
                    .isInstanceOf(NoSuchFileException.class)
                    .hasMessageContaining("the name is gone");
            interrupt(file);
            assertThat(read(file, 0, 10)).as("by its spare").isEqualTo(expected(0, 10));
            assertThat(file.channel().isOpen()).isFalse();
            file.write(0, content, 100, 10);
            assertThat(read(file, 0, 10)).isEqualTo(expected(100, 10));
            assertThat(path()).hasBinaryContent(new byte[LENGTH]);
        }
    }

    @Test
    void aFileThatBecameShorterIsAnErrorOfTheSpareToo() throws IOException {
        try (FileChannel channel = FileChannel.open(path(), StandardOpenOption.WRITE)) {
            channel.truncate(1_000);
        }
        interrupt(file);
        assertThatThrownBy(() -> read(file, 900, 200))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("become shorter")
                .hasMessageContaining("end=1000");
        assertThatThrownBy(() -> read(file, 900, 200))
                .as("by the new channel")
                .isInstanceOf(IOException.class)
                .hasMessageContaining("become shorter")
                .hasMessageContaining("end=1000");
        assertThat(read(file, 900, 100)).isEqualTo(expected(900, 100));
    }

    @Test
    void aCallIsDoneAgainOnTheNewChannel() throws IOException {
        interrupt(file);
        Thread.currentThread().interrupt();
        assertThat(file.call(FileChannel::size)).isEqualTo(LENGTH);
        assertThat(Thread.interrupted()).as("kept for the caller").isTrue();
        assertThat(file.call(FileChannel::size)).isEqualTo(LENGTH);
        assertThat(Thread.interrupted()).as("never was").isFalse();
    }

    @Test
    void aCallThatIsInterruptedWithoutEndFails() {
        int[] calls = {0};
        assertThatThrownBy(() -> file.call(channel -> {
                    calls[0]++;
                    Thread.currentThread().interrupt();
                    return channel.size(); // closes it
                }))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("without end");
        assertThat(calls[0]).isEqualTo(1_000);
        assertThat(Thread.interrupted()).as("kept for the caller").isTrue();
    }

    @Test
    void aWriteIsDoneAgain() throws IOException {
        interrupt(file);
        byte[] other = new byte[LENGTH];
        new Random(4).nextBytes(other);
        file.write(500, other, 3, LENGTH - 3);
        assertThat(file.length()).isEqualTo(LENGTH + 497);
        assertThat(read(file, 0, 500)).isEqualTo(expected(0, 500));
        assertThat(read(file, 500, LENGTH - 3)).isEqualTo(Arrays.copyOfRange(other, 3, LENGTH));
        assertThat(file.channel().isOpen()).isTrue();
    }

    @Test
    void spaceIsReservedAgain() throws IOException {
        interrupt(file);
        file.reserve(2L * LENGTH);
        assertThat(Files.size(path())).isEqualTo(2L * LENGTH);
        assertThat(file.length()).isEqualTo(LENGTH);
        assertThat(Arrays.copyOf(Files.readAllBytes(path()), LENGTH)).isEqualTo(content);
        assertThat(file.channel().isOpen()).isTrue();
    }

    @Test
    void aCutIsDoneAgain() throws IOException {
        interrupt(file);
        file.truncate(1_000);
        assertThat(file.length()).isEqualTo(1_000);
        assertThat(path()).hasBinaryContent(expected(0, 1_000));
    }

    @Test
    void aCutNeverMakesAFileLonger() throws IOException {
        file.reserve(2L * LENGTH);
        try (FileChannel channel = FileChannel.open(path(), StandardOpenOption.WRITE)) {
            channel.truncate(1_000);
        }
        interrupt(file);
        file.close(); // cuts at the length
        assertThat(Files.size(path())).isEqualTo(1_000);
    }

    @Test
    @EnabledOnOs(OS.LINUX)
    void aForceIsEndedBySpareAndKeepsTheInterrupt() throws IOException {
        interrupt(file);
        Thread.currentThread().interrupt();
        file.force();
        assertThat(Thread.interrupted()).isTrue();
        assertThat(file.channel().isOpen()).isTrue();
        file.force();
        assertThat(Thread.interrupted()).isFalse();
    }

    @Test
    void afterAForceThatFailedNoneSucceeds() throws IOException {
        file.spare().close();
        interrupt(file);
        assertThatThrownBy(file::force)
                .isInstanceOf(IOException.class)
                .hasMessageContaining("force failed")
                .hasMessageContaining("length=" + LENGTH);
        assertThat(file.channel().isOpen()).isTrue();
        assertThatThrownBy(file::force).isInstanceOf(IOException.class).hasMessageContaining("an earlier force failed");
    }

    @Test
    void aWriteThatFailedLeavesNothingBehindTheLength() throws IOException {
        file.reserve(LENGTH + 5_000);
        file.spare().close();
        interrupt(file);
        assertThatThrownBy(() -> file.write(LENGTH, content, 0, 100))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("write failed")
                .hasMessageContaining("offset=" + LENGTH);
        assertThat(file.length()).isEqualTo(LENGTH);
        Files.write(path(), new byte[] {1, 2, 3}, StandardOpenOption.APPEND); // as if some of it had come there
        file.reserve(LENGTH + 2_000);
        assertThat(Files.size(path())).as("zeros were rewritten").isEqualTo(LENGTH + 5_003);
        file.close();
        assertThat(path()).hasBinaryContent(content);
    }

    @Test
    void bytesBehindTheLengthAreCutThoughNothingWasReserved() throws IOException {
        file.spare().close();
        interrupt(file);
        assertThatThrownBy(() -> file.write(LENGTH, content, 0, 100)).isInstanceOf(IOException.class);
        Files.write(path(), new byte[] {1, 2, 3}, StandardOpenOption.APPEND);
        file.close();
        assertThat(path()).hasBinaryContent(content);
    }

    @Test
    void whatCouldNotBeReservedIsGivenBack() throws IOException {
        file.reserve(LENGTH + 100);
        Files.write(path(), new byte[] {1, 2, 3}, StandardOpenOption.APPEND);
        file.spare().close();
        interrupt(file);
        assertThatThrownBy(() -> file.reserve(2L * LENGTH))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("reserve failed")
                .hasMessageContaining("offset=" + (LENGTH + 100))
                .hasMessageContaining("length=" + (LENGTH - 100));
        assertThat(Files.size(path())).isEqualTo(LENGTH + 100);
    }

    @Test
    void thatItCouldNotBeGivenBackIsToldToo() throws IOException {
        Files.delete(path());
        file.spare().close();
        interrupt(file);
        assertThatThrownBy(() -> file.reserve(2L * LENGTH))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("reserve failed")
                .satisfies(e -> assertThat(e.getSuppressed()).hasSize(1));
        assertThatThrownBy(file::close).as("nor cut it").isInstanceOf(IOException.class);
    }

    @Test
    void aWriteIsDoneAgainFromTheChunkOn() throws Exception {
        byte[] large = new byte[32 * BufferPool.BUFFER_LENGTH];
        new Random(5).nextBytes(large);
        AtomicBoolean written = new AtomicBoolean();
        ExecutorService other = Executors.newSingleThreadExecutor();
        try {
            Future<?> interruption = other.submit(() -> {
                while (Files.size(path()) < 2 * LENGTH && !written.get()) {
                    Thread.onSpinWait();
                }
                interrupt(file);
                return null;
            });
            file.write(0, large, 0, large.length);
            written.set(true);
            interruption.get();
        } finally {
            other.shutdownNow();
        }
        assertThat(path()).hasBinaryContent(large);
        assertThat(read(file, 0, large.length)).isEqualTo(large);
    }

    @Test
    void aCutThatFailedHasNotChangedTheLength() throws IOException {
        file.spare().close();
        interrupt(file);
        assertThatThrownBy(() -> file.truncate(1_000))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("truncate failed")
                .hasMessageContaining("length=" + (LENGTH - 1_000));
        assertThat(file.length()).isEqualTo(LENGTH);
        assertThat(read(file, LENGTH - 10, 10)).isEqualTo(expected(LENGTH - 10, 10));
    }

    @Test
    void aClosedFileIsNotOpenedAnew() throws IOException {
        FileChannel before = file.channel();
        file.close();
        assertThatThrownBy(() -> file.recover(before))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("closed");
        assertThatThrownBy(() -> file.call(FileChannel::size)).isInstanceOf(IOException.class);
        assertThat(before.isOpen()).isFalse();
        assertThat(file.channel()).isSameAs(before);
        byte[] array = new byte[1];
        List<ThrowingCallable> calls = List.of(
                () -> file.read(0, array, 0, 1),
                () -> file.write(0, array, 0, 1),
                () -> file.write(0, array, 0, 0),
                () -> file.reserve(1),
                () -> file.truncate(1),
                file::force);
        for (ThrowingCallable call : calls) {
            assertThatThrownBy(call).isInstanceOf(IOException.class).hasMessage("file is closed: file=" + path());
        }
        assertThat(file.length()).isEqualTo(LENGTH);
    }

    @Test
    void closingClosesTheSpareToo() throws IOException {
        var spare = file.spare();
        file.close();
        assertThatThrownBy(spare::length).isInstanceOf(IOException.class);
    }
}
