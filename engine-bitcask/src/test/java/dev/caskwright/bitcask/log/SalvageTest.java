package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.bitcask.SmallImageIndex;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.TestTasks;
import java.io.IOException;
import java.lang.reflect.InvocationTargetException;
import java.lang.reflect.Proxy;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Damages small stores in every place and salvages them: the new store is sound and has, of each key, what the newest
 * record left whole says; what is not there is reported; the old store is as it was.
 * {@code -Dcaskwright.salvage.seeds} sets how many stores the campaign damages.
 */
final class SalvageTest {
    private static final Path OLD = Path.of("old");
    private static final Path NEW = Path.of("new");

    /** Each build damages every third byte, which is every byte of some record or other; the campaign damages all. */
    private static final int STEP = 3;

    /** A record as it was written; {@code end} is behind its last byte that counts. */
    private record Written(String file, long id, long from, long end, int batch, byte[] key, Entry put) {}

    /** A store on disk, and its records. */
    private static final class Victim {
        final ManualClock clock = new ManualClock();
        final Map<String, byte[]> files = new TreeMap<>();
        final List<Written> records = new ArrayList<>();
        long damages;

        Victim(long seed, boolean isClosed) throws IOException {
            Random random = new Random(seed);
            CrashableIoManager disk = new CrashableIoManager();
            BitcaskEngine engine = open(disk, random);
            write(engine, random, 14);
            engine.merge();
            write(engine, random, 14);
            engine.close();
            engine = open(disk, random);
            write(engine, random, 6);
            if (isClosed) {
                engine.close();
            }
            disk = disk.kill();
            for (String name : disk.list()) {
                files.put(name, disk.content(name));
            }
            for (String name : files.keySet()) {
                if (name.endsWith("ed") || name.endsWith(".data")) {
                    read(disk, name);
                }
            }
            records.sort((a, b) -> a.id() != b.id() ? Long.compare(a.id(), b.id()) : Long.compare(a.from(), b.from()));
            assertThat(expected(files).keySet())
                    .usingElementComparator(Arrays::compareUnsigned)
                    .isNotEmpty();
        }

        private BitcaskEngine open(CrashableIoManager disk, Random random) throws IOException {
            return builder(disk, random).open();
        }

        private EngineBuilder builder(CrashableIoManager disk, Random random) {
            return BitcaskEngine.builder(OLD)
                    .index(context -> new SmallImageIndex(() -> {}))
                    .io(disk.factory(OLD))
                    .clock(clock)
                    .random(random::nextLong)
                    .executor(TestTasks.executor())
                    .autoMerge(false)
                    .replayThreads(1)
                    .durability(Durability.WRITE)
                    .maxFileBytes(500);
        }

        private static void write(BitcaskEngine engine, Random random, int count) throws IOException {
            for (int i = 0; i < count; i++) {
                byte[] key = KeyValues.key(random.nextInt(10));
                switch (random.nextInt(5)) {
                    case 0 -> engine.delete(key);
                    case 1 ->
                        engine.write(
                                new WriteBatch()
                                        .put(key, KeyValues.value(random, 40))
                                        .put(KeyValues.key(random.nextInt(10)), KeyValues.value(random, 40))
                                        .delete(KeyValues.key(random.nextInt(10))),
                                WriteOptions.WRITE);
                    case 2 ->
                        engine.put(
                                key,
                                KeyValues.value(random, 40),
                                WriteOptions.WRITE.timeToLive(Duration.ofSeconds(1 + random.nextInt(100))));
                    default -> engine.put(key, KeyValues.value(random, 60), WriteOptions.SYNC);
                }
            }
        }

        private void read(CrashableIoManager disk, String name) throws IOException {
            try (ReadableFile handle = disk.open(name)) {
                DataFile.Header header = DataFile.header(handle);
                DataFile file =
                        new DataFile(header.id(), 0, false, header.store().seed(), handle, handle.length());
                FileScanner scanner = new FileScanner(file, DataFile.HEADER_LENGTH, handle.length());
                int batch = 0;
                while (scanner.tryNext()) {
                    boolean isPut = scanner.isPut();
                    long end = scanner.offset()
                            + RecordFormat.headerLength(scanner.kind())
                            + scanner.keyLength()
                            + scanner.valueLength();
                    Entry put = isPut
                            ? new Entry(scanner.key(), scanner.value(), scanner.version(), scanner.expiresAt())
                            : null;
                    boolean isPartOfBatch = scanner.isInBatch() || scanner.isBatchEnd();
                    records.add(new Written(
                            name,
                            header.id(),
                            scanner.offset(),
                            end,
                            isPartOfBatch ? batch : -1,
                            isPut || scanner.isTombstone() ? scanner.key() : null,
                            put));
                    batch += scanner.isBatchEnd() ? 1 : 0;
                }
            }
        }

