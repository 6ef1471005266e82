package dev.caskwright.bolt;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Backups;
import dev.caskwright.api.CopyReport;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineLockedException;
import dev.caskwright.api.Restoring;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.ForwardingIoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.bolt.check.Reachable;
import dev.caskwright.io.standard.StandardIoManager;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Objects;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

class FileBackupTest {
    private static final int PAGE = 4096;
    private static final byte[] BUCKET = "bucket".getBytes(UTF_8);
    private static final int KEYS = 60;

    @TempDir
    private Path directory;

    private Path file;
    private Path target;

    @BeforeEach
    void makeStore() throws IOException {
        file = directory.resolve("store.db");
        target = directory.resolve("backup.db");
        put(file, "a", "1");
    }

    private static BoltEngine open(Path path) throws IOException {
        return BoltEngine.over(BoltDatabase.open(path), List.of("data".getBytes(UTF_8)), true);
    }

    private static void put(Path path, String key, String value) throws IOException {
        try (BoltEngine engine = open(path)) {
            engine.put(key.getBytes(UTF_8), value.getBytes(UTF_8));
        }
    }

    private static byte[] get(Path path, String key) throws IOException {
        try (BoltEngine engine = open(path)) {
            return engine.get(key.getBytes(UTF_8));
        }
    }

    private Backups atRest() {
        return new BoltAtRest(file, StandardIoManager::open);
    }

    @Test
    void anUnchangedStoreIsNotCopiedAgain() throws IOException {
        CopyReport first = atRest().backup(target);
        assertThat(first.filesBrought()).isEqualTo(1);
        assertThat(first.bytes()).isEqualTo(Files.size(target));
        assertThat(atRest().backup(target).filesBrought()).isZero();
        put(file, "b", "2");
        assertThat(atRest().backup(target).filesBrought()).isEqualTo(1);
        assertThat(get(target, "b")).isEqualTo("2".getBytes(UTF_8));
    }

    @Test
    void aBackupThatWasWrittenToIsLeftAlone() throws IOException {
        atRest().backup(target);
        put(target, "own", "1");
        put(file, "b", "2");
        assertThatThrownBy(() -> atRest().backup(target))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("backup.db");
        assertThat(get(target, "own")).isNotNull();
    }

    @Test
    void theBackupOfAnotherStoreIsLeftAlone() throws IOException {
        Path other = directory.resolve("other.db");
        put(other, "other", "1");
        new BoltAtRest(other, StandardIoManager::open).backup(target);
        byte[] before = Files.readAllBytes(target);
        assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(UnsupportedFormatException.class);
        assertThat(target).hasBinaryContent(before);
    }

    @Test
    void linksToTheStoreAreTheStore() throws IOException {
        Files.createLink(target, file);
        assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(IllegalArgumentException.class);
        Path link = Files.createSymbolicLink(directory.resolve("link"), file);
        assertThatThrownBy(() -> atRest().backup(link)).isInstanceOf(IllegalArgumentException.class);
        assertThat(get(file, "a")).isNotNull();
    }

    @Test
    void aDamagedStoreLeavesTheEarlierBackupAsItIs() throws IOException {
        atRest().backup(target);
        byte[] before = Files.readAllBytes(target);
        try (BoltEngine engine = open(file)) {
            for (int i = 0; i < 1_000; i++) {
                engine.put(("key" + i).getBytes(UTF_8), new byte[20]);
            }
        }
        byte[] bytes = Files.readAllBytes(file);
        for (int page = 2; page < bytes.length / PAGE; page++) {
            if (bytes[page * PAGE + 8] == 0x02) { // a leaf: its number becomes another's
                ByteBuffer.wrap(bytes).put(page * PAGE, (byte) (bytes[page * PAGE] ^ 1));
            }
        }
        Files.write(file, bytes);
        assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(CorruptRecordException.class);
        assertThat(target).hasBinaryContent(before);
        try (var files = Files.list(directory)) {
            assertThat(files).as("no unfinished copy is left").hasSize(2);
        }
    }

    @Test
    void anotherNameOfItsDirectoryMakesNoOtherStore() throws IOException {
        atRest().backup(target);
        put(file, "b", "2");
        Path link = Files.createSymbolicLink(directory.resolve("link"), directory);
        Path up = directory.resolve("link").resolve("..").resolve(directory.getFileName());
        for (Path other : List.of(link, up, Path.of("").toAbsolutePath().relativize(directory))) {
            put(file, "b", other.toString());
            CopyReport report = new BoltAtRest(other.resolve("store.db"), StandardIoManager::open).backup(target);
            assertThat(report.filesBrought()).as("%s", other).isEqualTo(1);
        }
    }

