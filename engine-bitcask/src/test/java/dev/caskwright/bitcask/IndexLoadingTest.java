package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.SegmentedLogFactory;
import dev.caskwright.bitcask.merge.MergePolicy;
import dev.caskwright.bitcask.replay.IndexLoading;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;
import org.junit.jupiter.params.provider.ValueSource;

/** An index that loads its image part by part: what is behind the image is put when a part is loaded, or at once. */
final class IndexLoadingTest {
    private static final int KEYS = 400;

    private final ManualClock clock = new ManualClock();
    private final List<Runnable> tasks = new CopyOnWriteArrayList<>();
    private CrashableIoManager disk = new CrashableIoManager();
    private PartedIndex index = new PartedIndex();

    private EngineBuilder builder() {
        return CrashFixture.builder(HOME, disk.factory(HOME), clock)
                .index(context -> index)
                .executor(tasks::add)
                .maxFileBytes(4 << 10)
                .imageEveryBytes(Long.MAX_VALUE);
    }

    private static byte[] key(int number) {
        return KeyValues.bytes("key" + number);
    }

    private static byte[] value(int number) {
        return KeyValues.bytes("value " + number);
    }

    /** Leaves an image, and records behind it of keys that it has and of others; returns how many records. */
    private int killedBehindAnImage(int puts) throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            for (int i = 0; i < KEYS; i++) {
                engine.put(key(i), value(i));
            }
        }
        index = new PartedIndex();
        BitcaskEngine engine = builder().open();
        int records = 0;
        for (int i = 0; i < puts; i++) {
            engine.put(key(KEYS / 2 + i), value(-i));
            records++;
            if (i % 3 == 0) {
                assertThat(engine.delete(key(i))).isTrue();
                records++;
            }
        }
        disk = disk.kill();
        index = new PartedIndex();
        tasks.clear();
        return records;
    }

    private BitcaskEngine replayed() throws IOException {
        return CrashFixture.builder(HOME, disk.peekKill().factory(HOME), clock)
                .index(context -> new SmallImageIndex(() -> {}))
                .imageEveryBytes(0)
                .open();
    }

    private void assertSame(BitcaskEngine engine) throws IOException {
        try (BitcaskEngine replayed = replayed()) {
            EngineStats expected = replayed.stats();
            EngineStats found = engine.stats();
            assertThat(found.keys()).isEqualTo(expected.keys());
            assertThat(found.space().liveBytes()).isEqualTo(expected.space().liveBytes());
            assertThat(found.space().deadBytes()).isEqualTo(expected.space().deadBytes());
            NavigableMap<byte[], Entry> content = CrashFixture.content(replayed);
            assertThat(CrashFixture.isSame(content, CrashFixture.content(engine)))
                    .isTrue();
        }
    }

    @ParameterizedTest
    @CsvSource({"0, 1", "3000, 1", "1000000, 1", "0, 2", "3000, 2", "1000000, 2"})
    void howeverItIsLoadedTheStoreIsTheSame(long mostBytesLater, int threads) throws IOException {
        int records = killedBehindAnImage(KEYS);
        EngineBuilder builder = builder().replayThreads(threads);
        builder.mostReplayBytesLater = mostBytesLater;
        try (BitcaskEngine engine = builder.open()) {
            assertThat(index.partsLeft() > 0).isEqualTo(mostBytesLater == 1_000_000);
            assertSame(engine);
            assertThat(index.partsLeft()).as("figures need all of it").isZero();
            assertThat(engine.stats().opening().fromImage()).isTrue();
            assertThat(engine.stats().opening().replayedRecords()).isEqualTo(records);
        }
    }

    /** Entries are kept one after the other: here four fill the first memory. */
    @Test
    void whatFitsIsKeptWithoutMoreMemory() throws IOException {
        killedBehindAnImage(0);
        BitcaskEngine writer = builder().open();
        byte[] key = new byte[512 / 4 - 12];
        for (int i = 0; i < 4; i++) {
            key[0] = (byte) i;
            writer.put(key, value(i));
        }
        assertMost(512);
    }

    /** The first memory for the entries of a part is 512 bytes, and the next 1,024. */
    @Test
    void whatIsKeptIsMeasured() throws IOException {
        killedBehindAnImage(0);
        BitcaskEngine writer = builder().open();
        byte[] key = new byte[100 - 12]; // 12 bytes say what follows
        for (int i = 0; i < 5; i++) {
            key[0] = (byte) i;
            writer.put(key, value(i));
        }
        assertMost(512);
        key[0] = 5;
        writer.put(key, value(5));
        assertMost(512 + 1_024);
        writer.put(new byte[5_000], value(6));
        assertMost(512 + 1_024 + 5_012);
        byte[] other = {1};
        writer.put(other, value(7));
        assertMost(512 + 1_024 + 5_012 + 512);
    }

    /** Opens a copy with just as much memory as is needed, and with a byte less. */
    private void assertMost(long bytes) throws IOException {
        CrashableIoManager before = disk;
        for (long most : new long[] {bytes - 1, bytes}) {
            disk = before.peekKill();
            index = new PartedIndex();
            EngineBuilder builder = builder();
            builder.mostReplayBytesLater = most;
            try (BitcaskEngine engine = builder.open()) {
                assertThat(index.isLoaded(new byte[1])).as("most=%s", most).isEqualTo(most < bytes);
                assertSame(engine);
            }
        }
        disk = before;
    }

    /** What is put meanwhile may be in the image or not; either way it is counted once. */
    @ParameterizedTest
    @ValueSource(ints = {1, 2, 3})
    void whatWasWrittenWhileTheImageWasSavedIsPutWithItsPart(int seed) throws IOException {
        SplittableRandom random = new SplittableRandom(seed);
        BitcaskEngine engine = builder().imageEveryBytes(1).open();
        for (int i = 0; i < KEYS; i++) {
            engine.put(key(i), value(i));
        }
        tasks.clear();
        index.meanwhile = () -> {
            byte[] key = key(random.nextInt(2 * KEYS));
            if (random.nextInt(3) == 0) {
                engine.delete(key);
            } else {
                engine.put(key, value(random.nextInt()));
            }
        };
        engine.requestCheckpoint();
        tasks.remove(0).run();
        index.meanwhile = () -> {};
        assertThat(engine.stats().images().saved()).isEqualTo(1);
        for (int i = 0; i < 20 * seed; i++) {
            engine.put(key(random.nextInt(2 * KEYS)), value(i));
            engine.delete(key(random.nextInt(2 * KEYS)));
        }
        EngineStats expected = engine.stats();
        NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
        disk = disk.kill();
        CrashableIoManager before = disk;
        for (long most : new long[] {0, Long.MAX_VALUE}) {
            disk = before.peekKill();
            index = new PartedIndex();
            tasks.clear();
            EngineBuilder builder = builder();
            builder.mostReplayBytesLater = most;
            try (BitcaskEngine next = builder.open()) {
                assertThat(next.stats().opening().fromImage()).isTrue();
                assertSame(next);
                assertThat(CrashFixture.isSame(content, CrashFixture.content(next)))
                        .isTrue();
                assertThat(next.stats().keys()).isEqualTo(expected.keys());
                assertThat(next.stats().space().liveBytes())
                        .isEqualTo(expected.space().liveBytes());
            }
        }
    }

    @Test
    void anIndexThatHasLoadedItsImageLeavesNothingForLater() throws IOException {
        for (int i = 0; i < 2; i++) {
            tasks.clear();
            try (BitcaskEngine engine =
                    builder().index(context -> new SmallImageIndex(() -> {})).open()) {
                assertThat(engine.stats().opening().fromImage()).isEqualTo(i == 1);
                assertThat(tasks).isEmpty();
                engine.put(key(i), value(i));
            }
        }
    }

    @Test
    @Timeout(60)
    void theThreadThatLoadedTheRestIsDoneWithIt() throws Exception {
        killedBehindAnImage(50);
        BitcaskEngine engine = builder().open();
        inOtherThread(tasks.get(0));
        assertThat(index.partsLeft()).isZero();
        engine.close();
        inOtherThread(tasks.get(0));
    }

    private static void inOtherThread(Runnable task) throws InterruptedException {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        thread.join();
    }

    private IndexLoading loading(RecordLogOpening opening) {
        return new IndexLoading(opening, index, true, 1, Long.MAX_VALUE);
    }

    private RecordLogOpening opening() throws IOException {
        return new SegmentedLogFactory()
                .open(
                        disk,
                        disk,
                        new RecordLogOptions(4_096, false, true, () -> 1, Runnable::run, () -> {}, () -> {}, cause -> {
                            throw new AssertionError(cause);
                        }));
    }

    @Test
    void whatIsCountedIsKnownOnlyOnceAllIsLoaded() throws IOException {
        killedBehindAnImage(50);
        for (boolean isCancelled : new boolean[] {false, true}) {
            CrashableIoManager before = disk;
            disk = before.peekKill();
            index = new PartedIndex();
            RecordLogOpening opening = opening();
            IndexLoading loading = loading(opening);
            assertThat(loading.begin()).isTrue();
            assertThat(loading.replay(index, true)).isPositive();
            opening.finish();
            if (isCancelled) {
                loading.cancel();
            }
            assertThat(loading.settle()).isEqualTo(!isCancelled);
            assertThat(index.partsLeft() == 0).isEqualTo(!isCancelled);
            loading.close();
            opening.log().abandon();
            disk = before;
        }
    }

    @Test
    @Timeout(60)
    void closingEndsTheLoadingInTheBackgroundWithItsPart() throws Exception {
        killedBehindAnImage(50);
        RecordLogOpening opening = opening();
        IndexLoading loading = loading(opening);
        assertThat(loading.begin()).isTrue();
        loading.replay(index, true);
        opening.finish();
        Thread closer = Thread.currentThread();
        AtomicInteger loaded = new AtomicInteger();
        index.loading = () -> {
            if (loaded.getAndIncrement() == 0) {
                while (closer.getState() != Thread.State.WAITING) {
                    Thread.onSpinWait();
                }
            }
        };
        loading.goOn(task -> {
            Thread thread = new Thread(() -> {
                try {
                    task.run();
                } catch (IOException e) {
                    throw new AssertionError(e);
                }
            });
            thread.setDaemon(true);
            thread.start();
            while (loaded.get() == 0) {
                Thread.onSpinWait();
            }
        });
        loading.close();
        assertThat(loaded).hasValue(1);
        opening.log().abandon();
    }

    @Test
    void aLookupLoadsItsPartAndAWriterLoadsAll() throws IOException {
        killedBehindAnImage(50);
        try (BitcaskEngine engine = builder().open()) {
            assertThat(index.isLoaded(key(1))).isFalse();
            assertThat(engine.get(key(1))).isEqualTo(value(1));
            assertThat(engine.get(key(KEYS / 2 + 1))).isEqualTo(value(-1));
            assertThat(engine.get(key(0))).as("deleted behind the image").isNull();
            assertThat(index.isLoaded(key(1))).isTrue();
            assertThat(index.isLoaded(key(2))).isFalse();
            long operations = disk.operations();
            disk.observer(call -> assertThat(index.partsLeft()).isZero());
            engine.put(key(1), value(7));
            disk.observer(null);
            assertThat(disk.operations()).isGreaterThan(operations);
            assertSame(engine);
        }
    }

    @Test
    void theRestIsLoadedInTheBackground() throws IOException {
        killedBehindAnImage(50);
        BitcaskEngine engine = builder().open();
        assertThat(index.partsLeft()).isPositive();
        assertThat(tasks).hasSize(1);
        tasks.get(0).run();
        assertThat(index.partsLeft()).isZero();
        engine.close();
        // With nothing left there is nothing to do.
        index = new PartedIndex();
        tasks.clear();
        builder().imageEveryBytes(0).open().close();
        assertThat(tasks).isEmpty();
    }

    @Test
    void aClosedEngineLoadsNothingMore() throws IOException {
        killedBehindAnImage(50);
        BitcaskEngine engine = builder().readOnly(true).open();
        assertThat(tasks).hasSize(1);
        engine.close();
        tasks.get(0).run();
        assertThat(index.partsLeft()).isPositive();
        assertThat(engine.stats().keys()).isZero();
    }

    @Test
    void behindAnImageOfAllNothingIsCollected() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            for (int i = 0; i < KEYS; i++) {
                engine.put(key(i), value(i));
            }
        }
        index = new PartedIndex();
        try (BitcaskEngine engine = builder().open()) {
            assertThat(index.partsLeft()).isPositive();
            assertThat(engine.stats().keys()).isEqualTo(KEYS);
            assertThat(index.partsLeft()).as("the image has all figures").isPositive();
            assertThat(engine.stats().opening().replayedRecords()).isZero();
            assertSameAfterLoading(engine);
        }
    }

    private void assertSameAfterLoading(BitcaskEngine engine) throws IOException {
        tasks.get(tasks.size() - 1).run();
        assertSame(engine);
    }

    @ParameterizedTest
    @ValueSource(ints = {0, 50})
    void aDamagedPartIsFilledFromTheLogAndTheNextImageHasIt(int puts) throws IOException {
        killedBehindAnImage(puts);
        List<String> images =
                disk.list().stream().filter(name -> name.endsWith(".image")).toList();
        assertThat(images).hasSize(1);
        for (int part = 0; part < PartedIndex.PARTS; part++) {
            CrashableIoManager before = disk;
            disk = before.peekKill();
            index = new PartedIndex(part);
            try (BitcaskEngine engine = builder().open()) {
                assertThat(engine.stats().opening().fromImage()).isTrue();
                for (int i = 0; i < KEYS; i++) {
                    engine.get(key(i));
                }
                assertSame(engine);
            }
            assertThat(disk.list()).as("a new image").doesNotContainAnyElementsOf(images);
            index = new PartedIndex();
            try (BitcaskEngine engine = builder().open()) {
                assertThat(engine.stats().opening().fromImage()).isTrue();
                tasks.forEach(Runnable::run);
                assertSame(engine);
            }
            disk = before;
            tasks.clear();
        }
    }

    @Test
    void whoeverNeedsAPartThatFailsGetsTheErrorAndTriesAgain() throws IOException {
        killedBehindAnImage(50);
        try (BitcaskEngine engine = builder().open()) {
            index.failure.set(new IOException("planted"));
            tasks.get(0).run();
            assertThat(engine.health()).isNull();
            index.failure.set(new IOException("planted, too"));
            assertThatThrownBy(() -> engine.get(key(1))).hasMessageContaining("planted, too");
            index.failure.set(new IOException("planted again"));
            engine.mergeInBackground(new MergePolicy(100, 4 << 10));
            assertThat(engine.health()).isNull();
            assertThat(index.failure.get()).as("figures were asked for").isNull();
            assertThat(index.partsLeft()).isPositive();
            assertThat(engine.get(key(1))).isEqualTo(value(1));
            assertSame(engine);
        }
    }

    @Test
    void loadingThatEndsAbruptlyIsTriedAgain() throws IOException {
        killedBehindAnImage(50);
        List<Runnable> later = new ArrayList<>();
        EngineBuilder builder = builder();
        builder.retryTimer = (millis, action) -> later.add(action);
        try (BitcaskEngine engine = builder.open()) {
            index.failure.set(new IllegalStateException("planted"));
            tasks.get(0).run();
            assertThat(engine.health()).isNull();
            assertThat(engine.retries())
                    .singleElement()
                    .satisfies(retry -> assertThat(retry.cause()).hasMessage("planted"));
            tasks.clear();
            assertThat(later).hasSize(1);
            later.get(0).run();
            while (tasks.isEmpty()) {
                Thread.onSpinWait(); // a thread of the process hands it over
            }
            tasks.get(0).run();
            assertThat(index.partsLeft()).isZero();
            assertThat(engine.retries()).isEmpty();
            assertSame(engine);
        }
    }
}
