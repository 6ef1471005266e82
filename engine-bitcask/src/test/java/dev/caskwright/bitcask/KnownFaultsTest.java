package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.DataLoss;
import dev.caskwright.testkit.DirectoryLoss;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Arrays;
import java.util.Deque;
import java.util.List;
import java.util.NavigableMap;
import org.junit.jupiter.api.Test;

/** Bugs that engines of this kind have shipped, and those that the crash and fault tests found in this one. */
final class KnownFaultsTest {
    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();

    private static byte[] bytes(String text) {
        return KeyValues.bytes(text);
    }

    private BitcaskEngine open() throws IOException {
        return CrashFixture.open(disk, clock);
    }

    private List<String> names() throws IOException {
        return disk.factory().open(HOME, false).list();
    }

    @Test
    void aPartialMergeDoesNotResurrectADeletedKey() throws IOException {
        Deque<Runnable> background = new ArrayDeque<>();
        BitcaskEngine engine = CrashFixture.builder(HOME, disk.factory(), clock)
                .executor(background::add)
                .autoMerge(true)
                .maxSpaceAmplification(100) // so that only files of which half is dead are merged
                .open();
        for (int i = 0; i < 12; i++) { // files that are all live but for one record, which is deleted later
            engine.put(KeyValues.key(i), new byte[100]);
        }
        engine.delete(KeyValues.key(0));
        for (int i = 0; i < 60; i++) { // the file of the tombstone becomes dead, the old one does not
            engine.put(bytes("filler" + i % 3), new byte[100]);
            while (!background.isEmpty()) {
                background.remove().run();
            }
            assertThat(engine.get(KeyValues.key(0))).isNull();
        }
        assertThat(engine.stats().merging().merges()).isPositive();
        assertThat(CrashFixture.open(disk.kill(), clock).get(KeyValues.key(0))).isNull();
    }

