package dev.caskwright.testkit;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashSet;
import java.util.List;
import java.util.Random;
import java.util.Set;
import java.util.TreeSet;
import org.junit.jupiter.api.Test;

final class CrashableIoManagerTest {
    private static final int SEEDS = 2_000;
    private static final int SECTOR = SimulatedFile.SECTOR;

    private final CrashableIoManager disk = new CrashableIoManager();

    @Test
    void everythingWrittenSurvivesAKill() throws IOException {
        WritableFile file = disk.create("a", 0);
        append(file, "one");
        disk.create("b", 0);
        disk.rename("b", "c");

        CrashableIoManager after = disk.kill();

        assertThat(after.list()).containsExactly("a", "c");
        assertThat(text(after, "a")).isEqualTo("one");
    }

    @Test
    void whatIsNotDurableBeforeAKillIsNotDurableAfterIt() throws IOException {
        WritableFile file = durable("a", "one");
        append(file, "two");
        disk.create("b", 0);

        CrashableIoManager killed = disk.kill();
        CrashableIoManager cut = killed.powerLoss(0, DataLoss.DROP_ALL, DirectoryLoss.DROP_ALL);

        assertThat(text(killed, "a")).isEqualTo("onetwo");
        assertThat(cut.list()).containsExactly("a");
        assertThat(text(cut, "a")).isEqualTo("one");
    }

    @Test
    void changesAfterAKillComeAfterThoseBeforeIt() throws IOException {
        WritableFile file = durable("a", "one");
        append(file, "two");
        CrashableIoManager killed = disk.kill();
        append(killed.openWritable("a"), "three");

        Set<String> seen = new TreeSet<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            seen.add(text(killed.peekPowerLoss(seed), "a"));
        }

