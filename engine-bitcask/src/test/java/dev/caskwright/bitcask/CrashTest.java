package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.BACKUP;
import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.RandomHistory;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Crashes at every call of random lives of a store, in many ways each, and has a model judge what is found afterwards.
 *
 * <p>Before each call to the disk, images of it are taken: as a kill leaves it, and as power losses may. Each image is
 * opened, judged, written to and lost once more. Some are opened with images taken at every call of the recovery, too.
 * {@code -Dcaskwright.crash.seeds} sets how many lives the campaign tries, from {@code -Dcaskwright.crash.firstSeed} on.
 */
final class CrashTest {
    private static final int STEPS = 60;
    private static final byte[] NEXT = KeyValues.bytes("next");

    @Test
    void shortLivesSurviveEveryCrash() throws IOException {
        long states = 0;
        long images = 0;
        for (int seed = 0; seed < 7; seed++) {
            Life life = new Life(seed, STEPS, 6, 40);
            states += life.live();
            images += life.openedFromImages;
        }
        assertThat(states).isGreaterThan(5_000);
        assertThat(images).isGreaterThan(1_000);
    }

    @Test
    @Tag("campaign")
    void manyLivesSurviveEveryCrash() throws IOException {
        long first = Long.getLong("caskwright.crash.firstSeed", 1_000);
        long seeds = Long.getLong("caskwright.crash.seeds", 200);
        long states = 0;
        long images = 0;
        for (long seed = first; seed < first + seeds; seed++) {
            Life life = new Life(seed, 150, 12, 25);
            states += life.live();
            images += life.openedFromImages;
            System.out.println("crash campaign: seeds=" + first + ".." + seed + ", states judged=" + states
                    + ", opened from images=" + images);
        }
    }

    /** One random life of a store. */
    private static final class Life {
        private final long seed;
        private final int steps;
        private final int images;
        private final int recoveryEvery;
        private final long maxFileBytes;
        private final long imageEveryBytes;
        private final Random random;
        private final ManualClock clock = new ManualClock();
        private final StoreModel model;
        private final RandomHistory history;
        private final CrashableIoManager disk;
        private final List<NavigableMap<byte[], Entry>> backups = new ArrayList<>();
        private final Deque<Runnable> background = new ArrayDeque<>();
        private final boolean hasBackground;
        private final boolean hasSmallImages;
        private @Nullable BitcaskEngine current;
        private boolean isBackupDone;
        private boolean isWritingBesideSaves;
        private long states;
        private long openedFromImages;

        Life(long seed, int steps, int images, int recoveryEvery) {
            this.seed = seed;
            this.steps = steps;
            this.images = images;
            this.recoveryEvery = recoveryEvery;
            this.random = new Random(~seed);
            this.hasBackground = random.nextBoolean();
            this.hasSmallImages = random.nextInt(3) != 0;
            this.maxFileBytes = random.nextInt(3) == 0 ? 400 + random.nextInt(3_000) : CrashFixture.SMALL_FILES;
            this.imageEveryBytes = random.nextInt(4) == 0 ? Long.MAX_VALUE : 1 + random.nextInt(2_000);
            this.model = new StoreModel(Durability.WRITE, clock);
            this.history = new RandomHistory(seed, model, clock)
                    .keys(2 + random.nextInt(50))
                    .values(random.nextBoolean() ? 30 : 300, false);
            this.disk = new CrashableIoManager().mapped(random.nextBoolean()).logging(false);
        }

        long live() throws IOException {
            disk.observer(this::crashBefore);
            backups.add(KeyValues.newMap());
            BitcaskEngine engine = openForLife();
            for (int i = 0; i < steps; i++) {
                if (random.nextInt(3) == 0) {
                    runBackground();
                }
                int choice = random.nextInt(100);
                if (choice < 4) {
                    history.forgetSnapshots();
                    engine.close();
                    engine = openForLife();
                    model.reopened(CrashFixture.content(engine));
                } else if (choice < 7) {
                    backup(engine);
                } else {
                    history.step(engine);
                }
            }
            model.assertCurrent(CrashFixture.content(engine));
            if (engine.health() != null) {
                throw new AssertionError(history + ": " + engine.health(), engine.health());
            }
            engine.close();
            crashBefore(null);
            return states;
        }

