package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.StoreModel;
import dev.caskwright.testkit.TestExecutor;
import java.io.IOException;
import java.util.Arrays;
import java.util.HashMap;
import java.util.Map;
import java.util.NavigableMap;
import java.util.Random;
import java.util.TreeMap;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;

/**
 * Damages every byte of small stores: what is read afterwards is right, or an error that names the file, or, in the part
 * of a killed store that was never durable, an earlier state. {@code -Dcaskwright.damage.seeds} sets how many stores the
 * campaign damages.
 */
final class DamageTest {
    /** Each build damages every third byte, which is every byte of some record or other; the campaign damages all. */
    private static final int STEP = 3;

    /** A store on disk, and what it held. */
    private static final class Victim {
        final Map<String, byte[]> files = new TreeMap<>();
        final StoreModel model;
        final StoreModel prefixes;
        final ManualClock clock;
        final boolean isClosed;
        final int keys;
        private final CrashableIoManager whole = new CrashableIoManager().logging(false);
        long damages;

        /** Whether damage may be so large that no record is left to prove that what it hit had been durable. */
        boolean isTailLost;

        /** The second model has all writes at NONE: any first part of the writes will do. */
        Victim(
                CrashableIoManager disk,
                StoreModel model,
                StoreModel prefixes,
                ManualClock clock,
                boolean isClosed,
                int keys)
                throws IOException {
            for (String name : disk.factory(HOME).open(HOME, false).list()) {
                files.put(name, disk.content(name));
                whole.install(name, disk.content(name));
            }
            this.keys = keys;
            this.model = model;
            this.prefixes = prefixes;
            this.clock = clock;
            this.isClosed = isClosed;
        }

        void judge(String what, String name, byte[] damaged) {
            Map<String, byte[]> changed = new HashMap<>();
            changed.put(name, damaged);
            judge(what, changed);
        }

        /** Judges the store with some files replaced, or removed where the bytes are null. */
        void judge(String what, Map<String, byte[]> changed) {
            damages++;
            CrashableIoManager disk = whole.peekKill();
            try {
                for (Map.Entry<String, byte[]> each : changed.entrySet()) {
                    if (each.getValue() == null) {
                        disk.delete(each.getKey());
                    } else {
                        disk.install(each.getKey(), each.getValue());
                    }
                }
                judge(disk, changed);
            } catch (IOException | RuntimeException | AssertionError | OutOfMemoryError e) {
                throw new AssertionError(what + " of " + changed.keySet() + ": " + e, e);
            }
        }

        private void judge(CrashableIoManager disk, Map<String, byte[]> changed) throws IOException {
            boolean isSound = verify(disk, changed);
            long changes = disk.operations();
            BitcaskEngine engine;
            try {
                engine = CrashFixture.open(disk, clock);
            } catch (CorruptRecordException e) {
                assertThat(disk.operations())
                        .as("an opening that failed changed files: %s", e)
                        .isEqualTo(changes);
                assertThat(e.file()).matches(STORE_FILE);
                assertThat(isSound && isClosed).as("verify does not see: %s", e).isFalse();
                return;
            } catch (UnsupportedFormatException e) {
                assertThat(disk.operations())
                        .as("an opening that failed changed files: %s", e)
                        .isEqualTo(changes);
                assertThat(isSound).as("verify does not see: %s", e).isFalse();
                return;
            }
            NavigableMap<byte[], Entry> visited;
            try {
                visited = KeyValues.entries(engine);
            } catch (CorruptRecordException e) {
                assertThat(isSound).as("verify does not see: %s", e).isFalse();
                visited = null;
            }
            if (visited != null) {
                judgeContent(visited);
            }
            readEach(engine, isSound, visited);
        }

        private boolean verify(CrashableIoManager disk, Map<String, byte[]> changed) throws IOException {
            try {
                VerifyReport report = BitcaskEngine.verify(HOME, disk.factory(HOME));
                report.damages().forEach(damage -> assertThat(damage.file()).matches(STORE_FILE));
                return report.isSound();
            } catch (UnsupportedFormatException e) {
                return false;
            }
        }

        private void judgeContent(NavigableMap<byte[], Entry> found) {
            if (isClosed) {
                model.assertCurrent(found);
            } else {
                (isTailLost ? prefixes : model).assertPossibleAfterPowerLoss(found);
            }
        }

