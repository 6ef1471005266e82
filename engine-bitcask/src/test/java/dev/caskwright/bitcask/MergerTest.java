package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.BACKUP;
import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bitcask.merge.MergePolicy;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** What a merge copies, in which order, what it reads for that, and what it leaves when it does not come to its end. */
final class MergerTest {
    private static final MergePolicy DEAD_FILES = new MergePolicy(100, CrashFixture.SMALL_FILES);

    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();

    private EngineBuilder builder() {
        return builder(disk.factory(HOME));
    }

    private EngineBuilder builder(IoManagerFactory io) {
        return CrashFixture.builder(HOME, io, clock).imageEveryBytes(0);
    }

    private static byte[] key(int number) {
        return KeyValues.bytes(String.format("key%04d", number));
    }

    private static byte[] value(int number) {
        return KeyValues.bytes("value " + number);
    }

    private static void write(BitcaskEngine engine, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            engine.put(key(i), value(i));
        }
    }

    private List<String> files(String end) throws IOException {
        return disk.list().stream().filter(name -> name.endsWith(end)).sorted().toList();
    }

    private static List<Integer> visited(BitcaskEngine engine) throws IOException {
        List<Integer> numbers = new ArrayList<>();
        engine.visit(entry -> numbers.add(Integer.parseInt(new String(entry.key()).substring(3))));
        return numbers;
    }

    private void assertReopenedIsSame(BitcaskEngine engine) throws IOException {
        engine.sync();
        NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
        EngineStats stats = engine.stats();
        for (CrashableIoManager image : List.of(disk.peekKill(), disk.peekPowerLoss(0))) {
            try (BitcaskEngine next =
                    CrashFixture.builder(HOME, image.factory(HOME), clock).open()) {
                assertThat(CrashFixture.isSame(content, CrashFixture.content(next)))
                        .isTrue();
                assertThat(next.stats().space().liveBytes())
                        .isEqualTo(stats.space().liveBytes());
                assertThat(next.stats().keys()).isEqualTo(stats.keys());
            }
        }
    }

    // ---------------------------------------------------------------- an ordered index

    /** The walk over the index takes 256 keys at a time. */
    @ParameterizedTest
    @ValueSource(ints = {0, 1, 255, 256, 257, 512, 700})
    void overAnOrderedIndexRecordsComeToLieInTheOrderOfTheirKeys(int keys) throws IOException {
        AtomicInteger pieces = new AtomicInteger();
        SmallOrderedIndex index = new SmallOrderedIndex() {
            @Override
            public void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
                    throws IOException {
                pieces.incrementAndGet();
                super.scan(from, inclusive, descending, visitor);
            }
        };
        try (BitcaskEngine engine =
                builder().index(context -> index).maxFileBytes(1 << 20).open()) {
            List<Integer> expected = new ArrayList<>();
            for (int i = 0; i < keys; i++) {
                engine.put(key(i * 7 % 1_000), value(i));
                expected.add(i * 7 % 1_000);
            }
            engine.put(key(9_999), new byte[100]);
            engine.delete(key(9_999));
            engine.merge();
            assertThat(pieces).hasValue(keys / 256 + 1);
            expected.sort(null);
            assertThat(visited(engine)).isEqualTo(expected);
            EngineStats stats = engine.stats();
            assertThat(stats.space().deadBytes()).isZero();
            assertThat(stats.space().files()).isEqualTo(keys == 0 ? 0 : 1);
            assertReopenedIsSame(engine);
        }
    }

    /** What is appended while the merge walks is in files that are none of its inputs. */
    @Test
    void overAnOrderedIndexWhatIsWrittenMeanwhileIsNotCopied() throws IOException {
        AtomicReference<BitcaskEngine> writing = new AtomicReference<>();
        SmallOrderedIndex index = new SmallOrderedIndex() {
            @Override
            public void scan(byte @Nullable [] from, boolean inclusive, boolean descending, Visitor visitor)
                    throws IOException {
                BitcaskEngine engine = writing.getAndSet(null);
                if (engine != null) {
                    engine.put(key(5), new byte[50]);
                    engine.put(key(100), new byte[50]);
                }
                super.scan(from, inclusive, descending, visitor);
            }
        };
        try (BitcaskEngine engine =
                builder().index(context -> index).maxFileBytes(1 << 20).open()) {
            write(engine, 0, 10);
            writing.set(engine);
            engine.merge();
            assertThat(visited(engine)).containsExactlyInAnyOrder(0, 1, 2, 3, 4, 5, 6, 7, 8, 9, 100);
            assertThat(engine.get(key(5))).hasSize(50);
            EngineStats stats = engine.stats();
            assertThat(stats.space().deadBytes())
                    .as("the old record was not copied")
                    .isZero();
            assertReopenedIsSame(engine);
        }
    }

    // ---------------------------------------------------------------- what is copied and what is read

    @Test
    void mergesAndTheirBytesAreCounted() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            engine.merge();
            assertThat(engine.stats().merging().merges()).isZero();
            write(engine, 0, 40);
            write(engine, 0, 20);
            engine.merge();
            assertThat(engine.stats().merging().merges()).isEqualTo(1);
            long bytes = 0;
            for (String name : files(".merged")) {
                bytes += disk.length(name);
            }
            assertThat(files(".merged")).hasSizeGreaterThan(2);
            assertThat(files(".data")).isEmpty();
            assertThat(engine.stats().merging().mergedBytes()).isEqualTo(bytes);
            assertThat(engine.stats().space().deadBytes()).isZero();
            assertReopenedIsSame(engine);
        }
    }

    @Test
    void aFileInWhichNothingIsNeededIsNotRead() throws IOException {
        FaultPlan reads = FaultPlan.counting().only(IoOperation.READ);
        try (BitcaskEngine engine = builder(reads.wrap(disk.factory(HOME))).open()) {
            write(engine, 0, 20);
            for (int i = 0; i < 20; i++) {
                engine.delete(key(i));
            }
            long before = reads.calls();
            engine.merge();
            assertThat(reads.calls()).isEqualTo(before);
            assertThat(engine.stats().space().files()).isZero();
        }
    }

    /** It names other keys' records as candidates, which is all that is promised of them. */
    @Test
    void candidatesOfOtherKeysAreLookedUpAgain() throws IOException {
        SmallImageIndex index = new SmallImageIndex(() -> {}) {
            private long other;

            @Override
            public long candidate(byte[] key, int offset, int length) throws IOException {
                long own = get(key, offset, length);
                long candidate = own == ABSENT || other == ABSENT ? own : other;
                other = own;
                return candidate;
            }
        };
        try (BitcaskEngine engine = builder().index(context -> index).open()) {
            write(engine, 0, 60);
            write(engine, 0, 20);
            engine.delete(key(30));
            NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
            engine.merge();
            assertThat(CrashFixture.isSame(content, CrashFixture.content(engine)))
                    .isTrue();
            assertThat(engine.stats().space().deadBytes()).isZero();
            assertReopenedIsSame(engine);
        }
    }

    /** More outputs than there are inputs: an output cannot hold two of these records, and the input holds many. */
    @Test
    void aLongBatchIsSpreadOverManyFiles() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            WriteBatch batch = new WriteBatch();
            for (int i = 0; i < 60; i++) {
                batch.put(key(i), new byte[170]);
            }
            engine.write(batch, WriteOptions.DEFAULT);
            engine.merge();
            assertThat(engine.health()).isNull();
            assertThat(files(".merged")).hasSize(60);
            // Numbers were set aside for the outputs: what comes now is later in the log.
            engine.put(key(1), value(1));
            engine.put(key(100), value(100));
            assertReopenedIsSame(engine);
        }
    }

    @Test
    void theNewestFilesStayForTheChangeFeed() throws IOException {
        long retained = 2 * CrashFixture.SMALL_FILES;
        try (BitcaskEngine engine = builder().changesRetainedBytes(retained).open()) {
            write(engine, 0, 60);
            List<String> before = files(".data");
            engine.merge();
            List<String> left = files(".data");
            assertThat(left).isEqualTo(before.subList(before.size() - left.size(), before.size()));
            long bytes = 0;
            for (String name : left) {
                bytes += disk.length(name);
            }
            assertThat(bytes).isGreaterThanOrEqualTo(retained);
            assertThat(bytes - disk.length(left.get(0)))
                    .as("no more than it takes")
                    .isLessThan(retained);
            // Merged files do not count, however many there are.
            engine.merge();
            assertThat(files(".data")).isEqualTo(left);
            assertReopenedIsSame(engine);
        }
    }

    @Test
    void retainedBytesThatAreJustThereAreEnough() throws IOException {
        long length;
        try (BitcaskEngine engine = builder().open()) {
            write(engine, 0, 60);
            engine.merge();
            write(engine, 0, 60);
        }
        List<String> data = files(".data");
        length = disk.length(data.get(data.size() - 1)) + disk.length(data.get(data.size() - 2));
        try (BitcaskEngine engine = builder().changesRetainedBytes(length).open()) {
            engine.merge();
            assertThat(files(".data")).isEqualTo(data.subList(data.size() - 2, data.size()));
        }
    }

    @Test
    void aMergeKeepsToItsRate() throws IOException {
        long bytesPerSecond = 1_000_000;
        try (BitcaskEngine engine = builder()
                .mergeBytesPerSecond(bytesPerSecond)
                .maxFileBytes(1 << 20)
                .open()) {
            engine.put(new byte[20_000], new byte[20_000]);
            long start = System.nanoTime();
            engine.merge();
            long millis = (System.nanoTime() - start) / 1_000_000;
            assertThat(millis)
                    .as("40 ms but for the slice of 10 ms that is free")
                    .isGreaterThanOrEqualTo(29);
        }
    }

    // ---------------------------------------------------------------- expiry and snapshots

    @Test
    void expiredEntriesLeaveTheIndexButNotASnapshot() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            WriteOptions aSecond = WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1));
            for (int i = 0; i < 100; i++) {
                engine.put(key(i), value(i), i % 4 == 0 ? WriteOptions.DEFAULT : aSecond);
            }
            Snapshot snapshot = engine.snapshot();
            clock.advance(Duration.ofSeconds(2));
            engine.put(key(1), value(1_001));
            engine.merge();
            EngineStats stats = engine.stats();
            assertThat(stats.keys()).isEqualTo(26);
            assertThat(stats.space().deadBytes()).isZero();
            assertThat(KeyValues.entries(snapshot)).hasSize(100);
            for (int i = 0; i < 100; i++) {
                assertThat(snapshot.get(key(i))).isEqualTo(value(i));
            }
            assertThat(files(".data")).as("kept for the snapshot").isNotEmpty();
            assertThat(stats.space().pinnedBytes()).isPositive();
            snapshot.close();
            assertThat(engine.stats().space().pinnedBytes()).isZero();
            assertReopenedIsSame(engine);
        }
    }

    /** Of a key that expired, a later record of the same key that came during the merge stays in the index. */
    @Test
    void aPutDuringTheMergeOutlivesTheExpiredEntry() throws IOException {
        AtomicReference<BitcaskEngine> writing = new AtomicReference<>();
        SmallImageIndex index = new SmallImageIndex(() -> {}) {
            @Override
            public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
                BitcaskEngine engine = writing.getAndSet(null);
                if (engine != null) {
                    try {
                        engine.put(key(1), value(1_001));
                        engine.put(key(2), value(1_002));
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
                return super.replace(key, offset, length, expected, locator);
            }
        };
        try (BitcaskEngine engine = builder().index(context -> index).open()) {
            engine.put(key(1), value(1), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1)));
            engine.put(key(2), value(2));
            engine.put(key(3), value(3));
            clock.advance(Duration.ofSeconds(2));
            writing.set(engine);
            engine.merge();
            assertThat(engine.get(key(1))).isEqualTo(value(1_001));
            assertThat(engine.get(key(2))).isEqualTo(value(1_002));
            assertThat(engine.get(key(3))).isEqualTo(value(3));
            assertReopenedIsSame(engine);
        }
    }

    // ---------------------------------------------------------------- ends

    /** Runs something in another thread at the n-th key that a merge looks up. */
    private static final class InterruptedMerge extends SmallImageIndex {
        final AtomicReference<Runnable> meanwhile = new AtomicReference<>();

        InterruptedMerge() {
            super(() -> {});
        }

        @Override
        public long get(byte[] key, int offset, int length) {
            Runnable action = Arrays.equals(key, offset, offset + length, key(7), 0, key(7).length)
                    ? meanwhile.getAndSet(null)
                    : null;
            if (action != null) {
                action.run();
            }
            return super.get(key, offset, length);
        }
    }

    @Test
    void closingEndsAMergeWithoutEffect() throws Exception {
        InterruptedMerge index = new InterruptedMerge();
        BitcaskEngine engine = builder().index(context -> index).open();
        write(engine, 0, 40);
        List<String> before = files(".data");
        AtomicReference<Throwable> thrown = new AtomicReference<>();
        Thread closer = new Thread(() -> {
            try {
                engine.close();
            } catch (Throwable e) {
                thrown.set(e);
            }
        });
        index.meanwhile.set(() -> {
            closer.start();
            while (closer.getState() != Thread.State.WAITING) {
                Thread.onSpinWait();
            }
        });
        engine.merge();
        closer.join();
        assertThat(thrown.get()).isNull();
        assertThat(files(".merged")).isEmpty();
        assertThat(files(".data")).isEqualTo(before);
        try (BitcaskEngine next = builder().open()) {
            assertThat(CrashFixture.content(next)).hasSize(40);
        }
    }

    @Test
    void oneMergeAtATime() throws Exception {
        InterruptedMerge index = new InterruptedMerge();
        try (BitcaskEngine engine = builder().index(context -> index).open()) {
            write(engine, 0, 40);
            write(engine, 8, 40);
            AtomicBoolean wasSecond = new AtomicBoolean();
            index.meanwhile.set(() -> {
                FutureTask<@Nullable Void> merging = new FutureTask<>(() -> {
                    engine.mergeInBackground(DEAD_FILES);
                    return null;
                });
                Thread second = new Thread(merging);
                second.start();
                try {
                    second.join();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                wasSecond.set(true);
                assertThat(engine.stats().merging().merges())
                        .as("the second one does not wait")
                        .isZero();
            });
            engine.merge();
            assertThat(wasSecond).isTrue();
            assertThat(engine.health()).isNull();
            assertThat(engine.stats().merging().merges()).isEqualTo(1);
            assertReopenedIsSame(engine);
        }
    }

    @Test
    void withoutRoomAMergeLeavesNothingAndCanBeTriedAgain() throws IOException {
        FaultPlan counting = FaultPlan.counting().only(IoOperation.WRITE);
        long opening;
        try (BitcaskEngine engine = builder(counting.wrap(new CrashableIoManager().factory(HOME)))
                .executor(Runnable::run)
                .open()) {
            write(engine, 0, 40);
            opening = counting.calls();
        }
        for (long n = opening; ; n++) {
            CrashableIoManager own = new CrashableIoManager();
            FaultPlan plan = FaultPlan.failing(n).only(IoOperation.WRITE).with(Fault.OUT_OF_SPACE);
            try (BitcaskEngine engine = builder(plan.wrap(own.factory(HOME)))
                    .executor(Runnable::run)
                    .open()) {
                write(engine, 0, 40);
                assertThat(plan.hasFired()).isFalse();
                boolean wasRefused = false;
                try {
                    engine.merge();
                } catch (OutOfSpaceException e) {
                    wasRefused = true;
                    assertThat(own.list()).noneMatch(name -> name.endsWith(".merged"));
                }
                assertThat(engine.health()).isNull();
                assertThat(engine.stats().merging().merges()).isEqualTo(wasRefused ? 0 : 1);
                assertThat(CrashFixture.content(engine)).hasSize(40);
                if (!plan.hasFired()) {
                    assertThat(n - opening).isGreaterThan(10);
                    return;
                }
                if (wasRefused) {
                    engine.merge();
                    assertThat(engine.stats().merging().merges()).isEqualTo(1);
                    assertThat(CrashFixture.content(engine)).hasSize(40);
                    assertThat(own.list()).noneMatch(name -> name.endsWith(".data"));
                }
            }
        }
    }

    /** Whether the merge is on disk is in doubt, so the files of both sides stay for the next opening to decide. */
    @Test
    void afterAnErrorOfTheManifestNothingIsRemoved() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            write(engine, 0, 40);
        }
        List<String> before = files(".data");
        long forces = countForcesOfAMerge();
        FaultPlan last = FaultPlan.failing(forces - 1).only(IoOperation.FORCE).with(Fault.IO_ERROR);
        BitcaskEngine failing = builder(last.wrap(disk.factory(HOME))).open();
        assertThatThrownBy(failing::merge)
                .isInstanceOf(EngineFailedException.class)
                .hasMessageContaining("could not be committed");
        assertThat(failing.health()).isNotNull();
        assertThat(files(".data")).isEqualTo(before);
        assertThat(files(".merged")).isNotEmpty();
        assertThat(failing.stats().merging().merges()).isZero();
        failing.close();
    }

    private long countForcesOfAMerge() throws IOException {
        FaultPlan counting = FaultPlan.counting().only(IoOperation.FORCE);
        CrashableIoManager copy = disk.peekKill();
        try (BitcaskEngine engine = builder(counting.wrap(copy.factory(HOME))).open()) {
            engine.merge();
            return counting.calls();
        }
    }

    /** The index is asked to go over to the copies, and fails: what is in memory is of no use any more. */
    @Test
    void anIndexThatFailsDuringTheSwitchFailsTheEngine() throws IOException {
        SmallImageIndex index = new SmallImageIndex(() -> {}) {
            @Override
            public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
                throw new IllegalStateException("planted");
            }
        };
        BitcaskEngine engine = builder().index(context -> index).open();
        write(engine, 0, 40);
        assertThatThrownBy(engine::merge)
                .isInstanceOf(EngineFailedException.class)
                .hasMessageContaining("planted");
        assertThat(engine.health()).isNotNull();
        assertThatThrownBy(engine::merge).isInstanceOf(EngineFailedException.class);
        engine.close();
        try (BitcaskEngine next = builder().open()) {
            assertThat(CrashFixture.content(next)).hasSize(40);
        }
        assertThat(index.get(key(1), 0, key(1).length)).isEqualTo(KeyIndex.ABSENT);
    }

    // ---------------------------------------------------------------- locks and other threads

    private interface Action {
        void run() throws IOException;
    }

    /** Starts a thread that ends or, if it needs a lock, waits; returns once it does. */
    private static Thread startedOrWaiting(Action action) {
        Thread thread = new Thread(() -> {
            try {
                action.run();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        thread.start();
        while (thread.getState() != Thread.State.WAITING && thread.getState() != Thread.State.TERMINATED) {
            Thread.onSpinWait();
        }
        return thread;
    }

    private static void inThread(Action action) throws InterruptedException {
        Thread thread = startedOrWaiting(action);
        thread.join(60_000);
        assertThat(thread.isAlive()).as("still waiting for a lock").isFalse();
    }

    @Test
    void aMergeGivesItsLocksBack() throws Exception {
        try (BitcaskEngine engine = builder().imageEveryBytes(1).open()) {
            inThread(() -> {
                write(engine, 0, 40);
                write(engine, 0, 20);
                engine.merge();
            });
            inThread(() -> {
                write(engine, 0, 40);
                engine.mergeInBackground(DEAD_FILES);
            });
            assertThat(engine.stats().merging().merges()).isEqualTo(2);
            inThread(() -> {
                write(engine, 20, 60);
                engine.mergeInBackground(DEAD_FILES);
            });
            assertThat(engine.stats().merging().merges()).isEqualTo(3);
            inThread(engine::merge);
            assertThat(engine.stats().merging().merges()).isEqualTo(4);
            assertReopenedIsSame(engine);
        }
    }

    /** The index changes under the write lock, and 64 keys later a writer gets it who has waited. */
    @Test
    void writersGetInWhileTheIndexGoesOver() throws Exception {
        AtomicReference<BitcaskEngine> writing = new AtomicReference<>();
        AtomicReference<Thread> writer = new AtomicReference<>();
        AtomicInteger changes = new AtomicInteger();
        AtomicInteger changesBefore = new AtomicInteger();
        SmallImageIndex index = new SmallImageIndex(() -> {}) {
            @Override
            public boolean replace(byte[] key, int offset, int length, long expected, long locator) {
                BitcaskEngine engine = writing.getAndSet(null);
                if (engine != null) {
                    writer.set(startedOrWaiting(() -> {
                        engine.put(key(99_999), value(1));
                        changesBefore.set(changes.get());
                    }));
                    assertThat(writer.get().getState()).isEqualTo(Thread.State.WAITING);
                }
                changes.incrementAndGet();
                return super.replace(key, offset, length, expected, locator);
            }
        };
        int keys = 64 * 200;
        try (BitcaskEngine engine =
                builder().index(context -> index).maxFileBytes(1 << 20).open()) {
            for (int i = 0; i < keys; i++) {
                engine.put(key(i), new byte[0]);
            }
            changes.set(0);
            writing.set(engine);
            engine.merge();
            assertThat(changes).hasValue(keys);
            writer.get().join();
            assertThat(changesBefore.get()).isBetween(64, keys - 1);
            assertThat(engine.stats().keys()).isEqualTo(keys + 1);
        }
    }

    @Test
    void expiredEntriesLeaveTheIndexUnderTheWriteLock() throws Exception {
        AtomicReference<BitcaskEngine> writing = new AtomicReference<>();
        AtomicReference<Thread> writer = new AtomicReference<>();
        SmallImageIndex index = new SmallImageIndex(() -> {}) {
            @Override
            public boolean remove(byte[] key, int offset, int length, long expected) {
                BitcaskEngine engine = writing.getAndSet(null);
                if (engine != null) {
                    writer.set(startedOrWaiting(() -> engine.put(key(99_999), value(1))));
                    assertThat(writer.get().getState()).isEqualTo(Thread.State.WAITING);
                }
                return super.remove(key, offset, length, expected);
            }
        };
        try (BitcaskEngine engine = builder().index(context -> index).open()) {
            engine.put(key(1), value(1), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1)));
            clock.advance(Duration.ofSeconds(2));
            writing.set(engine);
            engine.merge();
            writer.get().join();
            assertThat(engine.stats().keys()).isEqualTo(1);
        }
    }

    // ---------------------------------------------------------------- before it begins, and before it counts

    /** They would lie below the highest number that the manifest knows then, and pass for leftovers. */
    @Test
    void filesThatWaitToBeSealedAreListedWithTheMerge() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            write(engine, 0, 40);
        }
        try (BitcaskEngine engine = builder().executor(task -> {}).open()) {
            write(engine, 0, 60);
            engine.mergeInBackground(DEAD_FILES);
            assertThat(engine.health()).isNull();
            assertThat(engine.stats().merging().merges()).isEqualTo(1);
            assertReopenedIsSame(engine);
        }
    }

    @Test
    void filesThatWaitToBeSealedAreMerged() throws IOException {
        try (BitcaskEngine engine = builder().executor(task -> {}).open()) {
            write(engine, 0, 60);
            engine.merge();
            assertThat(engine.stats().merging().merges()).isEqualTo(1);
            assertThat(files(".data")).isEmpty();
            assertReopenedIsSame(engine);
        }
    }

    @Test
    void theWholeIndexIsLoadedBeforeAFileIsMade() throws IOException {
        AtomicInteger left = new AtomicInteger();
        SmallImageIndex index = new SmallImageIndex(() -> {}) {
            @Override
            public boolean loadMore() {
                return left.decrementAndGet() > 0;
            }
        };
        try (BitcaskEngine engine = builder().index(context -> index).open()) {
            left.set(3);
            engine.merge();
            assertThat(left).as("there is nothing to merge").hasValue(3);
            write(engine, 0, 10);
            left.set(3);
            disk.observer(call -> {
                if (call.file().endsWith(".merged")) {
                    assertThat(left).hasValueLessThan(1);
                }
            });
            engine.merge();
            assertThat(left).hasValue(0);
            disk.observer(null);
        }
    }

    @Test
    void aStoreThatIsOpenForReadingIsNotMerged() throws IOException {
        builder().open().close();
        try (BitcaskEngine engine = builder().readOnly(true).open()) {
            assertThatThrownBy(engine::merge)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY));
        }
    }

    /** Whatever a failed write left in doubt, a merge does not build on it. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void afterAFailureMeanwhileTheMergeIsRefused(boolean isWhileCopying) throws IOException {
        AtomicReference<BitcaskEngine> failing = new AtomicReference<>();
        SmallImageIndex index = new SmallImageIndex(() -> {}) {
            @Override
            public boolean loadMore() {
                if (!isWhileCopying) {
                    fail();
                }
                return false;
            }

            @Override
            public long get(byte[] key, int offset, int length) {
                if (isWhileCopying) {
                    fail();
                }
                return super.get(key, offset, length);
            }

            private void fail() {
                BitcaskEngine engine = failing.getAndSet(null);
                if (engine != null) {
                    disk.observer(call -> {
                        if (call.operation() == IoOperation.FORCE) {
                            throw new IllegalStateException("planted");
                        }
                    });
                    assertThatThrownBy(() -> engine.put(key(99), value(99), WriteOptions.SYNC))
                            .isInstanceOf(EngineFailedException.class);
                    disk.observer(null);
                }
            }
        };
        BitcaskEngine engine = builder().index(context -> index).open();
        write(engine, 0, 30);
        failing.set(engine);
        long operations = disk.operations();
        assertThatThrownBy(engine::merge)
                .isInstanceOf(EngineFailedException.class)
                .hasMessageContaining("writes are refused");
        assertThat(failing.get()).isNull();
        if (!isWhileCopying) {
            assertThat(disk.log().subList((int) operations, (int) disk.operations()))
                    .noneMatch(call -> call.file().endsWith(".merged"));
        }
        assertThat(files(".merged")).isEmpty();
        engine.close();
    }

    /** A backup has what was there, and nothing of a merge that is under way. */
    @Test
    void whatAMergeIsWritingIsNoPartOfABackup() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            write(engine, 0, 20);
            write(engine, 0, 10);
            NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
            AtomicBoolean wasMade = new AtomicBoolean();
            disk.observer(call -> {
                if (call.operation() == IoOperation.FORCE
                        && call.file().endsWith(".merged")
                        && wasMade.compareAndSet(false, true)) {
                    try {
                        engine.backup(BACKUP);
                    } catch (IOException e) {
                        throw new AssertionError(e);
                    }
                }
            });
            engine.merge();
            disk.observer(null);
            assertThat(wasMade).isTrue();
            assertThat(disk.factory(HOME).open(BACKUP, false).list()).noneMatch(name -> name.endsWith(".merged"));
            try (BitcaskEngine copy =
                    CrashFixture.builder(BACKUP, disk.factory(HOME), clock).open()) {
                assertThat(CrashFixture.isSame(content, CrashFixture.content(copy)))
                        .isTrue();
            }
        }
    }
}
