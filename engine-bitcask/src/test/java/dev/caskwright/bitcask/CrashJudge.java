package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.BACKUP;
import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.StoreModel;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.NavigableMap;
import java.util.Random;
import java.util.function.Function;

/**
 * Takes images of a store's disk as crashes leave it, and has a model judge what is found in them. Each image is opened,
 * judged, written to and lost once more. Some are opened with images taken at every call of the recovery, too.
 */
final class CrashJudge {
    private static final byte[] NEXT = KeyValues.bytes("next");

    private final CrashableIoManager disk;
    private final StoreModel model;
    private final ManualClock clock;
    private final Random random;
    private final int recoveryEvery;
    private final Function<CrashableIoManager, EngineBuilder> builder;
    private final List<NavigableMap<byte[], Entry>> backups = new ArrayList<>(List.of(KeyValues.newMap()));
    private boolean isBackupDone;
    private long states;
    private long openedFromImages;

    /**
     * @param recoveryEvery of how many images the recovery of one is crashed, too
     * @param builder how a store is opened on an image
     */
    CrashJudge(
            CrashableIoManager disk,
            StoreModel model,
            ManualClock clock,
            Random random,
            int recoveryEvery,
            Function<CrashableIoManager, EngineBuilder> builder) {
        this.disk = disk;
        this.model = model;
        this.clock = clock;
        this.random = random;
        this.recoveryEvery = recoveryEvery;
        this.builder = builder;
    }

    /** Returns how many images were judged. */
    long states() {
        return states;
    }

    /** Returns how many of them were opened from an image of the index. */
    long openedFromImages() {
        return openedFromImages;
    }

    /** Makes a backup, during which there may be the last one, none or this one. */
    void backup(BitcaskEngine engine) throws IOException {
        backups.add(CrashFixture.content(engine));
        isBackupDone = false;
        engine.backup(BACKUP);
        backups.subList(0, backups.size() - 1).clear();
        isBackupDone = true;
    }

    void judgePowerLoss(String place, long imageSeed) throws IOException {
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

    void judgeKill(String place) throws IOException {
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
            if (engine.stats().opening().fromImage()) {
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
        assertThat(found.space().liveBytes()).isEqualTo(replayed.space().liveBytes());
        assertThat(found.space().deadBytes()).isEqualTo(replayed.space().deadBytes());
        assertThat(found.lastVersion()).isEqualTo(replayed.lastVersion());
        assertThat(found.opening().tornBytesCut()).isEqualTo(replayed.opening().tornBytesCut());
    }

    private EngineStats replayed(CrashableIoManager image) throws IOException {
        return builder.apply(image).imageEveryBytes(0).open().stats();
    }

    /** Writes to a recovered store, loses the power again, and looks at what is there: nothing that was dropped. */
    private void loseAgain(String place, CrashableIoManager image, long imageSeed, NavigableMap<byte[], Entry> found)
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
                        .encryption(Encryption.reading(EncryptionTest::key)) // if it is encrypted
                        .open());
            } catch (IOException e) {
                boolean saysSo = !isBackupDone && String.valueOf(e.getMessage()).contains("was cut short");
                if (!saysSo || !backups.get(0).isEmpty()) {
                    throw new AssertionError(place + ", backup: " + e, e);
                }
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
                .removeIf(entry -> entry.expiresAtMillis() != Entry.NEVER && entry.expiresAtMillis() <= clock.millis());
        return left;
    }

    private static void assertSame(
            String place, NavigableMap<byte[], Entry> expected, NavigableMap<byte[], Entry> found) {
        if (!CrashFixture.isSame(expected, found)) {
            throw new AssertionError(place + ": two recoveries differ: first=" + expected.size() + " entries "
                    + expected.values() + ", then=" + found.size() + " " + found.values());
        }
    }

    private BitcaskEngine open(CrashableIoManager onto) throws IOException {
        return builder.apply(onto).open();
    }
}
