package dev.caskwright.io.standard;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.OutOfSpaceException;
import java.io.IOException;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.nio.file.attribute.BasicFileAttributes;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.api.io.TempDir;

/**
 * Zeros beside a writer some of whose writes are refused, within the space held ready, at its end and beyond it. A file
 * system that copies on write refuses so. Once the zeros followed a boundary of their own, which a refused write moved
 * back, and came over synced records.
 */
@Timeout(120)
final class ReservedSpaceTest {
    private static final int PIECE = 1 << 20;

    @TempDir
    private Path directory;

    private WritableChannelFile file(RefusingChannel.Refusals refusals) throws IOException {
        Path path = directory.resolve("a");
        FileChannel channel = FileChannel.open(
                path, StandardOpenOption.CREATE_NEW, StandardOpenOption.READ, StandardOpenOption.WRITE);
        return new WritableChannelFile(
                StandardIoManager.open(directory, false),
                path,
                new RefusingChannel(channel, refusals),
                Files.readAttributes(path, BasicFileAttributes.class));
    }

    @Test
    void aRefusedWriteWithinTheSpaceDoesNotBringZerosOverLaterOnes() throws Exception {
        AtomicBoolean isRefusing = new AtomicBoolean();
        CountDownLatch isZeroing = new CountDownLatch(1);
        CountDownLatch gate = new CountDownLatch(1);
        Thread writer = Thread.currentThread();
        try (WritableChannelFile file = file((offset, length) -> {
            if (Thread.currentThread() != writer) {
                isZeroing.countDown();
                await(gate);
            }
            return isRefusing.getAndSet(false) ? length / 2 : -1;
        })) {
            file.reserve(100_000);
            file.write(0, filled(1_000, 1), 0, 1_000);
            isRefusing.set(true);
            assertThatThrownBy(() -> file.write(1_000, filled(500, 2), 0, 500)).isInstanceOf(OutOfSpaceException.class);
            FutureTask<Void> zeroing = inBackground(() -> file.reserve(200_000));
            await(isZeroing);
            // What is ready is the writer's: it may write there without asking anybody, while more is made ready.
            file.write(1_000, filled(90_000, 3), 0, 90_000);
            gate.countDown();
            zeroing.get(60, TimeUnit.SECONDS);
            assertContent(file, 1_000, 90_000, 3);
        } finally {
            gate.countDown();
        }
    }