        /** Opens the store, sometimes with sealing and merges of chosen files between the steps. */
        private BitcaskEngine openForLife() throws IOException {
            if (!hasBackground) {
                return open(disk);
            }
            background.clear();
            BitcaskEngine engine = builder(disk)
                    .index(context -> hasSmallImages ? new SmallImageIndex(this::write) : new HashKeyIndex(context))
                    .executor(background::add)
                    .autoMerge(true)
                    .maxSpaceAmplification(1.2)
                    .open();
            current = engine;
            return engine;
        }

        /** Writes while an image is being saved in the background, now and then. */
        private void write() throws IOException {
            BitcaskEngine engine = current;
            if (isWritingBesideSaves && engine != null && random.nextInt(4) == 0) {
                history.merging(false);
                history.step(engine);
                history.merging(true);
            }
        }

        private void runBackground() {
            isWritingBesideSaves = true;
            runAll();
            isWritingBesideSaves = false;
        }

        private void runAll() {
            while (!background.isEmpty()) {
                background.remove().run();
            }
        }

        private BitcaskEngine open(CrashableIoManager onto) throws IOException {
            return builder(onto).open();
        }

        private EngineBuilder builder(CrashableIoManager onto) {
            return CrashFixture.builder(HOME, onto.factory(HOME), clock)
                    .index(context -> hasSmallImages ? new SmallImageIndex(() -> {}) : new HashKeyIndex(context))
                    .imageEveryBytes(imageEveryBytes)
                    .maxFileBytes(maxFileBytes);
        }

        private void backup(BitcaskEngine engine) throws IOException {
            backups.add(CrashFixture.content(engine));
            isBackupDone = false;
            engine.backup(BACKUP);
            backups.subList(0, backups.size() - 1).clear();
            isBackupDone = true;
        }

        private void crashBefore(IoCall call) {
            String place = "seed=" + seed + ", " + history + ", " + call;
            try {
                for (int image = 0; image < images; image++) {
                    long imageSeed = image < 5 && random.nextInt(4) != 0 ? image : random.nextLong(5, Long.MAX_VALUE);
                    judgePowerLoss(place + ", image=" + imageSeed, imageSeed);
                }
                judgeKill(place + ", killed");
            } catch (IOException | RuntimeException e) {
                throw new AssertionError(place, e);
            }
        }

        private void judgePowerLoss(String place, long imageSeed) throws IOException {
            states++;
            model.context(place);
            CrashableIoManager image = disk.peekPowerLoss(imageSeed);
            NavigableMap<byte[], Entry> found = recover(place, image);
            model.assertPossibleAfterPowerLoss(found);
            // Either the first recovery goes on to write, or a second one.
            loseAgain(place, random.nextBoolean() ? image : disk.peekPowerLoss(imageSeed), imageSeed, found);
            judgeBackup(place, disk.peekPowerLoss(imageSeed));
            if (random.nextInt(recoveryEvery) == 0) {
                crashInRecovery(place, disk.peekPowerLoss(imageSeed), found);
            }
        }

        private void judgeKill(String place) throws IOException {
            states++;
            model.context(place);
            CrashableIoManager image = disk.peekKill();
            NavigableMap<byte[], Entry> found = recover(place, image);
            model.assertPossibleAfterKill(found);
            // What recovery accepted is durable when open returns, although much of it came from the page cache.
            CrashableIoManager lost = image.peekPowerLoss(0);
            assertSame(place + ", then power lost", found, recover(place, lost));
            loseAgain(place, random.nextBoolean() ? image : disk.peekKill(), random.nextLong(), found);
            if (random.nextInt(recoveryEvery) == 0) {
                crashInRecoveryAfterKill(place, disk.peekKill());
            }
        }

        private NavigableMap<byte[], Entry> recover(String place, CrashableIoManager image) {
            try {
                CrashableIoManager copy = random.nextInt(6) == 0 ? image.peekKill() : null;
                BitcaskEngine engine = open(image);
                if (engine.stats().openedFromImage()) {
                    openedFromImages++;
                    if (copy != null) {
                        assertSameFigures(engine.stats(), replayed(copy));
                    }
                }
                return CrashFixture.content(engine);
            } catch (IOException | RuntimeException | AssertionError e) {
                throw new AssertionError(place + ": " + e, e);
            }
        }