        /** Reads each key by itself: one damaged record takes none but its own key. */
        private void readEach(BitcaskEngine engine, boolean isSound, NavigableMap<byte[], Entry> visited)
                throws IOException {
            int broken = 0;
            NavigableMap<byte[], byte[]> expected = model.content();
            for (int i = 0; i < keys; i++) {
                byte[] key = KeyValues.key(i);
                byte[] value;
                try {
                    value = engine.get(key);
                } catch (CorruptRecordException e) {
                    assertThat(e.file()).matches(STORE_FILE);
                    broken++;
                    continue;
                }
                if (visited != null) {
                    Entry entry = visited.get(key);
                    assertThat(value).isEqualTo(entry == null ? null : entry.value());
                } else {
                    assertThat(value).as("key=%s", KeyValues.describe(key)).isEqualTo(expected.get(key));
                }
            }
            if (broken > 0) {
                assertThat(isSound)
                        .as("verify does not see %s broken records", broken)
                        .isFalse();
            }
        }
    }

    private static final int KEYS = 12;
    private static final int LARGE_VALUE = 20_000;
    private static final long LARGE_FILES = 64 << 10;
    private static final String STORE_FILE = "MANIFEST|\\d{8}\\.(data|merged|hint|image)";

    private static Victim victim(long seed, boolean isClosed) throws IOException {
        Random random = new Random(seed);
        ManualClock clock = new ManualClock();
        StoreModel model = new StoreModel(Durability.WRITE, clock);
        StoreModel prefixes = new StoreModel(Durability.NONE, clock);
        CrashableIoManager disk = new CrashableIoManager();
        BitcaskEngine engine = CrashFixture.builder(disk.factory(HOME), clock)
                .random(random::nextLong) // a store id of its own
                .open();
        write(engine, model, prefixes, random, 10);
        engine.merge();
        write(engine, model, prefixes, random, 12);
        if (isClosed) {
            engine.close();
            engine = CrashFixture.open(disk, clock); // so that its manifest starts with files
            write(engine, model, prefixes, random, 5);
            engine.close();
            return new Victim(disk, model, prefixes, clock, true, KEYS);
        }
        write(engine, model, prefixes, random, 5);
        byte[] last = KeyValues.bytes("witness of the syncs before it");
        StoreModel.Write write = model.beginPut(last, last, WriteOptions.NONE);
        prefixes.beginPut(last, last, WriteOptions.NONE).acknowledge();
        engine.put(last, last, WriteOptions.NONE);
        write.acknowledge();
        return new Victim(disk.kill(), model, prefixes, clock, false, KEYS);
    }

    /** A killed store that has left several files and sealed none, as when sealing in the background has not come yet. */
    private static Victim unsealedVictim(long seed) throws IOException {
        Random random = new Random(seed);
        ManualClock clock = new ManualClock();
        StoreModel model = new StoreModel(Durability.WRITE, clock);
        StoreModel prefixes = new StoreModel(Durability.NONE, clock);
        CrashableIoManager disk = new CrashableIoManager();
        TestExecutor executor = new TestExecutor(TestExecutor.Mode.IN_CALLER);
        BitcaskEngine engine = CrashFixture.builder(disk.factory(HOME), clock)
                .random(random::nextLong)
                .executor(executor)
                .open();
        write(engine, model, prefixes, random, 8);
        executor.mode(TestExecutor.Mode.LATER);
        write(engine, model, prefixes, random, 16);
        assertThat(executor.waiting()).as("files wait to be sealed").isPositive();
        byte[] last = KeyValues.bytes("witness of the syncs before it");
        StoreModel.Write write = model.beginPut(last, last, WriteOptions.NONE);
        prefixes.beginPut(last, last, WriteOptions.NONE).acknowledge();
        engine.put(last, last, WriteOptions.NONE);
        write.acknowledge();
        return new Victim(disk.kill(), model, prefixes, clock, false, KEYS);
    }

