package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.Random;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

@Timeout(60)
final class SpaceAheadTest {
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
        GroupCommit commit = new GroupCommit(() -> forces.incrementAndGet());
        return new SpaceAhead(executor, commit, maxLength, failures::add);
    }

    private void append(SpaceAhead space, byte[] record, boolean willForce) throws IOException {
        long offset = file.length();
        space.beforeWrite(offset + record.length);
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
    void spaceIsHeldReadyFurtherAheadTheLongerItIsUsed() throws IOException {
        SpaceAhead space = space(Runnable::run, 48 * MIB);
        appendForced(space, 5, 100);
        assertThat(memory.reserved).isEqualTo(MIB + 500);
        assertThat(forces.get()).isEqualTo(1);
        appendForced(space, 6, MIB / 10);
        assertThat(memory.reserved).isEqualTo(3 * MIB + 500);
        appendForced(space, 150, MIB / 10);
        assertThat(memory.reserved).isEqualTo(31 * MIB + 500);
        appendForced(space, 250, MIB / 10);
        assertThat(memory.reserved).isEqualTo(48 * MIB);
        assertThat(memory.pieces).allMatch(length -> length <= MIB);
        assertThat(failures).isEmpty();
    }

    @Test
    void whoeverGoesBeyondDoesNotWaitForWhatHasNotBegun() throws IOException {
        SpaceAhead space = space(waiting::add, 64 * MIB);
        appendForced(space, 5, 100);
        append(space, record(1, 3 * MIB), true);
        append(space, record(2, 100), true);
        runWaiting();
        assertThat(memory.reserved).isGreaterThan(4 * MIB);
        assertThat(memory.content(500, 3 * MIB)).isEqualTo(record(1, 3 * MIB));
        assertThat(memory.content(500 + 3 * MIB, 100)).isEqualTo(record(2, 100));
    }

    /** Within the piece or beyond it: the zeros that are on their way would come over the record. */
    @ParameterizedTest
    @ValueSource(ints = {100, MIB, 3 * MIB})
    void whoeverGoesBeyondWaitsForThePieceThatIsBeingZeroed(int length) throws Exception {
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            SpaceAhead space = space(executor, 64 * MIB);
            CountDownLatch gate = new CountDownLatch(1);
            memory.gate = gate;
            appendForced(space, 5, 100);
            assertThat(memory.isZeroing.await(30, TimeUnit.SECONDS)).isTrue();
            FutureTask<Void> writing = new FutureTask<>(() -> {
                append(space, record(1, length), true);
                return null;
            });
            Thread writer = new Thread(writing);
            writer.setDaemon(true);
            writer.start();
            while (writer.getState() != Thread.State.WAITING && !writing.isDone()) {
                Thread.onSpinWait();
            }
            assertThat(writing.isDone()).as("it waits for the piece").isFalse();
            assertThat(memory.length()).isEqualTo(500);
            gate.countDown();
            writing.get(30, TimeUnit.SECONDS);
            executor.submit(() -> {}).get(30, TimeUnit.SECONDS); // behind the task
            append(space, record(2, 100), true);
            assertThat(memory.content(500, length)).isEqualTo(record(1, length));
            assertThat(memory.content(500 + length, 100)).isEqualTo(record(2, 100));
            space.leave();
        } finally {
            executor.shutdown();
        }
        assertThat(failures).isEmpty();
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
        assertThat(next.reserved).isEqualTo(MIB + 100);
        assertThat(memory.reserved).isEqualTo(MIB + 500);
    }

    @Test
    void aFullDiskIsNoFailureAndIsTriedAgain() throws IOException {
        SpaceAhead space = space(Runnable::run, 64 * MIB);
        memory.failure = new OutOfSpaceException("full", null);
        appendForced(space, 9, 100);
        assertThat(memory.reserved).isZero();
        memory.failure = null;
        appendForced(space, 5, 100);
        assertThat(memory.reserved).isGreaterThan(MIB);
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
            executor.submit(() -> {}).get(30, TimeUnit.SECONDS); // behind the task
            assertThat(memory.pieces).hasSize(pieces);
        } finally {
            executor.shutdown();
        }
    }

    @Test
    void zerosNeverComeOverRecords() throws Exception {
        long seed = new Random().nextLong();
        Random random = new Random(seed);
        ExecutorService executor = Executors.newSingleThreadExecutor();
        try {
            SpaceAhead space = space(executor, 48 * MIB);
            List<byte[]> records = new ArrayList<>();
            while (file.length() < 50 * MIB) {
                int length = random.nextInt(20) == 0 ? random.nextInt(3 * MIB) : random.nextInt(20_000);
                records.add(record(records.size(), length));
                append(space, records.get(records.size() - 1), random.nextInt(4) != 0);
            }
            space.leave();
            long offset = 0;
            for (byte[] record : records) {
                assertThat(memory.content((int) offset, record.length))
                        .as("seed=%d, offset=%d", seed, offset)
                        .isEqualTo(record);
                offset += record.length;
            }
        } finally {
            executor.shutdown();
        }
        assertThat(failures).as("seed=%d", seed).isEmpty();
    }

    private static byte[] record(int number, int length) {
        byte[] record = new byte[length];
        Arrays.fill(record, (byte) (number % 100 + 1));
        return record;
    }

    /** Writes zeros from where it came to last, over whatever is there. */
    private static final class MemoryFile implements WritableFile {
        final List<Integer> pieces = new ArrayList<>();
        final CountDownLatch isZeroing = new CountDownLatch(1);
        volatile int reserved;
        volatile @Nullable IOException failure;
        volatile @Nullable CountDownLatch gate;
        private final byte[] bytes = new byte[60 * MIB];
        private long length;

        byte[] content(int offset, int count) {
            return Arrays.copyOfRange(bytes, offset, offset + count);
        }

        @Override
        public void write(long offset, byte[] source, int sourceOffset, int count) {
            System.arraycopy(source, sourceOffset, bytes, (int) offset, count);
            length = Math.max(length, offset + count);
            if (reserved < length && reserved > 0) {
                reserved = (int) length;
            }
        }

        @Override
        public void reserve(long end) throws IOException {
            IOException error = failure;
            if (error != null) {
                throw error;
            }
            int from = reserved == 0 ? (int) length : reserved;
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
                Arrays.fill(bytes, from, (int) end, (byte) 0);
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
