package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.NavigableMap;
import java.util.SplittableRandom;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Images of the key index: with one, or with the whole log, a store is opened to the same state; and only the one that was
 * saved last with this very store is believed.
 */
final class ImageTest {
    private static final KeyIndexFactory SMALL = context -> new SmallImageIndex(() -> {});

    private final ManualClock clock = new ManualClock();
    private CrashableIoManager disk = new CrashableIoManager();
    private SplittableRandom random = new SplittableRandom(7);

    private EngineBuilder builder(CrashableIoManager onto) {
        return CrashFixture.builder(HOME, onto.factory(HOME), clock).random(() -> random.nextLong());
    }

    private BitcaskEngine open(KeyIndexFactory index) throws IOException {
        return builder(disk).index(index).open();
    }

    private static byte[] bytes(String text) {
        return KeyValues.bytes(text);
    }

    private void write(BitcaskEngine engine, int from, int to) throws IOException {
        for (int i = from; i < to; i++) {
            engine.put(KeyValues.key(i % 23), bytes("value " + i));
            if (i % 5 == 0) {
                engine.delete(KeyValues.key((i + 3) % 23));
            }
            if (i % 7 == 0) {
                engine.put(
                        KeyValues.key(100 + i),
                        bytes("short-lived"),
                        WriteOptions.DEFAULT.timeToLive(Duration.ofMinutes(1)));
                engine.write(
                        new WriteBatch()
                                .put(KeyValues.key(50 + i), bytes("b" + i))
                                .delete(KeyValues.key(i % 23)),
                        WriteOptions.DEFAULT);
            }
        }
    }

    private @Nullable String imageName(CrashableIoManager onto) throws IOException {
        return onto.factory(HOME).open(HOME, false).list().stream()
                .filter(name -> name.endsWith(".image"))
                .reduce((one, other) -> {
                    throw new AssertionError("two images: " + one + ", " + other);
                })
                .orElse(null);
    }

    /** Opens a copy of a disk with and without its image, and checks that both are the same; returns how. */
    private EngineStats assertSameAsReplayed(CrashableIoManager image, KeyIndexFactory index) throws IOException {
        CrashableIoManager copy = image.peekKill();
        BitcaskEngine replayed =
                builder(image.peekKill()).index(index).imageEveryBytes(0).open();
        BitcaskEngine engine = builder(copy).index(index).open();
        assertThat(CrashFixture.isSame(CrashFixture.content(replayed), CrashFixture.content(engine)))
                .isTrue();
        assertThat(replayed.stats().opening().fromImage()).isFalse();
        EngineStats found = engine.stats();
        EngineStats expected = replayed.stats();
        assertThat(found.keys()).isEqualTo(expected.keys());
        assertThat(found.space().files()).isEqualTo(expected.space().files());
        assertThat(found.space().liveBytes()).isEqualTo(expected.space().liveBytes());
        assertThat(found.space().deadBytes()).isEqualTo(expected.space().deadBytes());
        assertThat(found.lastVersion()).isEqualTo(expected.lastVersion());
        // They also go on alike.
        for (BitcaskEngine each : new BitcaskEngine[] {engine, replayed}) {
            each.merge();
            each.delete(KeyValues.key(1));
            each.put(KeyValues.key(2), bytes("later"));
        }
        assertThat(CrashFixture.isSame(CrashFixture.content(replayed), CrashFixture.content(engine)))
                .isTrue();
        assertThat(engine.stats().space().liveBytes())
                .isEqualTo(replayed.stats().space().liveBytes());
        assertThat(engine.health()).isNull();
        return found;
    }

    @Test
    void theImageOfAStoreThatWasOnlyRecoveredCoversItAll() throws IOException {
        // The log's end was noted as the beginning of its last file, which then was replayed at each opening.
        write(open(SMALL), 0, 30);
        disk = disk.kill();
        BitcaskEngine engine = open(SMALL);
        assertThat(engine.stats().opening().replayedRecords()).isPositive();
        engine.close();
        EngineStats stats = assertSameAsReplayed(disk, SMALL);
        assertThat(stats.opening().fromImage()).isTrue();
        assertThat(stats.opening().replayedRecords()).isZero();
    }