        boolean isWhole(Written record, Map<String, byte[]> now) {
            byte[] before = files.get(record.file());
            byte[] after = now.get(record.file());
            return after != null
                    && RecordFormat.align(record.end()) <= after.length
                    && Arrays.equals(before, (int) record.from(), (int) record.end(), after, (int) record.from(), (int)
                            record.end());
        }

        List<Written> lost(Map<String, byte[]> now) {
            return records.stream()
                    .filter(record -> !records.stream()
                            .filter(other -> other == record
                                    || record.batch() >= 0
                                            && other.batch() == record.batch()
                                            && other.file().equals(record.file()))
                            .allMatch(other -> isWhole(other, now)))
                    .toList();
        }

        /** What the newest records that are whole say. */
        NavigableMap<byte[], Entry> expected(Map<String, byte[]> now) {
            List<Written> lost = lost(now);
            NavigableMap<byte[], Entry> expected = KeyValues.newMap();
            for (Written record : records) {
                if (record.key() == null || lost.contains(record)) {
                    continue;
                }
                if (record.put() == null) {
                    expected.remove(record.key());
                } else {
                    expected.put(record.key(), record.put());
                }
            }
            return expected;
        }

        void judge(String what, String name, byte[] damaged) throws IOException {
            Map<String, byte[]> changed = new HashMap<>();
            changed.put(name, damaged);
            judge(what, changed);
        }

        /** Salvages the store with some files replaced, or removed where the bytes are null. */
        void judge(String what, Map<String, byte[]> changed) throws IOException {
            damages++;
            Map<String, byte[]> now = new TreeMap<>(files);
            now.putAll(changed);
            now.values().removeIf(bytes -> bytes == null);
            try {
                SalvageReport report = salvage(now, expected(now));
                for (Written record : lost(now)) {
                    assertThat(report.losses())
                            .as("%s", record)
                            .anyMatch(loss -> loss.file().equals(record.file())
                                    && (loss.from() <= record.from() && record.end() <= loss.to()
                                            || changed.containsKey(record.file())
                                                    && changed.get(record.file()) == null));
                }
            } catch (IOException | AssertionError e) {
                throw new AssertionError(what + " of " + changed.keySet() + ": " + e, e);
            }
        }

        SalvageReport salvage(Map<String, byte[]> now, NavigableMap<byte[], Entry> expected) throws IOException {
            CrashableIoManager disk = new CrashableIoManager().logging(false);
            now.forEach(disk::install);
            long calls = disk.operations();
            CrashableIoManager fresh = new CrashableIoManager().logging(false);
            IoManagerFactory both = (directory, create) ->
                    (directory.equals(OLD) ? disk : fresh).factory().open(directory, create);
            SalvageReport report = BitcaskEngine.salvage(OLD, NEW, both);
            assertThat(disk.operations()).as("calls that change the old store").isEqualTo(calls);
            assertThat(disk.list()).containsExactlyInAnyOrderElementsOf(now.keySet());
            for (String name : disk.list()) {
                assertThat(disk.content(name)).isEqualTo(now.get(name));
            }
            assertHolds(fresh, expected);
            return report;
        }

        /** The new store holds this, survives a power loss as it is, and goes on. */
        private void assertHolds(CrashableIoManager disk, NavigableMap<byte[], Entry> expected) throws IOException {
            CrashableIoManager lost = disk.peekPowerLoss(0);
            assertThat(BitcaskEngine.verify(NEW, disk.factory()).damages()).isEmpty();
            assertThat(BitcaskEngine.verify(NEW, lost.factory()).damages())
                    .as("hint files are not forced, all else is")
                    .allMatch(damage -> damage.file().endsWith(".hint"));
            for (CrashableIoManager each : List.of(disk, lost)) {
                // Without images of its index, which would be most of the work.
                try (BitcaskEngine engine =
                        builder(each, new Random(1)).imageEveryBytes(0).open()) {
                    assertSame(expected, engine);
                    byte[] key = KeyValues.bytes("next");
                    engine.put(key, key);
                    engine.merge();
                    engine.delete(key);
                    assertSame(expected, engine);
                }
            }
        }

