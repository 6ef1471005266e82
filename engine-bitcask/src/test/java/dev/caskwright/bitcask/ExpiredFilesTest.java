package dev.caskwright.bitcask;

import static dev.caskwright.testkit.KeyValues.bytes;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.merge.MergePolicy;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoHook;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** Space of what has expired, and of what is dead on a full disk. */
final class ExpiredFilesTest {
    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();

    private EngineBuilder builder() {
        return CrashFixture.builder(disk.factory(CrashFixture.HOME), clock);
    }

    private long used() throws IOException {
        long used = 0;
        for (String name : disk.list()) {
            used += disk.length(name);
        }
        return used;
    }

    /** Sessions that nobody overwrites: without an explicit merge, the store must not grow for ever. */
    @Test
    void expiredEntriesAreMergedInTheBackground() throws IOException {
        WriteOptions session = WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(1));
        try (BitcaskEngine engine =
                builder().executor(Runnable::run).autoMerge(true).open()) {
            for (int i = 0; i < 500; i++) {
                engine.put(bytes("session" + i), new byte[50], session);
                clock.advance(Duration.ofMillis(100));
            }
            assertThat(engine.stats().merging().merges()).isPositive();
            assertThat(engine.size()).isLessThan(50);
            assertThat(engine.stats().space().diskBytes()).isLessThan(10_000);
        }
        clock.advance(Duration.ofSeconds(5));
        try (BitcaskEngine engine =
                builder().executor(Runnable::run).autoMerge(true).open()) {
            assertThat(engine.size()).as("opening looks, too").isLessThan(12);
        }
    }

    /**
     * Ten keys overwritten until the disk is full, with next to nothing left of it: the store opens, and a merge gives all
     * back.
     */
    @Test
    void deadFilesGoWithoutNeedingRoom() throws IOException {
        for (long capacity = 6_000; capacity < 9_000; capacity += 100) {
            CrashableIoManager full = new CrashableIoManager();
            EngineBuilder builder = CrashFixture.builder(full.factory(CrashFixture.HOME), clock);
            BitcaskEngine engine = builder.open();
            full.capacity(capacity);
            boolean isFull = false;
            for (int i = 0; i < 1_000 && !isFull; i++) {
                try {
                    engine.put(bytes("k" + i % 10), new byte[20]);
                } catch (OutOfSpaceException e) {
                    isFull = true;
                }
            }
            assertThat(isFull).isTrue();
            long usedByNow = 0;
            for (String name : full.list()) {
                usedByNow += full.length(name);
            }
            full.capacity(usedByNow + 1_024); // no room for a manifest, unless caches go
            BitcaskEngine killed = CrashFixture.builder(full.peekKill().factory(CrashFixture.HOME), clock)
                    .open();
            assertThat(killed.size()).as("capacity=%s", capacity).isEqualTo(10);
            killed.merge();
            assertThat(killed.stats().space().diskBytes())
                    .as("capacity=%s", capacity)
                    .isLessThan(3_000);
            killed.put(bytes("new"), bytes("1"));
            killed.close();
            engine.merge();
            assertThat(engine.stats().space().diskBytes())
                    .as("capacity=%s, while open", capacity)
                    .isLessThan(3_000);
            engine.close();
            try (BitcaskEngine reopened = builder.open()) {
                assertThat(reopened.size())
                        .as("capacity=%s, reopened", capacity)
                        .isEqualTo(10);
            }
        }
        assertThat(used()).isZero();
    }

    /** Nobody writes any more: time alone must give the space back, once. */
    @Test
    void anIdleStoreGivesBackWhatHasExpired() throws IOException {
        MergePolicy policy = new MergePolicy(1.4, CrashFixture.SMALL_FILES);
        try (BitcaskEngine engine = builder().open()) {
            for (int i = 0; i < 100; i++) {
                engine.put(
                        bytes("session" + i),
                        new byte[50],
                        WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(i < 95 ? 5 : 60)));
            }
            engine.mergeExpiredInBackground(policy);
            assertThat(engine.stats().merging().merges())
                    .as("nothing has expired")
                    .isZero();
            clock.advance(Duration.ofSeconds(10));
            engine.mergeExpiredInBackground(policy);
            assertThat(engine.size()).as("the active file is left, too").isEqualTo(5);
            assertThat(engine.stats().space().diskBytes()).isLessThan(2_000);
            long merges = engine.stats().merging().merges();
            for (int i = 0; i < 3; i++) {
                engine.mergeExpiredInBackground(policy);
            }
            assertThat(engine.stats().merging().merges())
                    .as("nothing more to give")
                    .isEqualTo(merges);
        }
    }

    /** What this opening wrote goes without being read: it knows when all of it has expired, and hints tell the keys. */
    @Test
    void aFileOfWhichAllHasExpiredGoesWithoutBeingRead() throws IOException {
        AtomicInteger reads = new AtomicInteger();
        IoHook hook = call -> {
            if (call.operation() == IoOperation.READ && call.file().endsWith(".data")) {
                reads.incrementAndGet();
            }
        };
        CrashableIoManager disk = new CrashableIoManager();
        EngineBuilder builder = CrashFixture.builder(hook.wrap(disk.factory(CrashFixture.HOME)), clock);
        Duration soon = Duration.ofSeconds(5);
        try (BitcaskEngine engine = builder.open()) {
            engine.put(bytes("old"), bytes("lasting"));
            engine.put(bytes("back"), bytes("must not come back"));
            for (int i = 0; i < 50; i++) {
                engine.put(bytes("session" + i), new byte[50], WriteOptions.DEFAULT.timeToLive(soon));
            }
            engine.put(bytes("back"), bytes("expires"), WriteOptions.DEFAULT.timeToLive(soon));
            engine.delete(bytes("old"));
            for (int i = 50; i < 100; i++) {
                engine.put(bytes("session" + i), new byte[50], WriteOptions.DEFAULT.timeToLive(soon));
            }
            clock.advance(Duration.ofSeconds(10));
            reads.set(0);
            engine.mergeExpiredInBackground(new MergePolicy(1.4, CrashFixture.SMALL_FILES));
            assertThat(engine.stats().merging().merges()).isPositive();
            assertThat(engine.size()).isLessThan(20);
            // The first file has what lasts and is read; of the others, the two records that stay as tombstones.
            assertThat(reads.get()).isLessThan(12);
            assertThat(engine.get(bytes("old"))).isNull();
            assertThat(engine.get(bytes("back"))).isNull();
            engine.merge();
            assertThat(engine.health()).isNull();
            assertThat(engine.size()).isZero();
            assertThat(engine.stats().space().diskBytes()).isLessThan(500);
        }
        try (BitcaskEngine engine = builder.open()) {
            assertThat(engine.size()).isZero();
        }
    }

    /** Tombstones that are needed make a file dead, whatever is merged: that alone is no reason to look again and again. */
    @Test
    void timeAloneMergesNothingThatDoesNotExpire() throws IOException {
        MergePolicy policy = new MergePolicy(1.4, CrashFixture.SMALL_FILES);
        try (BitcaskEngine engine = builder().open()) {
            for (int i = 0; i < 100; i++) {
                engine.put(bytes("key" + i), new byte[50]);
            }
            for (int i = 0; i < 100; i += 2) {
                engine.delete(bytes("key" + i));
            }
            engine.mergeExpiredInBackground(policy);
            assertThat(engine.stats().merging().merges()).isZero();
        }
    }

    /** Nothing is dead and not a byte is left: deletes go on all the same, and merges give back what they have freed. */
    @Test
    void deletesLeadOutOfADiskThatIsFullOfLiveData() throws IOException {
        for (long capacity = 6_000; capacity < 9_000; capacity += 300) {
            CrashableIoManager full = new CrashableIoManager();
            EngineBuilder builder =
                    CrashFixture.builder(full.factory(CrashFixture.HOME), clock).executor(Runnable::run);
            BitcaskEngine engine = builder.open();
            full.capacity(capacity);
            int count = 0;
            for (boolean isFull = false; !isFull; count++) {
                try {
                    engine.put(bytes("k" + count), new byte[20]);
                } catch (OutOfSpaceException e) {
                    isFull = true;
                }
            }
            long usedByNow = 0;
            for (String name : full.list()) {
                usedByNow += full.length(name);
            }
            full.capacity(usedByNow);
            engine.close();
            try (BitcaskEngine reopened = builder.open()) {
                int keys = (int) reopened.size();
                for (int i = 0; i < keys; i++) {
                    deleteOrMerge(reopened, bytes("k" + i));
                }
                reopened.merge();
                assertThat(reopened.size()).isZero();
                assertThat(reopened.stats().space().diskBytes())
                        .as("capacity=%s", capacity)
                        .isLessThan(500);
                reopened.put(bytes("new"), bytes("1"));
            }
        }
    }

    /**
     * All is in one large file that nobody has left yet, so there is no hint file to give up: the one that is being written
     * is, and if there is not even that, because values are long and keys few, what is held ready for it.
     */
    @ParameterizedTest
    @CsvSource({"100, 5000", "500, 1000", "4000, 100", "12000, 20", "6000, 5000"})
    void deletesLeadOutOfADiskThatIsFullOfOneFile(int keys, int valueLength) throws IOException {
        CrashableIoManager full = new CrashableIoManager();
        try (BitcaskEngine engine = CrashFixture.builder(full.factory(CrashFixture.HOME), clock)
                .maxFileBytes(64 << 20)
                .open()) {
            for (int i = 0; i < keys; i++) {
                engine.put(bytes("k" + i), new byte[valueLength]);
            }
            long used = 0;
            for (String name : full.list()) {
                used += full.length(name);
            }
            full.capacity(used);
            int more = putUntilFull(engine, valueLength);
            int deleted = deleteUntilFull(engine, keys);
            assertThat(engine.health()).isNull();
            // What a key takes in hints is half of what its tombstone takes.
            assertThat(deleted).isGreaterThanOrEqualTo(valueLength >= 1_000 ? keys : Math.min(keys, 1_500));
            if (deleted == keys) {
                for (int i = 0; i < more; i++) {
                    engine.delete(bytes("more" + i));
                }
                engine.merge();
                assertThat(engine.size()).isZero();
                assertThat(engine.stats().space().diskBytes()).isLessThan(1_000);
                engine.put(bytes("new"), bytes("1"));
            }
        }
        assertThat(BitcaskEngine.verify(CrashFixture.HOME, full.factory(CrashFixture.HOME))
                        .damages())
                .isEmpty();
    }

    /**
     * Files are short, and none is sealed before the disk is full, so that none has its hint file: each keeps some room for it
     * all the same.
     */
    @ParameterizedTest
    @CsvSource({"65536, 1000", "262144, 5000", "1048576, 10000"})
    void deletesLeadOutOfADiskThatIsFullOfShortFiles(long fileBytes, int valueLength) throws IOException {
        CrashableIoManager full = new CrashableIoManager();
        try (BitcaskEngine engine = CrashFixture.builder(full.factory(CrashFixture.HOME), clock)
                .executor(task -> {})
                .maxFileBytes(fileBytes)
                .open()) {
            full.capacity(10 * fileBytes);
            int keys = putUntilFull(engine, valueLength);
            for (int i = 0; i < keys; i++) {
                deleteOrMerge(engine, bytes("more" + i));
            }
            engine.merge();
            assertThat(engine.size()).isZero();
            assertThat(engine.stats().space().diskBytes()).isLessThan(1_000);
            engine.put(bytes("new"), bytes("1"));
        }
        assertThat(BitcaskEngine.verify(CrashFixture.HOME, full.factory(CrashFixture.HOME))
                        .damages())
                .isEmpty();
    }

    private static int putUntilFull(BitcaskEngine engine, int valueLength) throws IOException {
        for (int i = 0; ; i++) { // there may be some space held ready
            try {
                engine.put(bytes("more" + i), new byte[valueLength]);
            } catch (OutOfSpaceException e) {
                return i;
            }
        }
    }

    private static int deleteUntilFull(BitcaskEngine engine, int keys) throws IOException {
        for (int i = 0; i < keys; i++) {
            try {
                engine.delete(bytes("k" + i));
            } catch (OutOfSpaceException e) {
                return i;
            }
        }
        return keys;
    }

    private static void deleteOrMerge(BitcaskEngine engine, byte[] key) throws IOException {
        try {
            engine.delete(key);
        } catch (OutOfSpaceException e) {
            try {
                engine.merge();
            } catch (OutOfSpaceException some) {
                assertThat(engine.health()).as("what fitted was merged").isNull();
            }
            engine.delete(key);
        }
    }
}