    @Test
    void aStoreThatWasClosedIsOpenedFromItsImage() throws IOException {
        for (KeyIndexFactory index : new KeyIndexFactory[] {SMALL, HashKeyIndex::new}) {
            disk = new CrashableIoManager();
            BitcaskEngine engine = open(index);
            write(engine, 0, 100);
            clock.advance(Duration.ofMinutes(2));
            NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
            engine.close();
            EngineStats stats = assertSameAsReplayed(disk, index);
            assertThat(stats.opening().fromImage()).isTrue();
            assertThat(stats.opening().replayedRecords()).isZero();
            assertThat(CrashFixture.isSame(content, CrashFixture.content(open(index))))
                    .isTrue();
        }
    }

    @Test
    void openingAndClosingWithoutAWriteKeepsTheImage() throws IOException {
        BitcaskEngine engine = open(SMALL);
        write(engine, 0, 50);
        engine.close();
        String image = imageName(disk);
        for (int i = 0; i < 3; i++) {
            engine = open(SMALL);
            assertThat(engine.stats().opening().fromImage()).isTrue();
            engine.close();
            assertThat(imageName(disk)).isNotNull().isEqualTo(image);
        }
        engine = open(SMALL);
        engine.put(bytes("one"), bytes("more"));
        engine.close();
        assertThat(imageName(disk)).isNotNull().isNotEqualTo(image);
    }

    @Test
    void afterAKillOnlyWhatCameBehindTheImageIsReplayed() throws IOException {
        for (KeyIndexFactory index : new KeyIndexFactory[] {SMALL, HashKeyIndex::new}) {
            disk = new CrashableIoManager();
            BitcaskEngine engine = open(index);
            write(engine, 0, 100);
            engine.close();
            engine = open(index);
            for (int i = 0; i < 12; i++) {
                engine.put(KeyValues.key(i), bytes("after the image"));
            }
            engine.delete(KeyValues.key(13));
            disk = disk.kill();
            EngineStats stats = assertSameAsReplayed(disk, index);
            assertThat(stats.opening().fromImage()).isTrue();
            assertThat(stats.opening().replayedRecords()).isBetween(12L, 13L);
            // The image stays good for the next opening, and the one after.
            for (int i = 0; i < 3; i++) {
                engine = open(index);
                engine.put(bytes("again"), bytes("and again"));
                disk = disk.kill();
                assertThat(assertSameAsReplayed(disk, index).opening().fromImage())
                        .isTrue();
            }
        }
    }

    @Test
    void anImageIsSavedInTheBackgroundWhenEnoughWasWritten() throws IOException {
        BitcaskEngine engine = builder(disk)
                .executor(Runnable::run)
                .index(SMALL)
                .imageEveryBytes(2_000)
                .open();
        write(engine, 0, 200);
        long saved = engine.stats().images().saved();
        assertThat(saved).isBetween(2L, engine.stats().writes().writtenBytes() / 2_000);
        EngineStats stats = assertSameAsReplayed(disk.kill(), SMALL);
        assertThat(stats.opening().fromImage()).isTrue();
        assertThat(stats.opening().replayedRecords()).isLessThan(60);
    }

    @Test
    void aMergeMakesTheImageVoidAndTheNextOneTakesItsPlace() throws IOException {
        BitcaskEngine engine = open(SMALL);
        write(engine, 0, 100);
        engine.close();
        engine = builder(disk)
                .executor(Runnable::run)
                .index(SMALL)
                .imageEveryBytes(Long.MAX_VALUE)
                .open();
        engine.merge();
        assertThat(assertSameAsReplayed(disk.peekKill(), SMALL).opening().fromImage())
                .isFalse();
        write(engine, 100, 110);
        engine.close();
        assertThat(assertSameAsReplayed(disk, SMALL).opening().fromImage()).isTrue();
        engine = builder(disk)
                .executor(Runnable::run)
                .index(SMALL)
                .imageEveryBytes(Long.MAX_VALUE)
                .open();
        engine.merge(); // and nothing is written
        engine.close();
        assertThat(assertSameAsReplayed(disk, SMALL).opening().fromImage()).isTrue();

        engine = builder(disk)
                .executor(Runnable::run)
                .index(SMALL)
                .imageEveryBytes(1)
                .open();
        write(engine, 110, 150);
        engine.merge();
        assertThat(engine.stats().images().saved()).isPositive();
        assertThat(assertSameAsReplayed(disk.kill(), SMALL).opening().fromImage())
                .isTrue();
    }

