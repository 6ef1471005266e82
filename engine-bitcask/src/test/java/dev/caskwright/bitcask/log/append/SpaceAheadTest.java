package dev.caskwright.bitcask.log.append;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class SpaceAheadTest {
    private static final int KIB = 1 << 10;
    private static final int MIB = 1 << 20;

    private final AtomicInteger forces = new AtomicInteger();
    private final List<Throwable> failures = new ArrayList<>();
    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private final MemoryFile memory = new MemoryFile();
    private final DataFile file = newFile(memory);

    private static DataFile newFile(MemoryFile memory) {
        DataFile file = new DataFile(1, 0, false, 0, memory, 0);
        file.openForWriting(memory);
        return file;
    }

    private SpaceAhead space(Executor executor, long maxLength) {
        GroupCommit commit = new GroupCommit(() -> forces.incrementAndGet(), "store");
        return new SpaceAhead(executor, commit, maxLength, failures::add);
    }

    private void append(SpaceAhead space, byte[] record, boolean willForce) throws IOException {
        long offset = file.length();
        memory.write(offset, record, 0, record.length);
        file.extendTo(offset + record.length);
        space.afterWrite(file, willForce);
    }

    private void appendForced(SpaceAhead space, int times, int length) throws IOException {
        for (int i = 0; i < times; i++) {
            append(space, new byte[length], true);
        }
    }

    private void runWaiting() {
        for (Runnable task = waiting.poll(); task != null; task = waiting.poll()) {
            task.run();
        }
    }

    @Test
    void aFewForcedWritesAndAnyNumberOfOthersTakeNoSpace() throws IOException {
        SpaceAhead space = space(Runnable::run, 64 * MIB);
        appendForced(space, 4, 100);
        for (int i = 0; i < 1_000; i++) {
            append(space, new byte[100], false);
        }
        assertThat(memory.reserved).isZero();
        assertThat(forces.get()).isZero();
    }

    @Test
    void spaceIsHeldReadyInProportionAndFurtherAheadTheLongerItIsUsed() throws IOException {
        SpaceAhead space = space(Runnable::run, 48 * MIB);
        appendForced(space, 5, 100);
        assertThat(memory.reserved).as("a few pages for a few writes").isEqualTo(16 * KIB + 500);
        assertThat(forces.get()).isEqualTo(1);
        for (int writes = 5; file.length() < 30 * MIB; writes++) {
            append(space, new byte[100 * KIB], true);
            long ahead = memory.reserved - file.length();
            assertThat(ahead)
                    .as("length=%d", file.length())
                    .isBetween(0L, Math.min(24L * MIB, 4 * Math.max(16 * KIB, file.length())));
            assertThat(forces.get()).as("a force for each step").isLessThan(writes);
        }
        assertThat(memory.reserved - file.length()).isGreaterThan(6 * MIB);
        appendForced(space, 200, MIB / 10);
        assertThat(memory.reserved).isEqualTo(48 * MIB);
        assertThat(memory.pieces).allMatch(length -> length <= MIB);
        assertThat(failures).isEmpty();
    }

    @Test
    void whoeverGoesBeyondHasSpaceHeldReadyBehindIt() throws IOException {
        SpaceAhead space = space(waiting::add, 64 * MIB);
        appendForced(space, 5, 100);
        append(space, new byte[3 * MIB], true);
        append(space, new byte[100], true);
        runWaiting();
        assertThat(memory.reserved).isGreaterThan(4 * MIB);
        assertThat(memory.pieces.stream().mapToInt(length -> length).sum())
                .as("nothing is zeroed in vain")
                .isEqualTo(memory.reserved - (int) file.length());
    }

    @Test
    void anExecutorThatRefusesIsNotTheWritersTrouble() throws IOException {
        AtomicInteger refused = new AtomicInteger();
        boolean[] isWilling = {false};
        SpaceAhead space = space(
                task -> {
                    if (!isWilling[0]) {
                        refused.incrementAndGet();
                        throw new RejectedExecutionException("shut down");
                    }
                    task.run();
                },
                64 * MIB);
        appendForced(space, 20, 10 * KIB);
        assertThat(refused.get()).isBetween(2, 6);
        assertThat(failures).isEmpty();
        isWilling[0] = true;
        appendForced(space, 20, 10 * KIB);
        assertThat(memory.reserved).as("it is tried again").isGreaterThan((int) file.length());
    }

    @Test
    void afterTheFirstFileOneForcedWriteIsEnough() throws IOException {
        SpaceAhead space = space(Runnable::run, 64 * MIB);
        appendForced(space, 5, 100);
        space.leave();
        MemoryFile next = new MemoryFile();
        DataFile nextFile = newFile(next);
        next.write(0, new byte[100], 0, 100);
        nextFile.extendTo(100);
        space.afterWrite(nextFile, true);
        assertThat(next.reserved).isEqualTo(16 * KIB + 100);
        assertThat(memory.reserved).isEqualTo(16 * KIB + 500);
    }

    @Test
    void aFileAfterALongOneBeginsWithLongSteps() throws IOException {
        SpaceAhead space = space(Runnable::run, 64 * MIB);
        appendForced(space, 50, MIB / 10);
        space.leave();
        MemoryFile next = new MemoryFile();
        DataFile nextFile = newFile(next);
        next.write(0, new byte[100], 0, 100);
        nextFile.extendTo(100);
        space.afterWrite(nextFile, true);
        assertThat(next.reserved).isEqualTo(MIB + 100);
    }

    @Test
    void aFullDiskIsNoFailureAndIsTriedAgain() throws IOException {
        SpaceAhead space = space(Runnable::run, 64 * MIB);
        memory.failure = new OutOfSpaceException("full", null);
        appendForced(space, 9, 100);
        assertThat(memory.reserved).isZero();
        memory.failure = null;
        appendForced(space, 5, 100);
        assertThat(memory.reserved).isGreaterThan(16 * KIB);
        assertThat(failures).isEmpty();
    }

    @Test
    void anyOtherFailureIsTold() throws IOException {
        SpaceAhead space = space(Runnable::run, 64 * MIB);
        IOException failure = new IOException("broken");
        memory.failure = failure;
        appendForced(space, 5, 100);
        assertThat(failures).containsExactly(failure);
    }

    @Test
    void nothingIsZeroedInAFileThatWasLeft() throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            SpaceAhead space = space(executor, 64 * MIB);
            memory.gate = new CountDownLatch(1);
            appendForced(space, 5, 100);
            assertThat(memory.isZeroing.await(30, TimeUnit.SECONDS)).isTrue();
            FutureTask<Void> leaving = new FutureTask<>(space::leave, null);
            Thread leaver = new Thread(leaving);
            leaver.start();
            while (leaver.getState() != Thread.State.WAITING) {
                assertThat(leaving.isDone()).as("it waits for the piece").isFalse();
                Thread.onSpinWait();
            }
            memory.gate.countDown();
            leaving.get(30, TimeUnit.SECONDS);
            int pieces = memory.pieces.size();
            executor.submit(() -> {}).get(30, TimeUnit.SECONDS); // after the task
            assertThat(memory.pieces).hasSize(pieces);
        } finally {
            executor.shutdown();
        }
    }

    /** Counts what is asked of it. That zeros spare what is written is the contract of its kind, not of this test. */
    private static final class MemoryFile implements WritableFile {
        final List<Integer> pieces = new ArrayList<>();
        final CountDownLatch isZeroing = new CountDownLatch(1);
        volatile int reserved;
        volatile @Nullable IOException failure;
        volatile @Nullable CountDownLatch gate;
        private long length;

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int count) {
            length = Math.max(length, offset + count);
        }

        @Override
        public void reserve(long end) throws IOException {
            IOException error = failure;
            if (error != null) {
                throw error;
            }
            int from = Math.max((int) length, reserved);
            isZeroing.countDown();
            CountDownLatch opened = gate;
            if (opened != null) {
                try {
                    opened.await();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
            }
            if (end > from) {
                pieces.add((int) end - from);
                reserved = (int) end;
            }
        }

        @Override
        public void force() {}

        @Override
        public void truncate(long newLength) {
            throw new UnsupportedOperationException();
        }

        @Override
        public String name() {
            return "memory";
        }

        @Override
        public long length() {
            return length;
        }

        @Override
        public boolean isMapped() {
            return false;
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int count) {
            throw new UnsupportedOperationException();
        }

        @Override
        public void close() {}
    }
}