    @Test
    void randomRefusalsBesideZerosLoseNothing() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        Thread writer = Thread.currentThread();
        RefusingChannel.Refusals refusals = (offset, length) -> {
            boolean isRefused = Thread.currentThread() == writer && random.nextInt(8) == 0;
            return isRefused ? random.nextInt(length + 1) / 2 : -1;
        };
        int records = 3_000;
        int[] lengths = new int[records];
        try (WritableChannelFile file = file(refusals)) {
            AtomicBoolean isDone = new AtomicBoolean();
            FutureTask<Void> zeroing = inBackground(() -> {
                while (!isDone.get()) {
                    file.reserve(file.length() + 100_000);
                }
            });
            for (int i = 0; i < records; i++) {
                lengths[i] = random.nextInt(20) == 0 ? random.nextInt(400_000) : 1 + random.nextInt(3_000);
                long offset = file.length();
                while (file.length() == offset && lengths[i] > 0) {
                    try {
                        file.write(offset, filled(lengths[i], i), 0, lengths[i]);
                    } catch (OutOfSpaceException e) {
                        lengths[i] = 1 + random.nextInt(3_000); // the next record in its place
                    }
                }
            }
            isDone.set(true);
            zeroing.get(60, TimeUnit.SECONDS);
            long offset = 0;
            for (int i = 0; i < records; i++) {
                assertContent(file, offset, lengths[i], i);
                offset += lengths[i];
            }
            assertThat(file.length()).as("seed=%d", seed).isEqualTo(offset);
        } catch (Throwable e) {
            throw new AssertionError("seed=" + seed, e);
        }
    }

    @Test
    void whatARefusedWriteTookIsGivenBack() throws IOException {
        AtomicInteger refusals = new AtomicInteger();
        try (WritableChannelFile file =
                file((offset, length) -> offset > 0 && refusals.getAndIncrement() == 1 ? length / 2 : -1)) {
            file.write(0, filled(100, 1), 0, 100);
            assertThatThrownBy(() -> file.write(100, filled(8 * PIECE, 2), 0, 8 * PIECE))
                    .isInstanceOf(OutOfSpaceException.class);
            assertThat(directory.resolve("a")).hasSize(100);
            file.write(100, filled(100, 3), 0, 100);
            assertContent(file, 100, 100, 3);
        }
        assertThat(directory.resolve("a")).hasSize(200);
    }

    /** Within the piece or beyond it: the zeros that are on their way would come over the record. */
    @Test
    void whoeverGoesBeyondWaitsForThePieceThatIsBeingZeroed() throws Exception {
        for (int length : new int[] {100, PIECE, 3 * PIECE}) {
            Files.deleteIfExists(directory.resolve("a"));
            CountDownLatch isZeroing = new CountDownLatch(1);
            CountDownLatch gate = new CountDownLatch(1);
            Thread writer = Thread.currentThread();
            try (WritableChannelFile file = file((offset, count) -> {
                if (Thread.currentThread() != writer) {
                    isZeroing.countDown();
                    await(gate);
                }
                return -1;
            })) {
                FutureTask<Void> zeroing = inBackground(() -> file.reserve(50L * PIECE));
                await(isZeroing);
                Thread opener = new Thread(() -> {
                    while (writer.getState() != Thread.State.WAITING) {
                        Thread.onSpinWait();
                    }
                    gate.countDown();
                });
                opener.setDaemon(true);
                opener.start();
                file.write(0, filled(length, 7), 0, length);
                assertThat(gate.getCount()).as("it waited for the piece").isZero();
                assertContent(file, 0, length, 7);
                zeroing.get(60, TimeUnit.SECONDS);
                assertContent(file, 0, length, 7);
                opener.join();
            }
        }
    }

    @Test
    void closingWaitsForZerosAndCutsThem() throws Exception {
        CountDownLatch isZeroing = new CountDownLatch(1);
        WritableChannelFile file = file((offset, count) -> {
            isZeroing.countDown();
            return -1;
        });
        FutureTask<Void> zeroing = inBackground(() -> file.reserve(64L * PIECE));
        await(isZeroing);
        file.close();
        assertThatThrownBy(() -> {
                    zeroing.get(60, TimeUnit.SECONDS);
                    file.reserve(100L * PIECE);
                })
                .hasMessageContaining("file is closed");
        assertThat(directory.resolve("a")).isEmptyFile();
    }

    @Test
    void noZerosFollowTheCutOfAClose() throws Exception {
        ReservedSpace space = new ReservedSpace(0);
        CountDownLatch isZeroing = new CountDownLatch(1);
        CountDownLatch gate = new CountDownLatch(1);
        FutureTask<Void> zeroing = inBackground(() -> space.extend(2 * PIECE, PIECE, (from, to) -> {
            isZeroing.countDown();
            await(gate);
        }));
        await(isZeroing);
        Thread closer = Thread.currentThread();
        Thread opener = new Thread(() -> {
            while (closer.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
            gate.countDown();
        });
        opener.setDaemon(true);
        opener.start();
        AtomicBoolean isCut = new AtomicBoolean();
        space.close(0, false, length -> isCut.set(true));
        assertThat(isCut).as("the zeros on their way were cut").isTrue();
        zeroing.get(60, TimeUnit.SECONDS);
        assertThat(space.extend(PIECE, PIECE, (from, to) -> {
                    throw new AssertionError("zeros after the cut");
                }))
                .isFalse();
        opener.join();
    }

    private interface Work {
        void run() throws IOException;
    }

    private static FutureTask<Void> inBackground(Work work) {
        FutureTask<Void> task = new FutureTask<>(() -> {
            work.run();
            return null;
        });
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return task;
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(60, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    private static byte[] filled(int length, int number) {
        byte[] bytes = new byte[length];
        for (int i = 0; i < length; i++) {
            bytes[i] = (byte) (1 + (number * 31 + i) % 250);
        }
        return bytes;
    }

    private static void assertContent(WritableChannelFile file, long offset, int length, int number)
            throws IOException {
        byte[] found = new byte[length];
        assertThat(file.read(offset, found, 0, length)).isEqualTo(length);
        assertThat(found).as("record %d at %d", number, offset).isEqualTo(filled(length, number));
    }
}