        private void assertSame(NavigableMap<byte[], Entry> expected, BitcaskEngine engine) throws IOException {
            NavigableMap<byte[], Entry> found = KeyValues.entries(engine);
            assertThat(found.keySet().stream().map(KeyValues::describe))
                    .containsExactlyElementsOf(
                            expected.keySet().stream().map(KeyValues::describe).toList());
            found.forEach((key, entry) -> {
                assertThat(entry.value()).isEqualTo(expected.get(key).value());
                assertThat(entry.version()).isEqualTo(expected.get(key).version());
                assertThat(entry.expiresAtMillis()).isEqualTo(expected.get(key).expiresAtMillis());
            });
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void aSoundStoreIsSalvagedWhole(boolean isClosed) throws IOException {
        Victim victim = new Victim(1, isClosed);
        SalvageReport report = victim.salvage(victim.files, victim.expected(victim.files));
        assertThat(report.losses()).isEmpty();
        assertThat(report.isComplete()).isTrue();
        assertThat(report.records())
                .isEqualTo(victim.records.stream()
                        .filter(record -> record.key() != null)
                        .count());
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everythingSoundIsSavedWhicheverByteIsWrong(boolean isClosed) throws IOException {
        Victim victim = new Victim(2, isClosed);
        flip(victim, 1, STEP);
        assertThat(victim.damages).isGreaterThan(1_000);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everythingSoundIsSavedWhicheverBlockIsZero(boolean isClosed) throws IOException {
        zero(new Victim(3, isClosed));
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everythingSoundIsSavedWhereverAFileIsCut(boolean isClosed) throws IOException {
        truncate(new Victim(4, isClosed), STEP);
    }

    @ParameterizedTest
    @ValueSource(booleans = {true, false})
    void everythingSoundIsSavedWhicheverFilesAreMissing(boolean isClosed) throws IOException {
        remove(new Victim(5, isClosed));
    }

    @Test
    @Tag("campaign")
    void everythingSoundIsSavedFromManyStores() throws IOException {
        long seeds = Long.getLong("caskwright.salvage.seeds", 20);
        long damages = 0;
        for (long seed = 100; seed < 100 + seeds; seed++) {
            for (boolean isClosed : new boolean[] {true, false}) {
                Victim victim = new Victim(seed, isClosed);
                flip(victim, 8, 1);
                zero(victim);
                truncate(victim, 1);
                remove(victim);
                damages += victim.damages;
            }
            System.out.println("salvage campaign: stores=" + 2 * (seed - 99) + ", damages judged=" + damages);
        }
    }

    private static void flip(Victim victim, int bitsPerByte, int step) throws IOException {
        for (Map.Entry<String, byte[]> file : victim.files.entrySet()) {
            for (int at = 0; at < file.getValue().length; at += step) {
                for (int bit = 0; bit < bitsPerByte; bit++) {
                    byte[] damaged = file.getValue().clone();
                    damaged[at] ^= (byte) (1 << ((bit + 7 * at) & 7));
                    victim.judge("bit " + ((bit + 7 * at) & 7) + " of byte " + at, file.getKey(), damaged);
                }
            }
        }
    }

    private static void zero(Victim victim) throws IOException {
        for (Map.Entry<String, byte[]> file : victim.files.entrySet()) {
            byte[] bytes = file.getValue();
            for (int block : new int[] {8, 64, 256}) {
                // Zeros up to the end of a file that is not sealed cannot be told from space held ready.
                for (int at = 0; at + block < lastByte(bytes); at += block) {
                    byte[] damaged = bytes.clone();
                    Arrays.fill(damaged, at, at + block, (byte) 0);
                    victim.judge("zeros at " + at + ", length=" + block, file.getKey(), damaged);
                }
            }
        }
    }

    private static int lastByte(byte[] bytes) {
        int last = bytes.length - 1;
        while (last > 0 && bytes[last] == 0) {
            last--;
        }
        return last - RecordFormat.LONG_HEADER;
    }

    private static void truncate(Victim victim, int step) throws IOException {
        for (Map.Entry<String, byte[]> file : victim.files.entrySet()) {
            boolean isListed = !file.getKey().endsWith(".data");
            for (int length = 0; length < file.getValue().length; length += step) {
                Map<String, byte[]> now = new TreeMap<>(victim.files);
                now.put(file.getKey(), Arrays.copyOf(file.getValue(), length));
                victim.damages++;
                try {
                    SalvageReport report = victim.salvage(now, victim.expected(now));
                    if (isListed && !victim.lost(now).isEmpty()) {
                        assertThat(report.losses()).anyMatch(loss -> loss.file().equals(file.getKey()));
                    }
                } catch (IOException | AssertionError e) {
                    throw new AssertionError("cut of " + file.getKey() + " to " + length + ": " + e, e);
                }
            }
        }
    }

    /** Removes every set of up to two files. */
    private static void remove(Victim victim) throws IOException {
        List<String> names = List.copyOf(victim.files.keySet());
        for (int i = 0; i < names.size(); i++) {
            for (int j = i; j < names.size(); j++) {
                Map<String, byte[]> now = new TreeMap<>(victim.files);
                now.keySet().removeAll(List.of(names.get(i), names.get(j)));
                victim.damages++;
                SalvageReport report = victim.salvage(now, victim.expected(now));
                if (!now.containsKey(FileNames.MANIFEST)) {
                    assertThat(report.losses()).anyMatch(loss -> loss.file().equals(FileNames.MANIFEST));
                }
            }
        }
    }

    @Test
    void theStoreIsKnownEvenIfNoHeaderIsSound() throws IOException {
        Victim victim = new Victim(6, false);
        Map<String, byte[]> now = new TreeMap<>(victim.files);
        now.replaceAll((name, bytes) -> {
            byte[] damaged = bytes.clone();
            damaged[60] ^= 1; // the header's checksum
            return damaged;
        });
        SalvageReport report = victim.salvage(now, victim.expected(victim.files));
        assertThat(report.losses()).anyMatch(loss -> loss.what().contains("bad file header"));
    }

    @Test
    void swappedFilesAreTakenForWhatTheyAre() throws IOException {
        Victim victim = new Victim(7, true);
        List<String> names = victim.files.keySet().stream()
                .filter(name -> name.endsWith(".data"))
                .toList();
        assertThat(names).hasSizeGreaterThan(1);
        for (int i = 1; i < names.size(); i++) {
            Map<String, byte[]> now = new TreeMap<>(victim.files);
            now.put(names.get(0), victim.files.get(names.get(i)));
            now.put(names.get(i), victim.files.get(names.get(0)));
            assertThat(victim.salvage(now, victim.expected(victim.files)).losses())
                    .hasSize(2);
        }
    }

    @Test
    void filesOfAnotherStoreAreLeftOut() throws IOException {
        Victim victim = new Victim(8, true);
        Victim other = new Victim(9, true);
        int swapped = 0;
        for (String name : victim.files.keySet()) {
            byte[] foreign = other.files.get(name);
            if (foreign == null) {
                continue;
            }
            swapped++;
            Map<String, byte[]> now = new TreeMap<>(victim.files);
            now.put(name, foreign);
            Map<String, byte[]> left = new TreeMap<>(victim.files);
            if (!name.equals(FileNames.MANIFEST)) {
                left.remove(name);
            }
            SalvageReport report = victim.salvage(now, victim.expected(left));
            if (!name.endsWith(".hint")) {
                assertThat(report.losses()).anyMatch(loss -> loss.what().contains("another store"));
            }
        }
        assertThat(swapped).isGreaterThan(1);
    }

    @Test
    void whatAMergeLeftBehindIsTakenOnlyWithoutAManifest() throws IOException {
        Victim victim = new Victim(10, true);
        Map<String, byte[]> now = new TreeMap<>(victim.files);
        // A copy of a merged file under a lower number, as an input that could not be deleted: its header says which
        // file it is, so it has to be made again.
        byte[] input = leftover(victim);
        now.put(FileNames.data(1), input);
        assertThat(victim.files).doesNotContainKey(FileNames.data(1));
        assertThat(victim.salvage(now, victim.expected(victim.files)).losses()).isEmpty();
        now.remove(FileNames.MANIFEST);
        NavigableMap<byte[], Entry> expected = victim.expected(victim.files);
        byte[] key = KeyValues.bytes("deleted");
        expected.put(key, new Entry(key, new byte[0], 1, Entry.NEVER));
        assertThat(victim.salvage(now, expected).losses())
                .anyMatch(loss -> loss.what().contains("all data files are taken"));
    }

    private static byte[] leftover(Victim victim) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        victim.files.forEach(disk::install);
        StoreId store = Manifest.read(disk).store();
        EncodedDraft draft = new EncodedDraft();
        draft.put(KeyValues.bytes("deleted"), new byte[0], 0);
        long seed = RecordFormat.fileSeed(store.seed(), 1);
        draft.place(1, RecordFormat.DISTANCE_UNKNOWN, RecordFormat.mask(seed, DataFile.HEADER_LENGTH));
        byte[] file = Arrays.copyOf(
                DataFile.encodeHeader(store, 1, 0, 7, null), (int) (DataFile.HEADER_LENGTH + draft.length()));
        System.arraycopy(draft.bytes(), 0, file, DataFile.HEADER_LENGTH, (int) draft.length());
        return file;
    }

    @Test
    void blocksThatCannotBeReadCostOnlyWhatIsInThem() throws IOException {
        Victim victim = new Victim(11, true);
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        byte[] key = KeyValues.bytes("large");
        try (BitcaskEngine engine = BitcaskEngine.builder(OLD)
                .io(disk.factory())
                .executor(TestTasks.executor())
                .clock(victim.clock)
                .open()) {
            for (int i = 0; i < 100; i++) {
                engine.put(KeyValues.key(i), new byte[1_000]);
            }
            engine.put(key, new byte[10_000]);
            for (int i = 100; i < 200; i++) {
                engine.put(KeyValues.key(i), new byte[1_000]);
            }
        }
        CrashableIoManager fresh = new CrashableIoManager();
        IoManagerFactory both = (directory, create) ->
                directory.equals(OLD) ? refusing(disk, 50_000) : fresh.factory().open(directory, create);
        SalvageReport report = BitcaskEngine.salvage(OLD, NEW, both);
        assertThat(report.records()).isBetween(190L, 199L);
        assertThat(report.losses()).anyMatch(loss -> loss.what().contains("cannot be read"));
        assertThat(report.bytesLost()).isBetween(4096L, 8192L);
        try (BitcaskEngine engine =
                BitcaskEngine.builder(NEW).io(fresh.factory()).open()) {
            assertThat(engine.get(key)).hasSize(10_000);
            assertThat(engine.size()).isEqualTo(report.records());
        }
    }

    /** Returns the manager with a byte of each file that cannot be read. */
    private static IoManager refusing(CrashableIoManager disk, long bad) throws IOException {
        IoManager io = disk.factory().open(OLD, false);
        return (IoManager) Proxy.newProxyInstance(
                SalvageTest.class.getClassLoader(), new Class<?>[] {IoManager.class}, (proxy, method, arguments) -> {
                    Object result = invoke(io, method, arguments);
                    if (!(result instanceof ReadableFile file)) {
                        return result;
                    }
                    return Proxy.newProxyInstance(
                            SalvageTest.class.getClassLoader(),
                            new Class<?>[] {ReadableFile.class},
                            (self, read, given) -> {
                                if (read.getName().equals("read")
                                        && (long) given[0] <= bad
                                        && bad < (long) given[0] + (int) given[3]) {
                                    throw new IOException("input/output error: file=" + file.name());
                                }
                                return invoke(file, read, given);
                            });
                });
    }

    private static Object invoke(Object target, java.lang.reflect.Method method, Object[] arguments) throws Throwable {
        try {
            return method.invoke(target, arguments);
        } catch (InvocationTargetException e) {
            throw e.getCause();
        }
    }

    @Test
    void nothingIsWrittenOverOrInsideAStore() throws IOException {
        Victim victim = new Victim(12, true);
        CrashableIoManager disk = new CrashableIoManager();
        victim.files.forEach(disk::install);
        assertThatThrownBy(() -> BitcaskEngine.salvage(OLD, OLD.resolve("new"), disk.factory(OLD)))
                .isInstanceOf(IllegalArgumentException.class);
        IoManagerFactory always = (directory, create) -> disk.factory().open(OLD, create);
        assertThatThrownBy(() -> BitcaskEngine.salvage(OLD, NEW, always))
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("not empty");
        CrashableIoManager empty = new CrashableIoManager();
        assertThatThrownBy(() -> BitcaskEngine.salvage(OLD, NEW, empty.factory(OLD)))
                .isInstanceOf(UnsupportedFormatException.class);
        for (String name : disk.list()) {
            assertThat(disk.content(name)).isEqualTo(victim.files.get(name));
        }
    }
}
