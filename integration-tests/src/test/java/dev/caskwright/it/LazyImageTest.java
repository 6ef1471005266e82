package dev.caskwright.it;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.index.KeyIndexContext;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.index.compact.CompactKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Queue;
import java.util.Random;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;

/**
 * Stores whose index is loaded from its image behind them: whatever part is missing, damaged or just being loaded, every
 * answer is right.
 */
final class LazyImageTest {
    private static final Path HOME = Path.of("store");
    /** Enough for an image that is loaded in several parts. */
    private static final int KEYS = 60_000;

    private static final int REMOVED = 7;
    private static final int CHANGED = 11;

    private CrashableIoManager closed = new CrashableIoManager();

    private static byte[] key(int number) {
        return ByteBuffer.allocate(12)
                .putInt(number * 0x9E3779B9)
                .putInt(number)
                .array();
    }

    private static byte[] value(int number, int version) {
        return ByteBuffer.allocate(8).putInt(number).putInt(version).array();
    }

    private static EngineBuilder builder(CrashableIoManager disk, Executor executor) {
        return BitcaskEngine.builder(HOME)
                .index(CompactKeyIndex::new)
                .io(disk.factory(HOME))
                .executor(executor)
                .autoMerge(false)
                .maxFileBytes(256 << 10);
    }

    @BeforeEach
    void makeStore() throws IOException {
        closed = new CrashableIoManager().logging(false);
        try (BitcaskEngine engine = builder(closed, Runnable::run).open()) {
            for (int i = 0; i < KEYS; i++) {
                engine.put(key(i), value(i, 1));
            }
            for (int i = 0; i < KEYS; i += REMOVED) {
                engine.delete(key(i));
            }
        }
    }

    /** Writes what a store that is killed then leaves behind its image. */
    private static CrashableIoManager killedAfterChanges(CrashableIoManager disk) throws IOException {
        BitcaskEngine engine =
                builder(disk, Runnable::run).imageEveryBytes(Long.MAX_VALUE).open();
        for (int i = 0; i < KEYS; i += CHANGED) {
            engine.put(key(i), value(i, 2));
        }
        for (int i = 1; i < KEYS; i += CHANGED) {
            engine.delete(key(i));
        }
        return disk.kill();
    }

    private static byte[] expected(int number, boolean isChanged) {
        if (isChanged && number % CHANGED == 0) {
            return value(number, 2);
        }
        boolean isThere = number % REMOVED != 0 && !(isChanged && number % CHANGED == 1);
        return isThere ? value(number, 1) : new byte[0];
    }

    private static void assertHolds(BitcaskEngine engine, boolean isChanged, int step, String story)
            throws IOException {
        for (int i = 0; i < KEYS; i += step) {
            byte[] found = engine.get(key(i));
            assertThat(found == null ? new byte[0] : found)
                    .as("%s, key=%d", story, i)
                    .isEqualTo(expected(i, isChanged));
        }
        for (int i = KEYS; i < KEYS + 100; i++) {
            assertThat(engine.contains(key(i))).as(story).isFalse();
        }
    }

    private static void assertSame(EngineStats found, EngineStats expected, String story) {
        assertThat(found.keys()).as(story).isEqualTo(expected.keys());
        assertThat(found.space().liveBytes())
                .as(story)
                .isEqualTo(expected.space().liveBytes());
        assertThat(found.space().deadBytes())
                .as(story)
                .isEqualTo(expected.space().deadBytes());
        assertThat(found.lastVersion()).as(story).isEqualTo(expected.lastVersion());
    }

    private static String imageName(CrashableIoManager disk) throws IOException {
        return disk.factory(HOME).open(HOME, false).list().stream()
                .filter(name -> name.endsWith(".image"))
                .findFirst()
                .orElseThrow();
    }

    private static void flip(CrashableIoManager disk, int place) throws IOException {
        byte[] image = disk.content(imageName(disk));
        image[Math.floorMod(place, image.length)] ^= 0x10;
        disk.install(imageName(disk), image);
    }