    private static void write(BitcaskEngine engine, StoreModel model, StoreModel prefixes, Random random, int count)
            throws IOException {
        for (int i = 0; i < count; i++) {
            byte[] key = KeyValues.key(random.nextInt(KEYS));
            WriteOptions options = random.nextBoolean() ? WriteOptions.SYNC : WriteOptions.WRITE;
            StoreModel.Write write;
            switch (random.nextInt(5)) {
                case 0 -> {
                    write = model.beginDelete(key, options);
                    prefixes.beginDelete(key, WriteOptions.NONE).acknowledge();
                    engine.delete(key, options);
                }
                case 1 -> {
                    WriteBatch batch = new WriteBatch()
                            .put(key, KeyValues.value(random, 40))
                            .put(KeyValues.key(random.nextInt(KEYS)), KeyValues.value(random, 40));
                    write = model.begin(batch, options);
                    prefixes.begin(batch, WriteOptions.NONE).acknowledge();
                    engine.write(batch, options);
                }
                default -> {
                    byte[] value = KeyValues.value(random, 60);
                    write = model.beginPut(key, value, options);
                    prefixes.beginPut(key, value, WriteOptions.NONE).acknowledge();
                    engine.put(key, value, options);
                }
            }
            write.acknowledge();
        }
        engine.sync();
        model.synced();
    }

    @Test
    void noFlippedBitGivesAWrongAnswer() throws IOException {
        assertThat(flip(victim(1, true), 1, STEP) + flip(victim(2, false), 1, STEP))
                .isGreaterThan(1_000);
    }

    @Test
    void noTruncationGivesAWrongAnswer() throws IOException {
        truncate(victim(3, true), STEP);
        truncate(victim(4, false), STEP);
    }

    @Test
    void noZeroedBlockGivesAWrongAnswer() throws IOException {
        zero(victim(5, true));
        zero(victim(6, false));
    }

    @Test
    void noMissingOrMisplacedFileGivesAWrongAnswer() throws IOException {
        misplace(victim(7, true), victim(8, true));
        misplace(victim(9, false), victim(10, false));
    }

    @Test
    void noDamageToUnsealedFilesGivesAWrongAnswer() throws IOException {
        assertThat(flip(unsealedVictim(11), 2, STEP)).isGreaterThan(500);
        truncate(unsealedVictim(12), STEP);
        zero(unsealedVictim(13));
        misplace(unsealedVictim(14), unsealedVictim(15));
    }

    @Test
    void garbageBehindTheEndIsHarmless() throws IOException {
        for (boolean isClosed : new boolean[] {true, false}) {
            Victim victim = victim(11, isClosed);
            Random random = new Random(11);
            victim.files.forEach((name, bytes) -> {
                for (int length = 1; length < 200; length += 7) {
                    byte[] longer = new byte[length];
                    random.nextBytes(longer);
                    byte[] damaged = Arrays.copyOf(bytes, bytes.length + length);
                    System.arraycopy(longer, 0, damaged, bytes.length, length);
                    victim.judge("garbage of " + length + " bytes past the end", name, damaged);
                }
            });
        }
    }