        /** An image and the rest of the log lead to what the whole log leads to. */
        private void assertSameFigures(EngineStats found, EngineStats replayed) {
            assertThat(found.keys()).isEqualTo(replayed.keys());
            assertThat(found.liveBytes()).isEqualTo(replayed.liveBytes());
            assertThat(found.deadBytes()).isEqualTo(replayed.deadBytes());
            assertThat(found.lastVersion()).isEqualTo(replayed.lastVersion());
            assertThat(found.tornBytesCut()).isEqualTo(replayed.tornBytesCut());
        }

        private EngineStats replayed(CrashableIoManager image) throws IOException {
            return builder(image).imageEveryBytes(0).open().stats();
        }

        /** Writes to a recovered store, loses the power again, and looks at what is there: nothing that was dropped. */
        private void loseAgain(
                String place, CrashableIoManager image, long imageSeed, NavigableMap<byte[], Entry> found)
                throws IOException {
            CrashableIoManager next = image.kill();
            BitcaskEngine engine = open(next);
            if (imageSeed % 3 == 0) {
                engine.merge();
            }
            // Without a force after it, not even the deletions of the recovery may have reached the disk.
            boolean isSynced = random.nextInt(4) != 0;
            if (isSynced) {
                engine.put(NEXT, NEXT, WriteOptions.SYNC);
            }
            engine.put(NEXT, NEXT, WriteOptions.NONE);
            NavigableMap<byte[], Entry> later = recover(place + ", second", next.powerLoss(imageSeed));
            Entry written = later.remove(NEXT);
            if (isSynced) {
                assertThat(written).as("%s: written after recovery", place).isNotNull();
            }
            assertSame(place + ", second", found, later);
        }

        /** A recovery from a power loss gives the same however often it is cut short. */
        private void crashInRecovery(String place, CrashableIoManager image, NavigableMap<byte[], Entry> found)
                throws IOException {
            image.observer(call -> {
                for (int again = 0; again < 3; again++) {
                    states++;
                    long imageSeed = random.nextBoolean() ? again : random.nextLong(5, Long.MAX_VALUE);
                    String inner = place + ", in recovery " + call + ", image=" + imageSeed;
                    assertSame(inner, found, recover(inner, image.peekPowerLoss(imageSeed)));
                }
                states++;
                assertSame(place, found, recover(place + ", killed in recovery " + call, image.peekKill()));
            });
            open(image).close();
        }

        private void crashInRecoveryAfterKill(String place, CrashableIoManager image) throws IOException {
            image.observer(call -> {
                states += 2;
                long imageSeed = random.nextLong(Long.MAX_VALUE);
                String inner = place + ", in recovery " + call + ", image=" + imageSeed;
                model.context(inner);
                model.assertPossibleAfterPowerLoss(recover(inner, image.peekPowerLoss(imageSeed)));
                inner = place + ", killed in recovery " + call;
                model.context(inner);
                model.assertPossibleAfterKill(recover(inner, image.peekKill()));
            });
            open(image).close();
        }

        private void judgeBackup(String place, CrashableIoManager image) throws IOException {
            NavigableMap<byte[], Entry> found = KeyValues.newMap();
            if (image.factory(HOME).open(BACKUP, true).list().contains("MANIFEST")) {
                try {
                    found = CrashFixture.content(CrashFixture.builder(BACKUP, image.factory(HOME), clock)
                            .open());
                } catch (IOException e) {
                    throw new AssertionError(place + ", backup: " + e, e);
                }
            }
            int first = isBackupDone ? backups.size() - 1 : 0;
            for (int i = first; i < backups.size(); i++) {
                if (CrashFixture.isSame(unexpired(backups.get(i)), found)) {
                    return;
                }
            }
            throw new AssertionError(place + ": the backup holds what the store never was, keys=" + found.size());
        }

        private NavigableMap<byte[], Entry> unexpired(NavigableMap<byte[], Entry> entries) {
            NavigableMap<byte[], Entry> left = KeyValues.newMap();
            left.putAll(entries);
            left.values()
                    .removeIf(entry ->
                            entry.expiresAtMillis() != Entry.NEVER && entry.expiresAtMillis() <= clock.millis());
            return left;
        }

        private static void assertSame(
                String place, NavigableMap<byte[], Entry> expected, NavigableMap<byte[], Entry> found) {
            if (!CrashFixture.isSame(expected, found)) {
                throw new AssertionError(place + ": two recoveries differ: first=" + expected.size() + " entries "
                        + expected.values() + ", then=" + found.size() + " " + found.values());
            }
        }
    }
}