    private EngineStats replayed(CrashableIoManager disk) throws IOException {
        try (BitcaskEngine engine = builder(disk.peekKill(), Runnable::run)
                .imageEveryBytes(0)
                .readOnly(true)
                .open()) {
            return engine.stats();
        }
    }

    @Test
    void noThreadInTheBackgroundIsNeeded() throws IOException {
        EngineStats expected = replayed(closed);
        CrashableIoManager disk = closed.peekKill();
        Queue<Runnable> held = new ArrayDeque<>();
        try (BitcaskEngine engine = builder(disk, held::add).open()) {
            assertThat(engine.stats().opening().fromImage()).isTrue();
            assertSame(engine.stats(), expected, "nothing loaded");
            assertThat(engine.stats().memory().indexBytes())
                    .isLessThan(expected.memory().indexBytes() / 2);
            assertThat(engine.get(key(1))).isEqualTo(value(1, 1));
            try (Snapshot snapshot = engine.snapshot()) {
                engine.put(key(1), value(1, 2));
                assertThat(snapshot.get(key(1))).isEqualTo(value(1, 1));
            }
            engine.put(key(1), value(1, 1));
            assertHolds(engine, false, 1, "after a put");
        }
        try (BitcaskEngine engine = builder(disk, held::add).open()) {
            engine.merge();
            assertHolds(engine, false, 1, "merged");
            assertThat(engine.stats().space().deadBytes()).isZero();
        }
        try (BitcaskEngine engine = builder(disk, held::add).open()) {
            assertHolds(engine, false, 1, "at last");
        }
    }

    @Test
    void aDamagedImageGivesRightAnswersAndIsSavedAnew() throws IOException {
        EngineStats expected = replayed(closed);
        long seed = 7;
        Random random = new Random(seed);
        int length = closed.content(imageName(closed)).length;
        int opened = 0;
        for (int round = 0; round < 36; round++) {
            int place = round < 4 ? 62 + round : round < 8 ? -1 - 3000 * (round - 4) : random.nextInt(length);
            String story = "seed=" + seed + ", place=" + place;
            CrashableIoManager disk = closed.peekKill().logging(false);
            flip(disk, place);
            Queue<Runnable> held = new ArrayDeque<>();
            Executor executor = round % 2 == 0 ? Runnable::run : held::add;
            try (BitcaskEngine engine = builder(disk, executor).open()) {
                opened += engine.stats().opening().fromImage() ? 1 : 0;
                assertHolds(engine, false, round % 3 == 0 ? 1 : 17, story);
                assertSame(engine.stats(), expected, story);
                if (round % 4 < 2) {
                    engine.put(key(1), value(1, 1));
                }
                assertThat(engine.health()).as(story).isNull();
            }
            VerifyReport report = BitcaskEngine.verify(HOME, disk.factory(HOME));
            assertThat(report.damages()).as(story).isEmpty();
            try (BitcaskEngine engine = builder(disk, held::add).open()) {
                assertThat(engine.stats().opening().fromImage()).as(story).isTrue();
                assertHolds(engine, false, 17, story);
            }
        }
        assertThat(opened).as("damage found after the opening").isGreaterThan(12);
    }

    /** Files that a merge wrote have numbers beyond the last record that was there before: an image covers them all the same. */
    @Test
    void aDamagedImageThatWasSavedRightAfterAMergeGivesRightAnswers() throws IOException {
        CrashableIoManager merged = closed.peekKill().logging(false);
        try (BitcaskEngine engine = builder(merged, Runnable::run).open()) {
            engine.merge();
        }
        long seed = 9;
        Random random = new Random(seed);
        int length = merged.content(imageName(merged)).length;
        int opened = 0;
        for (int round = 0; round < 12; round++) {
            int place = random.nextInt(length);
            String story = "seed=" + seed + ", place=" + place;
            CrashableIoManager disk = merged.peekKill().logging(false);
            flip(disk, place);
            try (BitcaskEngine engine = builder(disk, Runnable::run).open()) {
                opened += engine.stats().opening().fromImage() ? 1 : 0;
                assertHolds(engine, false, round % 3 == 0 ? 1 : 17, story);
                engine.merge();
                assertHolds(engine, false, 17, story + ", merged");
                assertThat(engine.retries()).as(story).isEmpty();
            }
        }
        assertThat(opened).as("damage found after the opening").isPositive();
    }