    @Test
    void oldVersionsOfFilesAreNotTakenForNewOnes() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        ManualClock clock = new ManualClock();
        StoreModel model = new StoreModel(Durability.WRITE, clock);
        StoreModel prefixes = new StoreModel(Durability.NONE, clock);
        Map<String, Map<Integer, byte[]>> versions = new HashMap<>();
        BitcaskEngine engine = CrashFixture.open(disk, clock);
        Random random = new Random(12);
        for (int i = 0; i < 8; i++) {
            write(engine, model, prefixes, random, 6);
            if (i == 3) {
                engine.merge();
            } else if (i % 3 == 1) {
                engine.close();
                engine = CrashFixture.open(disk, clock);
            }
            for (String name : disk.factory(HOME).open(HOME, false).list()) {
                versions.computeIfAbsent(name, key -> new HashMap<>()).put(i, disk.content(name));
            }
        }
        engine.close();
        Victim victim = new Victim(disk, model, prefixes, clock, true, KEYS);
        versions.forEach((name, contents) -> contents.forEach((i, bytes) -> {
            if (!name.equals("MANIFEST")) {
                victim.judge("version " + i, name, bytes);
            }
        }));
    }

    @Test
    @Tag("campaign")
    void noDamageGivesAWrongAnswer() throws IOException {
        long seeds = Long.getLong("caskwright.damage.seeds", 20);
        long damages = 0;
        for (long seed = 100; seed < 100 + seeds; seed++) {
            for (boolean isClosed : new boolean[] {true, false}) {
                Victim victim = victim(seed, isClosed);
                flip(victim, 8, 1);
                truncate(victim, 1);
                zero(victim);
                misplace(victim, victim(~seed, isClosed));
                damages += victim.damages;
            }
            System.out.println("damage campaign: stores=" + 2 * (seed - 99) + ", damages judged=" + damages);
        }
    }

    /** A store of a mebibyte that has a file of every format. */
    private static Victim largeVictim() throws IOException {
        Random random = new Random(13);
        ManualClock clock = new ManualClock();
        StoreModel model = new StoreModel(Durability.WRITE, clock);
        CrashableIoManager disk = new CrashableIoManager();
        for (int phase = 0; phase < 3; phase++) {
            BitcaskEngine engine = CrashFixture.builder(disk.factory(HOME), clock)
                    .random(random::nextLong)
                    .maxFileBytes(LARGE_FILES)
                    .open();
            for (int i = 0; i < 18; i++) {
                byte[] key = KeyValues.key(18 * phase + i);
                byte[] value = new byte[LARGE_VALUE];
                random.nextBytes(value);
                model.beginPut(key, value, WriteOptions.WRITE).acknowledge();
                engine.put(key, value, WriteOptions.WRITE);
            }
            byte[] deleted = KeyValues.key(18 * phase);
            model.beginDelete(deleted, WriteOptions.WRITE).acknowledge();
            engine.delete(deleted, WriteOptions.WRITE);
            if (phase == 0) {
                engine.merge();
            }
            engine.close();
        }
        return new Victim(disk, model, model, clock, true, 54);
    }

    @Test
    @Tag("campaign")
    void noFlippedBitOfALargeStoreGivesAWrongAnswer() throws IOException {
        Victim victim = largeVictim();
        Map<String, Long> lengths = new TreeMap<>();
        victim.files.forEach(
                (name, bytes) -> lengths.merge(name.replaceAll(".*\\.", ""), (long) bytes.length, Long::sum));
        assertThat(lengths).containsOnlyKeys("MANIFEST", "data", "merged", "hint", "image");
        assertThat(lengths.values().stream().mapToLong(length -> length).sum()).isGreaterThan(1 << 20);
        flip(victim, 1, 1);
        System.out.println("damage campaign: one bit of every byte of a store of " + lengths + " bytes, damages judged="
                + victim.damages);
    }

    private static long flip(Victim victim, int bitsPerByte, int step) {
        victim.files.forEach((name, bytes) -> {
            for (int at = 0; at < bytes.length; at += step) {
                if (victim.damages > 0 && victim.damages % 50_000 == 0) {
                    System.out.println("damage campaign: damages judged so far=" + victim.damages);
                }
                for (int bit = 0; bit < bitsPerByte; bit++) {
                    byte[] damaged = bytes.clone();
                    damaged[at] ^= (byte) (1 << ((bit + 7 * at) & 7));
                    victim.judge("bit " + ((bit + 7 * at) & 7) + " of byte " + at, name, damaged);
                }
            }
        });
        return victim.damages;
    }

    private static void truncate(Victim victim, int step) {
        victim.isTailLost = true;
        victim.files.forEach((name, bytes) -> {
            for (int length = 0; length < bytes.length; length += step) {
                victim.judge("truncation to " + length, name, Arrays.copyOf(bytes, length));
            }
        });
    }

    private static void zero(Victim victim) {
        victim.isTailLost = true;
        victim.files.forEach((name, bytes) -> {
            for (int block : new int[] {8, 64, 512}) {
                for (int at = 0; at < bytes.length; at += block) {
                    byte[] damaged = bytes.clone();
                    Arrays.fill(damaged, at, Math.min(bytes.length, at + block), (byte) 0);
                    victim.judge("zeros at " + at + ", length=" + block, name, damaged);
                }
            }
        });
    }

    private static void misplace(Victim victim, Victim other) {
        victim.isTailLost = true;
        victim.files.forEach((name, bytes) -> {
            Map<String, byte[]> removed = new HashMap<>();
            removed.put(name, null);
            if (victim.isClosed || !name.endsWith(".data")) {
                victim.judge("removal", removed);
            }
            if (other.files.containsKey(name)) {
                victim.judge("file of another store", name, other.files.get(name));
            }
            victim.files.forEach((sibling, content) -> {
                if (!sibling.equals(name)) {
                    victim.judge("content of " + sibling, name, content);
                    Map<String, byte[]> swapped = new HashMap<>();
                    swapped.put(name, content);
                    swapped.put(sibling, bytes);
                    victim.judge("swap", swapped);
                }
            });
        });
    }
}