        assertThat(seen).contains("one", "onetwo", "onetwothree");
        assertThat(seen).allMatch(text -> "onetwothree".startsWith(text.replace("\0", "")), "in order");
    }

    @Test
    void unforcedBytesMayBeLostAndForcedOnesNever() throws IOException {
        WritableFile file = durable("a", "one");
        append(file, "two");

        Set<String> seen = contentsAfterPowerLoss("a");

        // Dropped, kept, torn at each byte, and the length without the bytes.
        assertThat(seen).contains("one", "onetwo", "onet", "onetw", "one\0\0\0");
        assertThat(seen).allMatch(text -> text.startsWith("one"));
    }

    @Test
    void sectorsArriveIndependentlyOfEachOther() throws IOException {
        WritableFile file = durable("a", "x".repeat(3 * SECTOR));
        byte[] bytes = "y".repeat(3 * SECTOR).getBytes(ISO_8859_1);
        file.write(0, bytes, 0, bytes.length);

        Set<String> seen = new TreeSet<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            String text = text(disk.peekPowerLoss(seed, DataLoss.RANDOM, DirectoryLoss.DROP_ALL), "a");
            seen.add("" + text.charAt(0) + text.charAt(SECTOR) + text.charAt(2 * SECTOR));
            assertThat(text.charAt(SECTOR)).isEqualTo(text.charAt(2 * SECTOR - 1));
        }

        assertThat(seen).containsExactly("xxx", "xxy", "xyx", "xyy", "yxx", "yxy", "yyx", "yyy");
    }

    @Test
    void aSectorArrivesAsItWasAtSomeMoment() throws IOException {
        WritableFile file = durable("a", "..........");
        for (int i = 0; i < 5; i++) {
            file.write(i, new byte[] {(byte) ('0' + i)}, 0, 1);
        }

        Set<String> seen = new TreeSet<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            seen.add(text(disk.peekPowerLoss(seed, DataLoss.RANDOM, DirectoryLoss.DROP_ALL), "a"));
        }

        assertThat(seen)
                .containsExactly("..........", "0.........", "01........", "012.......", "0123......", "01234.....");
    }

    @Test
    void lengthMayArriveWithoutBytes() throws IOException {
        WritableFile file = durable("a", "one");
        append(file, "two");

        assertThat(text(disk.powerLoss(0, DataLoss.ZERO_FILL, DirectoryLoss.DROP_ALL), "a"))
                .isEqualTo("one\0\0\0");
    }

    @Test
    void anUnforcedTruncationMayBeLostAlthoughLaterBytesArrive() throws IOException {
        WritableFile file = durable("a", "a".repeat(2 * SECTOR));
        file.truncate(10);
        append(file, "b");

        Set<String> seen = contentsAfterPowerLoss("a");

        assertThat(seen).contains("a".repeat(2 * SECTOR), "a".repeat(10), "a".repeat(10) + "b");
        assertThat(seen)
                .as("new bytes in front of old ones")
                .anyMatch(text -> text.length() == 2 * SECTOR && text.charAt(10) == 'b' && text.charAt(SECTOR) == 'a');
    }

    @Test
    void aForcedTruncationIsDurable() throws IOException {
        WritableFile file = durable("a", "a".repeat(2 * SECTOR));
        file.truncate(10);
        file.force();

        assertThat(contentsAfterPowerLoss("a")).containsExactly("a".repeat(10));
    }

    @Test
    void aFileMayLoseItsNameThoughItsBytesAreForced() throws IOException {
        WritableFile file = disk.create("a", 0);
        append(file, "one");
        file.force();

        assertThat(namesAfterPowerLoss()).containsExactlyInAnyOrder(List.of(), List.of("a"));
    }

    @Test
    void aFileMayKeepItsNameWithoutItsBytes() throws IOException {
        WritableFile file = disk.create("a", 0);
        append(file, "one");
        disk.syncDirectory();

        assertThat(namesAfterPowerLoss()).containsExactly(List.of("a"));
        assertThat(contentsAfterPowerLoss("a")).contains("", "\0\0\0", "o", "one");
    }

    @Test
    void aRenameWithoutSyncMayBeLostAndIsAtomic() throws IOException {
        durable("old", "1");
        durable("target", "2");
        disk.rename("old", "target");

        for (int seed = 0; seed < SEEDS; seed++) {
            CrashableIoManager after = disk.peekPowerLoss(seed);
            String names = String.join(",", after.list());
            assertThat(names + "=" + text(after, "target")).isIn("old,target=2", "target=1");
        }
        disk.syncDirectory();
        assertThat(namesAfterPowerLoss()).containsExactly(List.of("target"));
    }

    @Test
    void aDeletionWithoutSyncMayBeUndone() throws IOException {
        durable("a", "1");
        durable("b", "2");
        disk.delete("a");
        disk.delete("b");

        assertThat(namesAfterPowerLoss())
                .containsExactlyInAnyOrder(List.of("a", "b"), List.of("a"), List.of("b"), List.of());
        disk.syncDirectory();
        assertThat(namesAfterPowerLoss()).containsExactly(List.of());
    }

    @Test
    void journaledDirectoriesKeepTheOrder() throws IOException {
        disk.create("a", 0);
        disk.create("b", 0);
        disk.create("c", 0);

        Set<String> seen = new TreeSet<>();
        for (int seed = 0; seed < 100; seed++) {
            seen.add(String.join(
                    "",
                    disk.peekPowerLoss(seed, DataLoss.DROP_ALL, DirectoryLoss.PREFIX)
                            .list()));
        }

        assertThat(seen).containsExactly("", "a", "ab");
    }

    @Test
    void aNameUsedAgainNeverShowsTheDeletedFileUnderTheNewOne() throws IOException {
        durable("a", "old");
        disk.delete("a");
        WritableFile file = disk.create("a", 0);
        append(file, "new");
        file.force();

        for (int seed = 0; seed < SEEDS; seed++) {
            CrashableIoManager after = disk.peekPowerLoss(seed);
            assertThat(after.list().isEmpty() ? "" : text(after, "a")).isIn("", "old", "new");
        }
    }

    @Test
    void anImageIsDurableAndIndependent() throws IOException {
        WritableFile file = durable("a", "one");
        append(file, "two");
        CrashableIoManager first = disk.powerLoss(1);
        CrashableIoManager second = disk.powerLoss(1);

        append(first.openWritable("a"), "three");

        assertThat(text(first, "a")).isEqualTo("onetwothree");
        assertThat(text(second, "a")).isEqualTo("onetwo");
        assertThat(text(first.powerLoss(0), "a")).isEqualTo("onetwo");
    }

    @Test
    void aPeekLeavesTheDiskAlone() throws IOException {
        WritableFile file = durable("a", "one");
        for (int i = 0; i < 20; i++) {
            append(file, "" + i);
            CrashableIoManager image = disk.peekPowerLoss(i);
            image.openWritable("a").write(0, new byte[] {'!'}, 0, 1);
            disk.peekKill().openWritable("a").write(0, new byte[] {'!'}, 0, 1);
        }
        file.force();

        assertThat(text(disk.powerLoss(0), "a")).isEqualTo("one012345678910111213141516171819");
    }

    @Test
    void thePowerLossOfASeedIsAlwaysTheSame() throws IOException {
        WritableFile file = durable("a", "one");
        for (int i = 0; i < 20; i++) {
            append(file, "x".repeat(100));
            disk.create("f" + i, 0);
        }

        for (int seed = 0; seed < 100; seed++) {
            CrashableIoManager first = disk.peekPowerLoss(seed);
            CrashableIoManager second = disk.peekPowerLoss(seed);
            assertThat(first.list()).isEqualTo(second.list());
            assertThat(text(first, "a")).isEqualTo(text(second, "a"));
        }
    }

    @Test
    void handlesFromBeforeTheCrashAreDead() throws IOException {
        WritableFile file = durable("a", "one");
        ReadableFile reader = disk.open("a");
        disk.powerLoss(0);

        assertThatThrownBy(() -> append(file, "x")).isInstanceOf(IOException.class);
        assertThatThrownBy(() -> reader.read(0, new byte[1], 0, 1)).isInstanceOf(IOException.class);
        assertThatThrownBy(disk::list).isInstanceOf(IOException.class);
        file.close();
        disk.close();
    }

    @Test
    void theLockGoesWithTheProcess() throws IOException {
        IoManager other = disk.factory().open(Path.of("any"), false);
        IoManager.Lock lock = disk.lock(true);
        assertThatThrownBy(() -> other.lock(true)).isInstanceOf(EngineLockedException.class);
        assertThatThrownBy(() -> other.lock(false)).isInstanceOf(EngineLockedException.class);
        lock.close();
        IoManager.Lock shared = other.lock(false);
        lock.close();
        assertThatThrownBy(() -> disk.lock(true)).isInstanceOf(EngineLockedException.class);
        disk.lock(false).close();
        shared.close();
        disk.lock(true);

        disk.kill().lock(true).close();
        disk.powerLoss(0).lock(true).close();
    }

    @Test
    void reservedZerosShowAfterAKillOnly() throws IOException {
        WritableFile file = durable("a", "one");
        file.reserve(10);
        assertThat(file.length()).isEqualTo(3);
        assertThat(disk.length("a")).isEqualTo(3);
        assertThat(file.read(0, new byte[10], 0, 10)).isEqualTo(3);

        assertThat(text(disk.peekKill(), "a")).isEqualTo("one\0\0\0\0\0\0\0");
        file.close();
        assertThat(text(disk.kill(), "a")).isEqualTo("one");
    }

    @Test
    void mappedFilesGrowByChunks() throws IOException {
        disk.mapped(true);
        WritableFile file = disk.create("a", 0);
        append(file, "one");
        assertThat(file.isMapped()).isTrue();
        assertThat(file.length()).isEqualTo(3);

        CrashableIoManager after = disk.peekKill();
        assertThat(after.length("a")).isEqualTo(CrashableIoManager.MAPPED_CHUNK);
        assertThat(after.open("a").isMapped()).isTrue();
        append(file, "x".repeat(CrashableIoManager.MAPPED_CHUNK));
        assertThat(disk.peekKill().length("a")).isEqualTo(2 * CrashableIoManager.MAPPED_CHUNK);
        file.close();
        assertThat(disk.content("a")).hasSize(3 + CrashableIoManager.MAPPED_CHUNK);
    }

    @Test
    void theCallDiesInOneOfThreeWays() throws IOException {
        Set<String> seen = new TreeSet<>();
        for (int seed = 0; seed < 200; seed++) {
            CrashableIoManager crashing = new CrashableIoManager().crashAt(1, seed);
            WritableFile file = crashing.create("a", 0);
            assertThatThrownBy(() -> append(file, "abc"))
                    .isInstanceOf(SimulatedCrash.class)
                    .hasMessageContaining("#1 WRITE a offset=0, length=3")
                    .hasMessageContaining("seed=" + seed);
            assertThatThrownBy(file::length).isInstanceOf(SimulatedCrash.class);
            assertThatThrownBy(() -> crashing.create("b", 0)).isInstanceOf(SimulatedCrash.class);
            file.close();
            seen.add(text(crashing.kill(), "a"));
        }

        assertThat(seen).containsExactly("", "a", "ab", "abc");
    }

    @Test
    void crashAtWalksAllCallsOfAScript() throws IOException {
        long total = script(disk).operations();
        for (int n = 0; n < total; n++) {
            CrashableIoManager crashing = new CrashableIoManager().crashAt(n, n);
            assertThatThrownBy(() -> script(crashing)).isInstanceOf(SimulatedCrash.class);
            assertThat(crashing.operations()).isEqualTo(n + 1);
        }
        script(new CrashableIoManager().crashAt(total, 0));
    }

    @Test
    void theLogTellsTheOrderOfCalls() throws IOException {
        script(disk);

        assertThat(disk.log().stream().map(IoCall::toString))
                .containsExactly(
                        "#0 CREATE a",
                        "#1 WRITE a offset=0, length=3",
                        "#2 RESERVE a offset=0, length=100",
                        "#3 FORCE a",
                        "#4 TRUNCATE a offset=0, length=1",
                        "#5 TRUNCATE a offset=0, length=1",
                        "#6 RENAME a -> b",
                        "#7 SYNC_DIRECTORY",
                        "#8 DELETE b");
    }

    @Test
    void theObserverSeesTheDiskBeforeEachCall() throws IOException {
        List<String> lengths = new ArrayList<>();
        disk.observer(call -> lengths.add(
                call.operation() + ":" + uncheckedList(disk.peekKill()).size()));
        disk.create("a", 0);
        disk.create("b", 0);

        assertThat(lengths).containsExactly("CREATE:0", "CREATE:1");
    }

    @Test
    void aFullDiskRefusesAndRecovers() throws IOException {
        disk.capacity(10);
        WritableFile file = disk.create("a", 0);
        append(file, "12345678");
        assertThat(disk.usableSpace()).isEqualTo(2);
        assertThatThrownBy(() -> append(file, "abc")).isInstanceOf(OutOfSpaceException.class);
        assertThat(text(disk, "a")).isEqualTo("12345678");
        file.write(0, "x".getBytes(ISO_8859_1), 0, 1);

        disk.shortWrites(true);
        assertThatThrownBy(() -> append(file, "abc")).isInstanceOf(OutOfSpaceException.class);
        assertThat(text(disk, "a")).isEqualTo("x2345678ab");
        assertThatThrownBy(() -> file.reserve(11)).isInstanceOf(OutOfSpaceException.class);

        disk.delete("a");
        assertThat(disk.usableSpace()).as("still open").isZero();
        file.close();
        assertThat(disk.usableSpace()).isEqualTo(10);
    }

    @Test
    void linksShareTheFileAcrossDirectories() throws IOException {
        durable("a", "one").close();
        Path home = Path.of("home");
        IoManager main = disk.factory(home).open(home, false);
        assertThat(main.list()).containsExactly("a");
        assertThatThrownBy(() -> disk.factory(home).open(Path.of("copy"), false))
                .isInstanceOf(NoSuchFileException.class);
        IoManager copy = disk.factory(home).open(Path.of("copy"), true);

        main.linkTo(copy, "a");
        main.delete("a");
        main.syncDirectory();

        assertThat(copy.length("a")).isEqualTo(3);
        assertThat(disk.powerLoss(0).factory(home).open(Path.of("copy"), false).list())
                .as("link not synced")
                .isEmpty();
        assertThat(disk.powerLoss(1).factory(home).open(Path.of("copy"), false).list())
                .containsExactly("a");
    }

    @Test
    void linksToAnotherDiskAreCopies() throws IOException {
        durable("a", "one").close();
        CrashableIoManager other = new CrashableIoManager();
        disk.linkTo(other, "a");
        assertThat(text(other, "a")).isEqualTo("one");
    }

    @Test
    void pagesOfAFailedForceMayBeMarkedClean() throws IOException {
        WritableFile file = durable("a", "one");
        append(file, "two");
        assertThatThrownBy(
                        FaultPlan.failing(0).only(IoOperation.FORCE).wrap(disk).openWritable("a")::force)
                .isInstanceOf(IOException.class);
        file.force();

        assertThat(text(disk, "a")).isEqualTo("onetwo");
        assertThat(text(disk.peekKill(), "a")).isEqualTo("onetwo");
        assertThat(contentsAfterPowerLoss("a"))
                .as("skipped by the second force")
                .containsExactly("one\0\0\0");

        // Writing any of it again brings the sector back, as the cache has it.
        file.write(3, "t".getBytes(ISO_8859_1), 0, 1);
        file.force();
        assertThat(contentsAfterPowerLoss("a")).containsExactly("onetwo");
    }

    @Test
    void staleSectorsSurviveAKillAsSuch() throws IOException {
        WritableFile file = durable("a", "x".repeat(SECTOR));
        append(file, "y".repeat(SECTOR));
        append(file, "z");
        assertThatThrownBy(
                        FaultPlan.failing(0).only(IoOperation.FORCE).wrap(disk).openWritable("a")::force)
                .isInstanceOf(IOException.class);
        CrashableIoManager killed = disk.kill();
        WritableFile again = killed.openWritable("a");
        again.write(2 * SECTOR, new byte[] {'!'}, 0, 1);
        again.force();

        assertThat(text(killed, "a")).isEqualTo("x".repeat(SECTOR) + "y".repeat(SECTOR) + "!");
        assertThat(text(killed.peekPowerLoss(0), "a")).isEqualTo("x".repeat(SECTOR) + "\0".repeat(SECTOR) + "!");

        // Writing any of it again brings the sector back, as the cache has it.
        again.write(SECTOR + 7, new byte[] {'?'}, 0, 1);
        again.force();
        String sector = "y".repeat(7) + "?" + "y".repeat(SECTOR - 8);
        assertThat(text(killed.powerLoss(0), "a")).isEqualTo("x".repeat(SECTOR) + sector + "!");
    }

    @Test
    void pagesOfAFailedForceMayStayDirty() throws IOException {
        disk.failedForce(FailedForce.PAGES_STAY_DIRTY);
        WritableFile file = durable("a", "one");
        append(file, "two");
        assertThatThrownBy(
                        FaultPlan.failing(0).only(IoOperation.FORCE).wrap(disk).openWritable("a")::force)
                .isInstanceOf(IOException.class);

        assertThat(contentsAfterPowerLoss("a")).contains("one", "onetwo");
        file.force();
        assertThat(contentsAfterPowerLoss("a")).containsExactly("onetwo");
    }

    @Test
    void randomHistoriesMatchASimpleDisk() throws IOException {
        for (int seed = 0; seed < 300; seed++) {
            new DiskHistory(seed).run();
        }
    }

    private static CrashableIoManager script(CrashableIoManager disk) throws IOException {
        WritableFile file = disk.create("a", 0);
        append(file, "one");
        file.reserve(100);
        file.force();
        file.truncate(1);
        file.truncate(1);
        file.close();
        disk.rename("a", "b");
        disk.syncDirectory();
        disk.delete("b");
        return disk;
    }

    private static List<String> uncheckedList(CrashableIoManager disk) {
        try {
            return disk.list();
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    private WritableFile durable(String name, String text) throws IOException {
        WritableFile file = disk.create(name, 0);
        append(file, text);
        file.force();
        disk.syncDirectory();
        return file;
    }

    private static void append(WritableFile file, String text) throws IOException {
        byte[] bytes = text.getBytes(ISO_8859_1);
        file.write(file.length(), bytes, 0, bytes.length);
    }

    private static String text(CrashableIoManager disk, String name) throws IOException {
        return new String(disk.content(name), ISO_8859_1);
    }

    private Set<String> contentsAfterPowerLoss(String name) throws IOException {
        Set<String> seen = new TreeSet<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            CrashableIoManager after = disk.peekPowerLoss(seed);
            if (after.list().contains(name)) {
                seen.add(text(after, name));
            }
        }
        return seen;
    }

    private Set<List<String>> namesAfterPowerLoss() throws IOException {
        Set<List<String>> seen = new HashSet<>();
        for (int seed = 0; seed < SEEDS; seed++) {
            seen.add(disk.peekPowerLoss(seed).list());
        }
        return seen;
    }

    /** One file, random calls, and plain arrays to compare with. */
    private static final class DiskHistory {
        private final int seed;
        private final Random random;
        private byte[] cached = new byte[0];
        private byte[] durable = new byte[0];

        DiskHistory(int seed) {
            this.seed = seed;
            this.random = new Random(seed);
        }

        void run() throws IOException {
            CrashableIoManager disk = new CrashableIoManager();
            WritableFile file = disk.create("a", 0);
            disk.syncDirectory();
            for (int i = 0; i < 60; i++) {
                switch (random.nextInt(6)) {
                    case 0 -> {
                        file.force();
                        durable = cached.clone();
                    }
                    case 1 -> {
                        int length = random.nextInt(cached.length + 1);
                        file.truncate(length);
                        cached = Arrays.copyOf(cached, length);
                    }
                    default -> {
                        byte[] bytes = new byte[random.nextInt(700)];
                        random.nextBytes(bytes);
                        int offset = random.nextInt(cached.length + 1);
                        file.write(offset, bytes, 0, bytes.length);
                        cached = Arrays.copyOf(cached, Math.max(cached.length, offset + bytes.length));
                        System.arraycopy(bytes, 0, cached, offset, bytes.length);
                    }
                }
                String context = "seed=" + seed + ", step=" + i;
                assertThat(disk.content("a")).as(context).isEqualTo(cached);
                assertThat(disk.peekPowerLoss(0).content("a")).as(context).isEqualTo(durable);
                assertThat(disk.peekPowerLoss(1).content("a")).as(context).isEqualTo(cached);
                for (int loss = 5; loss < 10; loss++) {
                    disk.peekPowerLoss(loss + 100L * i).content("a");
                }
            }
        }
    }
}