    @Test
    void aTailIsReplayedOverADamagedImage() throws IOException {
        CrashableIoManager killed = killedAfterChanges(closed);
        EngineStats expected = replayed(killed);
        Random random = new Random(8);
        int length = killed.content(imageName(killed)).length;
        for (int round = 0; round < 16; round++) {
            int place = random.nextInt(length);
            CrashableIoManager disk = killed.peekKill().logging(false);
            if (round > 0) {
                flip(disk, place);
            }
            Queue<Runnable> held = new ArrayDeque<>();
            try (BitcaskEngine engine =
                    builder(disk, round % 4 == 0 ? Runnable::run : held::add).open()) {
                if (round % 4 != 3) {
                    assertHolds(engine, true, round % 3 == 0 ? 1 : 17, "place=" + place);
                    assertSame(engine.stats(), expected, "place=" + place);
                }
                engine.merge();
                assertHolds(engine, true, 17, "merged, place=" + place);
            }
        }
    }

    /** An index that lets something happen while it is saved. */
    private static final class SlowlySavedIndex implements PersistentKeyIndex {
        private final CompactKeyIndex index;
        private final Runnable meanwhile;

        SlowlySavedIndex(CompactKeyIndex index, Runnable meanwhile) {
            this.index = index;
            this.meanwhile = meanwhile;
        }

        @Override
        public long get(byte[] key, int offset, int length) throws IOException {
            return index.get(key, offset, length);
        }

        @Override
        public long put(byte[] key, int offset, int length, long locator) throws IOException {
            return index.put(key, offset, length, locator);
        }

        @Override
        public long putIfAbsent(byte[] key, int offset, int length, long locator) throws IOException {
            return index.putIfAbsent(key, offset, length, locator);
        }

        @Override
        public boolean replace(byte[] key, int offset, int length, long expected, long locator) throws IOException {
            return index.replace(key, offset, length, expected, locator);
        }

        @Override
        public boolean remove(byte[] key, int offset, int length, long expected) throws IOException {
            return index.remove(key, offset, length, expected);
        }

        @Override
        public long size() {
            return index.size();
        }

        @Override
        public long memoryBytes() {
            return index.memoryBytes();
        }

        @Override
        public String imageFormat() {
            return index.imageFormat();
        }

        @Override
        public void save(ImageSink sink) throws IOException {
            index.save((source, offset, length) -> {
                sink.write(source, offset, length);
                meanwhile.run();
            });
        }

        @Override
        public boolean load(Image image, Refill refill) throws IOException {
            return index.load(image, refill);
        }

        @Override
        public boolean loadMore() throws IOException {
            return index.loadMore();
        }

        @Override
        public void ensureRoom(int keys) throws IOException {
            index.ensureRoom(keys);
        }

        @Override
        public void close() throws IOException {
            index.close();
        }
    }

    /** Leaves a store whose last image was saved while others changed keys and removed them, and that was then killed. */
    private CrashableIoManager killedAfterSavingBesideChanges() throws IOException {
        CrashableIoManager disk = closed.peekKill();
        Random random = new Random(9);
        AtomicReference<BitcaskEngine> writer = new AtomicReference<>();
        Queue<Runnable> held = new ArrayDeque<>();
        BitcaskEngine engine = builder(disk, held::add)
                .imageEveryBytes(1)
                .index(context -> new SlowlySavedIndex(
                        new CompactKeyIndex(context), () -> change(writer.get(), random.nextInt(1 << 20), 4)))
                .open();
        held.forEach(Runnable::run);
        held.clear();
        long saved = engine.stats().images().saved();
        while (engine.stats().images().saved() == saved) {
            change(engine, random.nextInt(1 << 20), 4);
            writer.set(engine);
            for (Runnable task = held.poll(); task != null; task = held.poll()) {
                task.run();
            }
        }
        change(engine, 5, 2_000);
        return disk.kill();
    }