    @Test
    void writesThatComeWhileAnImageIsSavedAreNotHeldUpAndNotLost() throws IOException {
        saveBesideWrites(0, 4);
    }

    @Test
    @Tag("slow")
    void whateverComesWhileAnImageIsSavedIsNotLost() throws IOException {
        saveBesideWrites(4, 40);
    }

    private void saveBesideWrites(int firstSeed, int endSeed) throws IOException {
        for (int seed = firstSeed; seed < endSeed; seed++) {
            disk = new CrashableIoManager().logging(false);
            SplittableRandom moves = new SplittableRandom(seed);
            BitcaskEngine[] opened = new BitcaskEngine[1];
            boolean[] isSaving = new boolean[1];
            KeyIndexFactory index = context -> new SmallImageIndex(() -> {
                if (isSaving[0]) {
                    // In another thread, which would wait for ever if the write lock were held.
                    inOtherThread(() -> changeSomething(opened[0], moves));
                }
            });
            Runnable[] background = new Runnable[1];
            BitcaskEngine engine = builder(disk)
                    .index(index)
                    .imageEveryBytes(1)
                    .executor(task -> background[0] = task)
                    .open();
            opened[0] = engine;
            write(engine, 0, 60);
            engine.merge(); // asks for an image as the last thing
            isSaving[0] = true;
            background[0].run();
            isSaving[0] = false;
            assertThat(engine.stats().images().saved()).isEqualTo(1);
            for (int i = 0; i < seed % 4; i++) {
                changeSomething(engine, moves);
            }
            NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
            CrashableIoManager killed = disk.kill();
            assertThat(assertSameAsReplayed(killed, SMALL).opening().fromImage())
                    .as("seed=%s", seed)
                    .isTrue();
            disk = killed;
            assertThat(CrashFixture.isSame(content, CrashFixture.content(open(SMALL))))
                    .as("seed=%s", seed)
                    .isTrue();
        }
    }

    @Test
    void closingEndsASaveThatIsUnderWayAndSavesAnImageOfTheEnd() throws IOException {
        BitcaskEngine[] opened = new BitcaskEngine[1];
        List<CompletableFuture<?>> closing = new ArrayList<>();
        boolean[] isSaving = new boolean[1];
        KeyIndexFactory index = context -> new SmallImageIndex(() -> {
            if (isSaving[0] && closing.isEmpty()) {
                closing.add(CompletableFuture.runAsync(() -> close(opened[0])));
                awaitClosed(opened[0]);
            }
        });
        Runnable[] background = new Runnable[1];
        BitcaskEngine engine = builder(disk)
                .index(index)
                .imageEveryBytes(1)
                .executor(task -> background[0] = task)
                .open();
        opened[0] = engine;
        write(engine, 0, 60);
        engine.merge();
        NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
        isSaving[0] = true;
        background[0].run();
        assertThat(closing).singleElement().satisfies(close -> assertThat(close).succeedsWithin(Duration.ofMinutes(1)));
        background[0].run(); // one that comes too late does nothing
        assertThat(imageName(disk)).isNotNull();
        BitcaskEngine next = open(SMALL);
        assertThat(next.stats().opening().fromImage()).isTrue();
        assertThat(next.stats().opening().replayedRecords()).isZero();
        assertThat(CrashFixture.isSame(content, CrashFixture.content(next))).isTrue();
    }