    @Test
    void anotherHistoryOfAsManyCommitsIsNotTakenForTheSame() throws IOException {
        atRest().backup(target);
        byte[] before = Files.readAllBytes(target);
        Files.delete(file);
        put(file, "a", "2"); // as many pages, at the same places
        assertThatThrownBy(() -> atRest().backup(target))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("backup.db");
        assertThat(target).hasBinaryContent(before);
    }

    @Test
    void aStoreThatWentBackDoesNotReplaceWhatItWas() throws IOException {
        byte[] earlier = Files.readAllBytes(file);
        put(file, "b", "2");
        atRest().backup(target);
        byte[] before = Files.readAllBytes(target);
        Files.write(file, earlier);
        assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(UnsupportedFormatException.class);
        assertThat(target).hasBinaryContent(before);
    }

    @Test
    void aDamagedBackupIsNotTakenForAGoodOne() throws IOException {
        atRest().backup(target);
        byte[] before = Files.readAllBytes(target);
        int value = new String(before, ISO_8859_1).lastIndexOf("a1");
        for (int length : new int[] {before.length, before.length - PAGE}) {
            byte[] damaged = Arrays.copyOf(before, length);
            if (length == before.length) {
                damaged[value + 1] ^= 1;
            }
            Files.write(target, damaged);
            assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(UnsupportedFormatException.class);
            assertThat(target).hasBinaryContent(damaged);
        }
    }

    @Test
    void whatFreePagesHoldDoesNotMatter() throws IOException {
        put(file, "b", "2");
        atRest().backup(target);
        byte[] bytes = Files.readAllBytes(file);
        try (BoltDatabase database = BoltDatabase.builder(file).readOnly(true).open()) {
            Reachable used = Reachable.of(database.store(), database.query(BoltTransaction::meta));
            long freelist = database.query(BoltTransaction::meta).freelist();
            int free = 2;
            while (used.contains(free) || free == freelist) {
                free++;
            }
            bytes[free * PAGE + 100] ^= 1;
        }
        Files.write(file, bytes);
        assertThat(atRest().backup(target).filesBrought()).isZero();
    }

    @Test
    void aBackupThatIsOpenForWritingIsLeftAlone() throws IOException {
        atRest().backup(target);
        put(file, "b", "2");
        try (BoltEngine opened = open(target)) {
            assertThatThrownBy(() -> atRest().backup(target)).isInstanceOf(EngineLockedException.class);
            opened.put("own".getBytes(UTF_8), new byte[0]);
        }
        assertThat(get(target, "own")).isNotNull();
    }

    @Test
    void whatNeedsNoLockIsBackedUpWithoutOne() throws IOException {
        IoManagerFactory lockless = (path, create) -> new ForwardingIoManager(StandardIoManager.open(path, create)) {
            @Override
            public Lock lockFile(String name, boolean exclusive) throws IOException {
                throw new IOException("no locks here (simulated)");
            }
        };
        for (int i = 0; i < 2; i++) {
            try (BoltEngine engine = BoltEngine.over(
                    BoltDatabase.builder(file).io(lockless).requiresLock(false).open(),
                    List.of("data".getBytes(UTF_8)),
                    true)) {
                engine.put("b".getBytes(UTF_8), new byte[i]);
                assertThat(engine.backup(target).filesBrought()).isEqualTo(1);
            }
        }
    }

    @Test
    void aCopyThatWasCutShortIsNamed() throws IOException {
        Path unfinished = Files.createFile(directory.resolve("backup.db.copying"));
        assertThatThrownBy(() -> atRest().backup(target))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("backup.db.copying");
        assertThat(unfinished).exists();
        assertThat(target).doesNotExist();
    }

    private static BoltDatabase simulated(IoManagerFactory io, String name) throws IOException {
        return BoltDatabase.builder(Path.of("/simulated", name))
                .pageSize(512)
                .io(io)
                .open();
    }