    private static void change(BitcaskEngine engine, int seed, int count) {
        Random random = new Random(seed);
        try {
            for (int i = 0; i < count; i++) {
                byte[] key = key(random.nextInt(KEYS + KEYS / 10));
                if (random.nextInt(3) == 0) {
                    engine.delete(key);
                } else {
                    engine.put(key, value(seed, i));
                }
            }
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void changesFromTheTimeOfSavingArePutWhenTheirPartIsLoaded() throws IOException {
        CrashableIoManager killed = killedAfterSavingBesideChanges();
        NavigableMap<byte[], Entry> expected;
        try (BitcaskEngine engine =
                builder(killed.peekKill(), Runnable::run).imageEveryBytes(0).open()) {
            expected = KeyValues.entries(engine);
        }
        for (int round = 0; round < 6; round++) {
            CrashableIoManager disk = killed.peekKill();
            if (round % 2 == 1) {
                flip(disk, 5_000 * round);
            }
            Queue<Runnable> held = new ArrayDeque<>();
            try (BitcaskEngine engine =
                    builder(disk, round < 2 ? Runnable::run : held::add).open()) {
                assertThat(engine.stats().opening().fromImage()).isTrue();
                NavigableMap<byte[], Entry> found = KeyValues.entries(engine);
                assertThat(found.keySet()).as("round=%d", round).hasSameSizeAs(expected.keySet());
                for (Map.Entry<byte[], Entry> each : expected.entrySet()) {
                    assertThat(engine.get(each.getKey()))
                            .as("round=%d", round)
                            .isEqualTo(each.getValue().value());
                }
                assertSame(engine.stats(), replayed(killed), "round=" + round);
            }
        }
    }

    @Test
    void openingBehindAnImageChangesNoIndexUntilItIsNeeded() throws IOException {
        CrashableIoManager killed = killedAfterChanges(closed);
        EngineStats expected = replayed(killed);
        AtomicReference<KeyIndex> index = new AtomicReference<>();
        Queue<Runnable> held = new ArrayDeque<>();
        try (BitcaskEngine engine = builder(killed, held::add)
                .index(context -> {
                    index.set(new CompactKeyIndex(context));
                    return index.get();
                })
                .open()) {
            long opened = index.get().memoryBytes();
            assertThat(opened).isLessThan(expected.memory().indexBytes() / 10);
            assertThat(engine.get(key(0))).isEqualTo(value(0, 2));
            assertThat(index.get().memoryBytes())
                    .isGreaterThan(opened)
                    .isLessThan(expected.memory().indexBytes() * 3 / 4);
            assertThat(engine.size()).isEqualTo(expected.keys());
            assertSame(engine.stats(), expected, "all loaded");
        }
    }

    @Test
    void aTailThatCannotBePutIsTriedAgainAndCountedOnce() throws IOException {
        CrashableIoManager killed = killedAfterChanges(closed);
        EngineStats expected = replayed(killed);
        for (int round = 0; round < 3; round++) {
            CrashableIoManager disk = killed.peekKill().logging(false);
            if (round == 2) {
                flip(disk, 100);
            }
            AtomicInteger comparisons = new AtomicInteger();
            int failing = 4 + round;
            int every = 1_500;
            Queue<Runnable> held = new ArrayDeque<>();
            try (BitcaskEngine engine = builder(disk, held::add)
                    .index(context -> new CompactKeyIndex(new KeyIndexContext(
                            context.expectedKeys(),
                            context.expectedKeyLength(),
                            context.seed(),
                            (key, offset, length, locator) -> {
                                int number = comparisons.incrementAndGet();
                                if (number % every == 0 && number / every <= failing) {
                                    throw new IOException("planted");
                                }
                                return context.matcher().matches(key, offset, length, locator);
                            })))
                    .open()) {
                int failed = 0;
                for (int tries = 0; tries < 20; tries++) {
                    try {
                        engine.get(key(tries));
                        engine.put(key(0), value(0, 2));
                        break;
                    } catch (IOException e) {
                        failed++;
                    }
                }
                assertThat(failed).as("round=%d", round).isPositive();
                assertHolds(engine, true, 1, "round=" + round);
                assertThat(engine.stats().keys()).isEqualTo(expected.keys());
                // One more record, in the place of one that is as long.
                assertThat(engine.stats().space().liveBytes())
                        .isEqualTo(expected.space().liveBytes());
            }
        }
    }

    @Test
    void readersBesideTheLoadingOfADamagedImageAreRight() throws Exception {
        int length = closed.content(imageName(closed)).length;
        ExecutorService threads = Executors.newFixedThreadPool(5);
        try {
            for (int round = 0; round < 12; round++) {
                CrashableIoManager disk = closed.peekKill().logging(false);
                if (round % 4 != 0) {
                    flip(disk, (int) (length * (round + 0.5) / 12));
                }
                try (BitcaskEngine engine = builder(disk, threads::execute).open()) {
                    CountDownLatch start = new CountDownLatch(1);
                    List<CompletableFuture<?>> calls = new ArrayList<>();
                    for (int i = 0; i < 3; i++) {
                        int first = i;
                        calls.add(CompletableFuture.runAsync(() -> {
                            try {
                                start.await();
                                for (int k = first; k < KEYS; k += 13) {
                                    byte[] found = engine.get(key(k));
                                    assertThat(found == null ? new byte[0] : found)
                                            .isEqualTo(expected(k, false));
                                }
                                engine.put(KeyValues.key(first), value(first, 1));
                            } catch (IOException | InterruptedException e) {
                                throw new AssertionError(e);
                            }
                        }));
                    }
                    start.countDown();
                    for (CompletableFuture<?> call : calls) {
                        call.get();
                    }
                    assertThat(engine.health()).isNull();
                }
            }
        } finally {
            threads.shutdown();
        }
    }

    @Test
    void closingDoesNotWaitForTheImage() throws IOException {
        CrashableIoManager disk = closed.peekKill();
        for (int round = 0; round < 3; round++) {
            Queue<Runnable> held = new ArrayDeque<>();
            BitcaskEngine engine = builder(disk, held::add).open();
            engine.close();
            // What comes when the store is closed touches nothing.
            held.forEach(Runnable::run);
        }
        try (BitcaskEngine engine = builder(disk, Runnable::run).open()) {
            assertThat(engine.stats().opening().fromImage()).isTrue();
            assertHolds(engine, false, 17, "closed three times");
        }
    }

    @Test
    void whatTheLogCannotGiveEitherIsAnError() throws IOException {
        CrashableIoManager disk = closed.peekKill().logging(false);
        flip(disk, 100); // the first of several parts
        String data = "";
        for (String name : disk.factory(HOME).open(HOME, false).list()) {
            if (name.endsWith(".hint")) {
                byte[] hints = disk.content(name);
                hints[hints.length / 2] ^= 1;
                disk.install(name, hints);
                data = name.replace(".hint", ".data");
            }
        }
        byte[] records = disk.content(data);
        records[records.length / 2] ^= 1;
        disk.install(data, records);
        Queue<Runnable> held = new ArrayDeque<>();
        try (BitcaskEngine engine = builder(disk, held::add).open()) {
            int right = 0;
            int refused = 0;
            for (int i = 0; i < KEYS; i += 17) {
                try {
                    byte[] found = engine.get(key(i));
                    assertThat(found == null ? new byte[0] : found).isEqualTo(expected(i, false));
                    right++;
                } catch (CorruptRecordException e) {
                    refused++;
                }
            }
            assertThat(right).isPositive();
            assertThat(refused).isPositive();
            assertThatThrownBy(() -> engine.put(key(1), value(1, 5))).isInstanceOf(CorruptRecordException.class);
            assertThat(engine.health()).isNull();
        }
    }
}