    private static void close(BitcaskEngine engine) {
        try {
            engine.close();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private static void awaitClosed(BitcaskEngine engine) throws IOException {
        while (true) {
            try {
                engine.get(bytes("key"));
                Thread.onSpinWait();
            } catch (EngineClosedException e) {
                return;
            }
        }
    }

    private static void changeSomething(BitcaskEngine engine, SplittableRandom moves) throws IOException {
        byte[] key = KeyValues.key(moves.nextInt(23));
        switch (moves.nextInt(4)) {
            case 0 -> engine.delete(key);
            case 1 -> engine.write(new WriteBatch().delete(key).put(key, bytes("batch")), WriteOptions.DEFAULT);
            default -> engine.put(key, bytes("meanwhile " + moves.nextInt(1000)));
        }
    }

    private static void inOtherThread(SmallImageIndex.Meanwhile action) throws IOException {
        CompletableFuture<@Nullable Void> done = CompletableFuture.runAsync(() -> {
            try {
                action.happen();
            } catch (IOException e) {
                throw new AssertionError(e);
            }
        });
        assertThat(done.orTimeout(1, TimeUnit.MINUTES)).succeedsWithin(Duration.ofMinutes(1));
    }

    @Test
    void anotherIndexDoesWithoutTheImageAndBack() throws IOException {
        BitcaskEngine engine = open(SMALL);
        write(engine, 0, 80);
        NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
        engine.close();
        KeyIndexFactory[] indexes = {HashKeyIndex::new, SMALL, HashKeyIndex::new, HashKeyIndex::new, SMALL};
        boolean[] areFromImage = {false, false, false, true, false};
        for (int i = 0; i < indexes.length; i++) {
            engine = open(indexes[i]);
            assertThat(engine.stats().opening().fromImage()).as("opening %s", i).isEqualTo(areFromImage[i]);
            assertThat(CrashFixture.isSame(content, CrashFixture.content(engine)))
                    .isTrue();
            engine.close();
        }
    }

    @Test
    void withoutImagesNoneIsSavedOrRead() throws IOException {
        BitcaskEngine engine = builder(disk).imageEveryBytes(0).open();
        write(engine, 0, 80);
        engine.close();
        assertThat(imageName(disk)).isNull();
        engine = builder(disk).open();
        engine.close();
        assertThat(imageName(disk)).isNotNull();
        engine = builder(disk).imageEveryBytes(0).open();
        assertThat(engine.stats().opening().fromImage()).isFalse();
        assertThat(imageName(disk)).isNull();
        assertThatThrownBy(() -> builder(disk).imageEveryBytes(-1))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("imageEveryBytes");
    }

    @Test
    void aReaderReadsTheImageAndWritesNone() throws IOException {
        BitcaskEngine engine = open(SMALL);
        write(engine, 0, 80);
        engine.close();
        engine = open(SMALL);
        write(engine, 80, 90);
        CrashableIoManager killed = disk.kill();
        long calls = killed.operations();
        BitcaskEngine reader =
                builder(killed).index(SMALL).imageEveryBytes(1).readOnly(true).open();
        assertThat(reader.stats().opening().fromImage()).isTrue();
        CrashFixture.content(reader);
        reader.close();
        assertThat(killed.operations()).isEqualTo(calls);
    }

    @Test
    void aHintFileThatIsMissingIsWrittenAlthoughTheImageIsRead() throws IOException {
        BitcaskEngine engine = open(SMALL);
        write(engine, 0, 80);
        engine.close();
        disk.delete("00000001.hint");
        engine = open(SMALL);
        assertThat(engine.stats().opening().fromImage()).isTrue();
        assertThat(disk.list()).contains("00000001.hint");
    }

    // ---------------------------------------------------------------- images that are none

    private void assertIgnored(String what, CrashableIoManager damaged, KeyIndexFactory index) throws IOException {
        try {
            assertThat(assertSameAsReplayed(damaged, index).opening().fromImage())
                    .isFalse();
        } catch (IOException | RuntimeException | AssertionError e) {
            throw new AssertionError(what + ": " + e, e);
        }
    }

    private CrashableIoManager with(String name, byte[] content) {
        CrashableIoManager copy = disk.peekKill().logging(false);
        copy.install(name, content);
        return copy;
    }

    /** Closes a store after a merge, with some writes before it and after, and kills it with some more behind the image. */
    private String storeWithATail(KeyIndexFactory index) throws IOException {
        BitcaskEngine engine = open(index);
        write(engine, 0, 20);
        engine.merge();
        write(engine, 20, 30);
        engine.close();
        engine = open(index);
        write(engine, 30, 34);
        disk = disk.kill();
        String name = imageName(disk);
        assertThat(name).isNotNull();
        assertThat(assertSameAsReplayed(disk, index).opening().fromImage()).isTrue();
        return name;
    }

    @Test
    @Tag("slow")
    void anImageWithAnyByteChangedIsIgnored() throws IOException {
        String name = storeWithATail(SMALL);
        byte[] image = disk.content(name);
        for (int at = 0; at < image.length; at++) {
            byte[] damaged = image.clone();
            damaged[at] ^= (byte) (1 << (at % 8));
            assertIgnored("byte " + at, with(name, damaged), SMALL);
        }
    }

    @Test
    @Tag("slow")
    void anImageCutAnywhereIsIgnored() throws IOException {
        String name = storeWithATail(SMALL);
        byte[] image = disk.content(name);
        for (int length = 0; length < image.length; length++) {
            assertIgnored("length " + length, with(name, Arrays.copyOf(image, length)), SMALL);
        }
        disk.delete(name);
        assertIgnored("missing", disk, SMALL);
    }

    @Test
    @Tag("slow")
    void aDamagedImageOfTheHashIndexIsIgnored() throws IOException {
        String name = storeWithATail(HashKeyIndex::new);
        byte[] image = disk.content(name);
        for (int at = 0; at < image.length; at += 97) {
            byte[] damaged = image.clone();
            damaged[at] ^= (byte) (1 << (at % 8));
            assertIgnored("byte " + at, with(name, damaged), HashKeyIndex::new);
            assertIgnored("length " + at, with(name, Arrays.copyOf(image, at)), HashKeyIndex::new);
        }
    }

    @Test
    void theImageOfAnotherStoreIsIgnored() throws IOException {
        CrashableIoManager other = new CrashableIoManager();
        BitcaskEngine engine = builder(other).index(SMALL).open();
        write(engine, 0, 40);
        engine.close();
        engine = open(SMALL);
        write(engine, 0, 40);
        engine.close();
        String name = imageName(disk);
        assertThat(name).isNotNull().isEqualTo(imageName(other));
        assertIgnored("another store", with(name, other.content(name)), SMALL);
    }

    @Test
    void theImageOfAnotherVersionOrByteOrderIsIgnored() throws IOException {
        String name = storeWithATail(SMALL);
        byte[] image = disk.content(name);
        assertThat(withVersion(image, 1)).isEqualTo(image);
        assertIgnored("a newer version", with(name, withVersion(image, 2)), SMALL);
        assertIgnored("an older version", with(name, withVersion(image, 0)), SMALL);
        byte[] swapped = image.clone();
        ByteBuffer words = ByteBuffer.wrap(swapped);
        for (int at = 0; at + Long.BYTES <= swapped.length; at += Long.BYTES) {
            words.putLong(at, Long.reverseBytes(words.getLong(at)));
        }
        assertIgnored("the other byte order", with(name, swapped), SMALL);
    }

    /** Returns the image with another format version in its header, under a right checksum. */
    private static byte[] withVersion(byte[] image, int version) {
        byte[] changed = image.clone();
        ByteBuffer header = ByteBuffer.wrap(changed).order(ByteOrder.LITTLE_ENDIAN);
        header.putInt(8, version);
        CRC32C checksum = new CRC32C();
        checksum.update(changed, 0, 60);
        header.putInt(60, (int) checksum.getValue());
        return changed;
    }

    @Test
    void theImageOfACopyThatWentItsOwnWayIsIgnored() throws IOException {
        BitcaskEngine engine = open(SMALL);
        write(engine, 0, 40);
        engine.close();
        CrashableIoManager copy = disk.peekKill();
        // Both write records of the same lengths to the same files, under the same versions.
        for (CrashableIoManager each : new CrashableIoManager[] {disk, copy}) {
            engine = builder(each).index(SMALL).open();
            for (int i = 0; i < 20; i++) {
                engine.put(KeyValues.key((each == disk ? i : i + 5) % 20), bytes("x"));
            }
            engine.close();
        }
        String name = imageName(disk);
        assertThat(name).isNotNull().isEqualTo(imageName(copy));
        assertThat(disk.content(name)).hasSameSizeAs(copy.content(name));
        assertIgnored("a copy's", with(name, copy.content(name)), SMALL);
    }

    @Test
    void anOlderOrNewerImageOfTheSameStoreIsIgnored() throws IOException {
        BitcaskEngine engine = open(SMALL);
        write(engine, 0, 40);
        engine.close();
        CrashableIoManager older = disk.peekKill();
        String olderName = imageName(older);
        engine = open(SMALL);
        write(engine, 40, 60);
        engine.close();
        String name = imageName(disk);
        assertThat(name).isNotNull();
        assertThat(olderName).isNotNull();
        assertIgnored("older, under the new name", with(name, older.content(olderName)), SMALL);
        CrashableIoManager back = older.peekKill();
        back.install(olderName, disk.content(name));
        assertIgnored("newer, under the old name", back, SMALL);
        // An older copy put back whole is a store of its own right.
        assertThat(assertSameAsReplayed(older, SMALL).opening().fromImage()).isTrue();
        // One beside the current one is a leftover.
        disk.install(olderName, older.content(olderName));
        engine = open(SMALL);
        assertThat(engine.stats().opening().fromImage()).isTrue();
        assertThat(imageName(disk)).isEqualTo(name);
    }

    @Test
    void anIndexThatTakesNoImageIsFilledFromTheLog() throws IOException {
        BitcaskEngine engine = open(SMALL);
        write(engine, 0, 100);
        NavigableMap<byte[], Entry> content = CrashFixture.content(engine);
        engine.close();
        for (boolean isFailing : new boolean[] {false, true}) {
            KeyIndexFactory picky = context -> new SmallImageIndex(() -> {}) {
                @Override
                public boolean load(Image image, Refill refill) throws IOException {
                    image.close();
                    if (isFailing) {
                        throw new IOException("planted");
                    }
                    return false;
                }
            };
            disk = disk.kill();
            engine = open(picky);
            assertThat(engine.stats().opening().fromImage()).isFalse();
            assertThat(engine.stats().opening().replayedRecords()).isPositive();
            assertThat(CrashFixture.isSame(content, CrashFixture.content(engine)))
                    .isTrue();
            engine.close();
        }
    }

    @Test
    void verifyFindsADamagedImage() throws IOException {
        String name = storeWithATail(SMALL);
        assertThat(BitcaskEngine.verify(HOME, disk.factory(HOME)).isSound()).isTrue();
        byte[] image = disk.content(name);
        for (int at : new int[] {0, 70, image.length - 1}) {
            byte[] damaged = image.clone();
            damaged[at] ^= 1;
            assertThat(BitcaskEngine.verify(HOME, with(name, damaged).factory(HOME))
                            .damages())
                    .singleElement()
                    .satisfies(damage -> assertThat(damage.file()).isEqualTo(name));
        }
    }

    // ---------------------------------------------------------------- when it cannot be saved

    /** Writes and closes, and lets one call fail; returns how many calls there were before closing and in all. */
    private long[] closeWith(FaultPlan plan) throws IOException {
        disk = new CrashableIoManager().logging(false);
        random = new SplittableRandom(7);
        BitcaskEngine engine =
                builder(disk).index(SMALL).io(plan.wrap(disk.factory(HOME))).open();
        write(engine, 0, 30);
        long before = plan.calls();
        engine.close();
        return new long[] {before, plan.calls()};
    }

    @Test
    @Tag("slow")
    void nothingIsLostWhateverFailsWhileTheLastImageIsSaved() throws IOException {
        FaultPlan counting = FaultPlan.counting();
        long[] calls = closeWith(counting);
        NavigableMap<byte[], Entry> content = CrashFixture.content(open(SMALL));
        for (Fault fault : Fault.values()) {
            int withoutImage = 0;
            for (long n = calls[0]; n < calls[1]; n++) {
                try {
                    closeWith(FaultPlan.failing(n).with(fault));
                    withoutImage += imageName(disk) == null ? 1 : 0;
                } catch (IOException e) {
                    disk = disk.kill();
                }
                Thread.interrupted();
                assertSameAsReplayed(disk, SMALL);
                assertThat(CrashFixture.isSame(content, CrashFixture.content(open(SMALL))))
                        .as("%s at call %s", fault, n)
                        .isTrue();
            }
            if (fault == Fault.IO_ERROR || fault == Fault.OUT_OF_SPACE) {
                assertThat(withoutImage).as("closed well without an image").isPositive();
            }
        }
    }
}