    /** Checks a file, if it is there, and returns the value that each of its keys has. */
    private static String contentOf(CrashableIoManager image, String name, String where) {
        try (BoltDatabase database = BoltDatabase.builder(Path.of("/simulated", name))
                .io(image.factory())
                .readOnly(true)
                .open()) {
            assertThat(database.check().problems()).as(where).isEmpty();
            List<String> values = new ArrayList<>();
            database.view(transaction -> Objects.requireNonNull(transaction.bucket(BUCKET))
                    .forEach((key, value) -> values.add(new String(value, UTF_8))));
            assertThat(values).as(where).hasSize(KEYS);
            assertThat(values).as(where).containsOnly(values.get(0));
            return values.get(0);
        } catch (NoSuchFileException e) {
            return "missing";
        } catch (IOException e) {
            throw new AssertionError(where + ": " + e, e);
        }
    }

    private static void putAll(IoManagerFactory io, String value) throws IOException {
        try (BoltDatabase database = simulated(io, "store.db")) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucketIfNotExists(BUCKET);
                for (int i = 0; i < KEYS; i++) {
                    bucket.put(("key" + i).getBytes(UTF_8), value.getBytes(UTF_8));
                }
            });
        }
    }

    private static void copies(IoManagerFactory io) throws IOException {
        BoltAtRest store = new BoltAtRest(Path.of("/simulated/store.db"), io);
        store.backup(Path.of("/simulated/backup.db"));
        store.restoreTo(Path.of("/simulated/restored.db"));
        try (BoltDatabase database = simulated(io, "store.db")) {
            database.copyTo(Path.of("/simulated/copy.db"));
        }
    }

    private static void judge(CrashableIoManager image, String where) {
        assertThat(contentOf(image, "backup.db", where)).as(where).isIn("old", "new");
        assertThat(contentOf(image, "restored.db", where)).as(where).isIn("missing", "new");
        assertThat(contentOf(image, "copy.db", where)).as(where).isIn("missing", "new");
    }

    private static CrashableIoManager storeWithABackup() throws IOException {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        putAll(disk.factory(), "old");
        new BoltAtRest(Path.of("/simulated/store.db"), disk.factory()).backup(Path.of("/simulated/backup.db"));
        putAll(disk.factory(), "new");
        return disk;
    }

    @Test
    void aCrashLeavesTheEarlierBackupAndNoHalfCopies() throws IOException {
        CrashableIoManager disk = storeWithABackup();
        disk.observer(call -> {
            judge(disk.peekKill(), "killed before " + call);
            for (int seed = 0; seed < 6; seed++) {
                judge(disk.peekPowerLoss(seed), "power lost before " + call + ", seed " + seed);
            }
        });
        copies(disk.factory());
        disk.observer(null);
        judge(disk.peekPowerLoss(1), "done");
        assertThat(disk.list()).containsExactlyInAnyOrder("store.db", "backup.db", "restored.db", "copy.db");
    }

    @ParameterizedTest
    @EnumSource(value = Fault.class, names = "INTERRUPT", mode = EnumSource.Mode.EXCLUDE)
    void aFailureLeavesTheEarlierBackupAndNoHalfCopies(Fault fault) throws IOException {
        for (int n = 0; ; n++) {
            CrashableIoManager disk = storeWithABackup();
            FaultPlan plan = FaultPlan.failing(n).with(fault);
            try {
                copies(plan.wrap(disk.factory()));
            } catch (IOException | IllegalStateException | OutOfMemoryError e) {
                assertThat(plan.hasFired()).as(plan + ": " + e).isTrue();
            }
            judge(disk.peekKill(), plan + ", call " + n);
            if (!plan.hasFired()) {
                return;
            }
        }
    }

    @Test
    void aBackupIsRestoredToANewFileOnly() throws IOException {
        atRest().backup(target);
        Path restored = directory.resolve("restored.db");
        Restoring backup = new BoltAtRest(target, StandardIoManager::open);
        backup.restoreTo(restored);
        assertThat(get(restored, "a")).isEqualTo("1".getBytes(UTF_8));
        assertThatThrownBy(() -> backup.restoreTo(restored)).isInstanceOf(UnsupportedFormatException.class);
        assertThatThrownBy(() -> backup.restoreTo(target)).isInstanceOf(IllegalArgumentException.class);
    }

    @Test
    void aRestoredStoreIsNoBackup() throws IOException {
        atRest().backup(target);
        Path restored = directory.resolve("restored.db");
        new BoltAtRest(target, StandardIoManager::open).restoreTo(restored);
        assertThatThrownBy(() -> atRest().backup(restored)).isInstanceOf(UnsupportedFormatException.class);
    }
}