    @Test
    void anEmptyValueIsNotTakenForATornRecord() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("empty"), new byte[0]);
        engine.put(bytes("after"), bytes("it"));
        BitcaskEngine next = CrashFixture.open(disk.kill(), clock);
        assertThat(next.get(bytes("empty"))).isEmpty();
        assertThat(next.get(bytes("after"))).isEqualTo(bytes("it"));
        assertThat(next.stats().opening().tornBytesCut()).isZero();
    }

    @Test
    void bytesCutOffTheTailDoNotKeepTheStoreFromOpening() throws IOException {
        for (int cut = 1; cut <= 8; cut++) {
            CrashableIoManager fresh = new CrashableIoManager();
            BitcaskEngine engine = CrashFixture.open(fresh, clock);
            engine.put(bytes("first"), bytes("1"));
            engine.put(bytes("last"), bytes("2"));
            byte[] content = fresh.content("00000001.data");
            CrashableIoManager killed = fresh.kill();
            killed.install("00000001.data", Arrays.copyOf(content, content.length - cut));
            BitcaskEngine next = CrashFixture.open(killed, clock);
            assertThat(next.get(bytes("first"))).isEqualTo(bytes("1"));
            assertThat(next.get(bytes("last"))).isNull();
            assertThat(next.stats().opening().tornBytesCut()).isPositive();
            next.put(bytes("last"), bytes("3"), WriteOptions.SYNC);
            assertThat(CrashFixture.open(killed.powerLoss(0), clock).get(bytes("last")))
                    .isEqualTo(bytes("3"));
        }
    }

    @Test
    void aValueThatLooksLikeARecordIsNotTakenForOne() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("key"), bytes("old"));
        engine.delete(bytes("key"));
        engine.put(bytes("key"), bytes("new"));
        byte[] file = disk.content("00000001.data");
        for (int shift = 0; shift < 8; shift++) {
            engine.put(bytes("copy" + shift), Arrays.copyOfRange(file, shift, file.length));
        }
        CrashableIoManager killed = disk.kill();
        BitcaskEngine next = CrashFixture.open(killed, clock);
        assertThat(next.get(bytes("key"))).isEqualTo(bytes("new"));
        assertThat(next.size()).isEqualTo(9);
        // Even where the tail is searched for records after a hole.
        String last = killed.factory().open(HOME, false).list().stream()
                .filter(name -> name.endsWith(".data"))
                .max(String::compareTo)
                .orElseThrow();
        byte[] content = killed.content(last);
        Arrays.fill(content, 64, 72, (byte) 0);
        CrashableIoManager holed = killed.kill();
        holed.install(last, content);
        assertThatThrownByOrSound(holed);
    }

    private void assertThatThrownByOrSound(CrashableIoManager holed) throws IOException {
        try (BitcaskEngine engine = CrashFixture.open(holed, clock)) {
            assertThat(engine.get(bytes("key"))).isEqualTo(bytes("new"));
        } catch (CorruptRecordException e) {
            assertThat(e.file()).endsWith(".data");
        }
    }

    @Test
    void aDeleteThatFailsLeavesTheKey() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("key"), new byte[200]);
        long used = names().stream().mapToLong(name -> length(name)).sum();
        disk.capacity(used);
        assertThatThrownBy(() -> engine.delete(bytes("key"))).isInstanceOf(OutOfSpaceException.class);
        assertThat(engine.get(bytes("key"))).hasSize(200);
        assertThat(CrashFixture.open(disk.kill().capacity(Long.MAX_VALUE), clock)
                        .get(bytes("key")))
                .hasSize(200);
    }

    private long length(String name) {
        try {
            return disk.content(name).length;
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    @Test
    void expiredEntriesStayAwayAfterAMergeAReopenAndAClockSetBack() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("key"), bytes("old"));
        engine.put(bytes("key"), bytes("new"), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1)));
        clock.advance(Duration.ofSeconds(2));
        assertThat(engine.get(bytes("key"))).isNull();
        clock.advance(Duration.ofSeconds(-100));
        assertThat(engine.get(bytes("key"))).isNull();
        engine.merge();
        assertThat(engine.get(bytes("key"))).isNull();
        assertThat(CrashFixture.open(disk.kill(), clock).get(bytes("key"))).isNull();
    }

    @Test
    void twoOpensOfOneDirectoryDoNotBothSucceed() throws IOException {
        BitcaskEngine engine = open();
        assertThatThrownBy(this::open).isInstanceOf(EngineLockedException.class);
        assertThatThrownBy(() -> CrashFixture.builder(HOME, disk.factory(), clock)
                        .readOnly(true)
                        .open())
                .isInstanceOf(EngineLockedException.class);
        engine.close();
        open().close();
    }

    @Test
    void readingOnlyChangesNothing() throws IOException {
        BitcaskEngine engine = open();
        for (int i = 0; i < 30; i++) {
            engine.put(KeyValues.key(i), new byte[50], WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1 + i)));
        }
        CrashableIoManager killed = disk.kill();
        killed.install("00000099.merged", new byte[100]);
        killed.install("MANIFEST.new", new byte[3]);
        long calls = killed.operations();
        clock.advance(Duration.ofSeconds(10));
        try (BitcaskEngine reader = CrashFixture.builder(HOME, killed.factory(), clock)
                .readOnly(true)
                .open()) {
            assertThat(KeyValues.entries(reader)).hasSize(20);
            assertThatThrownBy(() -> reader.put(bytes("a"), bytes("b")))
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.READ_ONLY));
        }
        BitcaskEngine.verify(HOME, killed.factory());
        assertThat(killed.operations()).isEqualTo(calls);
    }

    @Test
    void aFullDiskDoesNotLoop() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("key"), new byte[100]);
        disk.capacity(1);
        long calls = disk.operations();
        for (int i = 0; i < 10; i++) {
            assertThatThrownBy(() -> engine.put(bytes("key"), new byte[1_000])).isInstanceOf(OutOfSpaceException.class);
        }
        assertThat(disk.operations() - calls).as("calls for ten writes refused").isLessThan(200);
        assertThat(engine.get(bytes("key"))).hasSize(100);
    }

    @Test
    void aFailedForceIsNotTriedAgainByAMergeABackupOrClosing() throws IOException {
        for (int n = 0; n < 6; n++) {
            CrashableIoManager fresh = new CrashableIoManager();
            BitcaskEngine first = CrashFixture.open(fresh, clock);
            first.close();
            // Fails the n-th force after the manifest's, which opening needs.
            FaultPlan plan = FaultPlan.failing(n + 1).only(IoOperation.FORCE).with(Fault.IO_ERROR);
            BitcaskEngine engine = CrashFixture.builder(HOME, plan.wrap(fresh.factory(HOME)), clock)
                    .executor(task -> {})
                    .open();
            engine.put(bytes("a"), bytes("1"));
            try {
                engine.merge();
            } catch (IOException e) {
                assertThat(plan.hasFired()).isTrue();
            }
            if (engine.health() != null) {
                long calls = fresh.operations();
                assertThatThrownBy(engine::merge).isInstanceOf(EngineFailedException.class);
                engine.backup(Path.of("backup"));
                assertThat(fresh.log().subList((int) calls, fresh.log().size()))
                        .noneMatch(call -> call.operation() == IoOperation.FORCE
                                && call.file().endsWith("MANIFEST"));
                try (BitcaskEngine copy = CrashFixture.builder(Path.of("backup"), fresh.factory(HOME), clock)
                        .open()) {
                    assertThat(copy.get(bytes("a"))).as("what can be read").isEqualTo(bytes("1"));
                }
            }
            try {
                engine.close();
            } catch (IOException e) {
                assertThat(plan.hasFired()).isTrue();
            }
            assertThat(CrashFixture.open(fresh, clock).get(bytes("a"))).isEqualTo(bytes("1"));
        }
    }

    @Test
    void readsGoOnWhenTheDiskIsFullAndAnEntryHasExpired() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("key"), bytes("1"), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1)));
        disk.capacity(1);
        clock.advance(Duration.ofSeconds(2));
        assertThat(engine.get(bytes("key"))).isNull();
        assertThat(KeyValues.entries(engine)).isEmpty();
        assertThat(engine.health()).isNull();
    }

    @Test
    void anEmptyBatchAtSyncMakesWhatCameBeforeDurable() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("key"), bytes("1"), WriteOptions.NONE);
        engine.write(new WriteBatch(), WriteOptions.SYNC);
        assertThat(CrashFixture.open(disk.powerLoss(0), clock).get(bytes("key")))
                .isEqualTo(bytes("1"));
    }

    @Test
    void aDeleteAtSyncOfAnAbsentKeyMakesItsAbsenceDurable() throws IOException {
        BitcaskEngine engine = open();
        engine.put(bytes("key"), bytes("1"), WriteOptions.SYNC);
        assertThat(engine.delete(bytes("key"), WriteOptions.WRITE)).isTrue();
        assertThat(engine.delete(bytes("key"), WriteOptions.SYNC)).isFalse();
        assertThat(CrashFixture.open(disk.powerLoss(0), clock).get(bytes("key")))
                .isNull();
    }

    @Test
    void aManifestThatLostItsStartDeletesNothing() throws IOException {
        BitcaskEngine engine = open();
        for (int i = 0; i < 30; i++) {
            engine.put(KeyValues.key(i), new byte[50]);
        }
        engine.merge();
        engine.close();
        open().close();
        byte[] manifest = disk.content("MANIFEST");
        List<String> before = names();
        int end = manifest.length;
        while (manifest[end - 1] == 0) {
            end--; // the room that is kept after the last edit
        }
        for (int length = 0; length < end; length++) {
            CrashableIoManager damaged = disk.kill();
            damaged.install("MANIFEST", Arrays.copyOf(manifest, length));
            assertThatThrownBy(() -> CrashFixture.open(damaged, clock)).isInstanceOf(EngineException.class);
            assertThat(damaged.factory().open(HOME, false).list()).containsAll(before);
        }
    }

    @Test
    void aBackupThatWasWrittenToIsNotContinued() throws IOException {
        Path target = Path.of("backup");
        BitcaskEngine engine = CrashFixture.open(disk, clock);
        engine.put(bytes("key"), bytes("1"));
        engine.backup(target);
        try (BitcaskEngine copy =
                CrashFixture.builder(target, disk.factory(HOME), clock).open()) {
            copy.put(bytes("other"), bytes("2"));
        }
        engine.put(bytes("key"), bytes("3"));
        assertThatThrownBy(() -> engine.backup(target)).isInstanceOf(UnsupportedFormatException.class);
    }

    @Test
    void aBackupOfAMergedStoreSaysThatChangesAreGone() throws IOException {
        Path target = Path.of("backup");
        BitcaskEngine engine = CrashFixture.open(disk, clock);
        engine.put(bytes("key"), bytes("1"));
        engine.merge();
        engine.backup(target);
        try (BitcaskEngine copy =
                CrashFixture.builder(target, disk.factory(HOME), clock).open()) {
            assertThatThrownBy(() -> copy.changes(0, change -> true))
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.code()).isEqualTo(ErrorCode.CHANGES_GONE));
        }
    }

    @Test
    void aSnapshotOutlivesTheFilesKeptForAnOlderOne() throws IOException {
        BitcaskEngine engine = open();
        for (int i = 0; i < 20; i++) {
            engine.put(KeyValues.key(i), new byte[50]);
        }
        Snapshot older = engine.snapshot();
        engine.merge();
        Snapshot newer = engine.snapshot();
        older.close();
        NavigableMap<byte[], Entry> found = KeyValues.entries(newer);
        assertThat(found).hasSize(20);
    }

    @Test
    void aTailThatAFailedForceLeftInThePageCacheIsWrittenAnew() throws IOException {
        open().close();
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.FORCE); // the first is that of the manifest
        BitcaskEngine engine =
                CrashFixture.builder(HOME, plan.wrap(disk.factory()), clock).open();
        engine.put(bytes("key"), bytes("1"));
        assertThatThrownBy(engine::sync).isInstanceOf(EngineFailedException.class);
        CrashableIoManager killed = disk.kill();
        assertThat(CrashFixture.open(killed, clock).get(bytes("key"))).isEqualTo(bytes("1"));
        assertThat(CrashFixture.open(killed.powerLoss(0), clock).get(bytes("key")))
                .isEqualTo(bytes("1"));
    }

    /** Their numbers are not used again: a power loss may undo their deletion, and then they would pass for new files. */
    @Test
    void filesThatRecoveryDroppedDoNotComeBack() throws IOException {
        BitcaskEngine engine = CrashFixture.builder(disk.factory(HOME), clock)
                .executor(task -> {}) // nothing is sealed
                .open();
        for (int i = 0; names().stream().filter(name -> name.endsWith(".data")).count() < 3; i++) {
            engine.put(KeyValues.key(i), new byte[100]);
        }
        CrashableIoManager image = disk.powerLoss(1, DataLoss.KEEP_ALL, DirectoryLoss.KEEP_ALL);
        byte[] middle = image.content("00000002.data");
        Arrays.fill(middle, 64, 72, (byte) 0); // its first record is torn, so the third file does not count
        image.install("00000002.data", middle);
        NavigableMap<byte[], Entry> found;
        try (BitcaskEngine first = CrashFixture.open(image.peekKill(), clock)) {
            found = CrashFixture.content(first);
        }
        BitcaskEngine next = CrashFixture.open(image, clock);
        next.put(bytes("next"), new byte[1]);
        CrashableIoManager lost = image.powerLoss(0, DataLoss.DROP_ALL, DirectoryLoss.DROP_ALL);
        assertThat(lost.factory().open(HOME, false).list()).contains("00000003.data");
        assertThat(CrashFixture.isSame(found, CrashFixture.content(CrashFixture.open(lost, clock))))
                .isTrue();
    }
}
