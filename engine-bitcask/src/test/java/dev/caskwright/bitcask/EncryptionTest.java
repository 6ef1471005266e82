package dev.caskwright.bitcask;

import static dev.caskwright.testkit.KeyValues.bytes;
import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CodecException;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.EncryptionException;
import dev.caskwright.api.EncryptionStats;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Integrity;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.ReadView;
import dev.caskwright.api.Restoring;
import dev.caskwright.api.SalvageReport;
import dev.caskwright.api.Salvaging;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.StoreAtRest;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.codec.ValueCodec;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.DeflateCodec;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Random;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Encrypted stores, over simulated disks. Random tests print their seed; {@code -Dcaskwright.seed=N} repeats one. */
final class EncryptionTest {
    private static final String KEY_MARK = "markedkey";
    private static final String VALUE_MARK = "markedvalue";
    private static final int[] LENGTHS = {0, 1, 40, 5_000, 70_000, 1_200_000};
    private static final Path COPY = Path.of("copy");

    private final long seed = Long.getLong("caskwright.seed", System.nanoTime());
    private final Random random = new Random(seed);
    private final ManualClock clock = new ManualClock();
    private CrashableIoManager disk = new CrashableIoManager();

    /** Keys for every id, each of its own. */
    static byte[] key(String id) {
        return Arrays.copyOf(bytes("a key of the test, " + id), 32);
    }

    private EngineBuilder builder() {
        return CrashFixture.builder(disk.factory(CrashFixture.HOME), clock)
                .index(context -> new SmallImageIndex(() -> {}))
                .maxFileBytes(4_096);
    }

    private BitcaskEngine open(String keyId) throws IOException {
        return builder()
                .encryption(Encryption.writing(keyId, EncryptionTest::key))
                .open();
    }

    private StoreAtRest atRest(Path directory, String keyId) {
        return BitcaskEngine.atRest(
                directory, disk.factory(CrashFixture.HOME), Encryption.writing(keyId, EncryptionTest::key));
    }

    private static byte[] markedKey(int i) {
        return bytes(KEY_MARK + i);
    }

    private byte[] markedValue(int length) {
        byte[] value = KeyValues.text(random, length);
        byte[] mark = bytes(VALUE_MARK);
        for (int at = 0; at + mark.length <= length; at += 500) {
            System.arraycopy(mark, 0, value, at, mark.length);
        }
        return value;
    }

    // ---------------------------------------------------------------- what is read

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyWayToReadShowsWhatWasWritten(boolean isMapped) throws IOException {
        disk = new CrashableIoManager().mapped(isMapped);
        Map<String, byte[]> model = new HashMap<>();
        BitcaskEngine engine = open("one");
        for (int round = 0; round < 2; round++) {
            WriteBatch batch = new WriteBatch();
            for (int i = 0; i < LENGTHS.length; i++) {
                byte[] value = markedValue(round == 1 && LENGTHS[i] > 100_000 ? 3_000 : LENGTHS[i]);
                engine.put(markedKey(i), value);
                model.put(KEY_MARK + i, value);
                byte[] other = markedValue(LENGTHS[i] / 20);
                batch.put(bytes("batch" + i), other);
                model.put("batch" + i, other);
            }
            engine.write(batch.delete(bytes("batch0")), WriteOptions.SYNC);
            model.remove("batch0");
            engine.put(bytes("mortal"), bytes("x"), WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1)));
            model.put("mortal", bytes("x"));
            try (Snapshot before = engine.snapshot()) {
                engine.delete(markedKey(1));
                assertShown(before, model);
                engine.put(markedKey(1), model.get(KEY_MARK + 1));
                engine.merge();
                assertShown(before, model);
            }
            assertShown(engine, model);
            engine.close();
            engine = open("two");
            assertThat(engine.stats().opening().fromImage()).isTrue();
            assertShown(engine, model);
        }
        engine.close();
        assertThat(atRest(CrashFixture.HOME, "one")
                        .require(Integrity.class)
                        .verify()
                        .damages())
                .isEmpty();
    }

    private void assertShown(ReadView view, Map<String, byte[]> model) throws IOException {
        byte[][] keys = model.keySet().stream().map(KeyValues::bytes).toArray(byte[][]::new);
        byte[] @Nullable [] all = view.getAll(keys);
        for (int i = 0; i < keys.length; i++) {
            byte[] value = model.get(new String(keys[i], UTF_8));
            String what = "seed=" + seed + ", key=" + new String(keys[i], UTF_8);
            assertThat(Arrays.equals(view.get(keys[i]), value)).as(what).isTrue();
            assertThat(Arrays.equals(all[i], value)).as(what).isTrue();
            ByteBuffer target = ByteBuffer.allocate(value.length + 3);
            assertThat(view.get(keys[i], target)).as(what).isEqualTo(value.length);
            assertThat(target.flip()).as(what).isEqualTo(ByteBuffer.wrap(value));
            assertThat(view.contains(keys[i])).as(what).isTrue();
        }
        assertThat(view.get(bytes("absent"))).isNull();
        Map<String, byte[]> visited = new HashMap<>();
        view.visit(entry -> visited.put(new String(entry.key(), UTF_8), entry.value()) == null);
        assertThat(visited.keySet()).isEqualTo(model.keySet());
        int count = 0;
        try (Cursor cursor = view.cursor()) {
            for (Entry entry = cursor.next(); entry != null; entry = cursor.next()) {
                assertThat(Arrays.equals(entry.value(), model.get(new String(entry.key(), UTF_8))))
                        .isTrue();
                count++;
            }
        }
        assertThat(count).isEqualTo(model.size());
        model.forEach((key, value) ->
                assertThat(Arrays.equals(visited.get(key), value)).as(key).isTrue());
    }

    @Test
    void valuesAreCompressedBeforeTheyAreEncrypted() throws IOException {
        byte[] value = KeyValues.text(new Random(1), 3_000);
        try (BitcaskEngine engine = builder()
                .codec(new FoundCodec())
                .encryption(Encryption.writing("one", EncryptionTest::key))
                .open()) {
            engine.put(bytes("k"), value);
            assertThat(engine.stats().space().diskBytes()).isLessThan(2_600);
            assertThat(engine.get(bytes("k"))).isEqualTo(value);
            engine.merge();
            assertThat(engine.get(bytes("k"))).isEqualTo(value);
        }
        try (BitcaskEngine engine = builder()
                .recodeOnMerge(true)
                .encryption(Encryption.writing("two", EncryptionTest::key))
                .open()) {
            engine.merge();
            assertThat(engine.get(bytes("k"))).isEqualTo(value);
            assertThat(engine.stats().space().diskBytes()).isGreaterThan(3_000);
        }
    }

    /** It is made of values, and the manifest would have it as it is. */
    @Test
    void anEncryptedStoreTakesNoDictionary() throws IOException {
        ValueCodec codec = new DeflateCodec().withDictionary(bytes(VALUE_MARK));
        try (BitcaskEngine engine = builder()
                .codec(codec)
                .encryption(Encryption.writing("one", EncryptionTest::key))
                .open()) {
            assertThatThrownBy(() -> engine.put(bytes("k"), new byte[100]))
                    .isInstanceOf(CodecException.class)
                    .hasMessageContaining("dictionary");
        }
        assertNothingShows();
    }

    // ---------------------------------------------------------------- what can be seen

    @Test
    void noKeyAndNoValueIsAnywhereInTheDirectory() throws IOException {
        BitcaskEngine engine = open("one");
        for (int i = 0; i < 60; i++) {
            engine.put(markedKey(i), markedValue(300));
        }
        engine.put(markedKey(1_000), markedValue(200_000));
        engine.write(new WriteBatch().put(markedKey(2_000), markedValue(10)).delete(markedKey(3)), WriteOptions.SYNC);
        engine.delete(markedKey(5));
        assertNothingShows();
        engine.merge();
        assertNothingShows();
        engine.backup(COPY);
        engine.close();
        assertNothingShows();
        assertThat(disk.list()).anyMatch(name -> name.endsWith(".hint")).anyMatch(name -> name.endsWith(".image"));
        open("one").put(markedKey(77), markedValue(700));
        disk = disk.kill();
        open("one").close();
        for (String name : disk.list()) {
            if (name.endsWith(".hint")) {
                disk.delete(name);
            }
        }
        open("two").close();
        assertThat(disk.list()).anyMatch(name -> name.endsWith(".hint"));
        assertNothingShows();
    }

    private void assertNothingShows() throws IOException {
        for (Path directory : List.of(CrashFixture.HOME, COPY)) {
            CrashableIoManager there =
                    (CrashableIoManager) disk.factory(CrashFixture.HOME).open(directory, true);
            for (String name : there.list()) {
                String content = new String(there.content(name), ISO_8859_1);
                assertThat(content.contains(KEY_MARK.substring(0, 6)))
                        .as("%s of %s, seed=%s", name, directory, seed)
                        .isFalse();
                assertThat(content.contains(VALUE_MARK.substring(2))).as(name).isFalse();
            }
        }
    }

    // ---------------------------------------------------------------- change of keys

    @Test
    void aMergeChangesTheKeyAndStatsTellHowMuchIsLeft() throws IOException {
        try (BitcaskEngine engine = open("old")) {
            for (int i = 0; i < 60; i++) {
                engine.put(markedKey(i), markedValue(300));
            }
        }
        try (BitcaskEngine engine = open("new")) {
            engine.put(bytes("k"), bytes("v"));
            EncryptionStats before = stats(engine);
            assertThat(before.keyId()).isEqualTo("new");
            assertThat(before.keyBytes()).isPositive().isLessThan(1_000);
            assertThat(before.otherBytes()).isGreaterThan(18_000);
            assertThat(before.otherKeys()).isEqualTo("old=" + before.otherBytes());
            assertThat(before.plainBytes()).isZero();
            engine.merge();
            EncryptionStats after = stats(engine);
            assertThat(after.keyBytes())
                    .isEqualTo(engine.stats().space().diskBytes())
                    .isGreaterThan(18_000);
            assertThat(after.otherBytes()).isZero();
            assertThat(after.otherKeys()).isEmpty();
        }
        Encryption withoutOld = Encryption.writing("new", id -> id.equals("new") ? key("new") : null);
        try (BitcaskEngine engine = builder().encryption(withoutOld).open()) {
            assertThat(engine.size()).isEqualTo(61);
        }
    }

    @Test
    void aMergeEncryptsAStoreThatWasNotAndTheOtherWayRound() throws IOException {
        try (BitcaskEngine engine = builder().open()) {
            for (int i = 0; i < 30; i++) {
                engine.put(markedKey(i), markedValue(300));
            }
            assertThat(engine.stats().encryption()).isEmpty();
        }
        try (BitcaskEngine engine = open("one")) {
            engine.put(markedKey(7), bytes("v"));
            assertThat(stats(engine).plainBytes()).isGreaterThan(9_000);
            engine.merge();
            assertThat(stats(engine).plainBytes()).isZero();
        }
        assertNothingShows();
        try (BitcaskEngine engine =
                builder().encryption(Encryption.reading(EncryptionTest::key)).open()) {
            engine.put(markedKey(8), bytes("v"));
            assertThat(stats(engine).plainBytes()).isPositive();
            assertThat(stats(engine).keyId()).isEmpty();
        }
        for (String name : disk.list()) {
            boolean mayShow = name.endsWith(".data") || name.endsWith(".hint"); // those of the write just now
            assertThat(mayShow || !new String(disk.content(name), ISO_8859_1).contains(KEY_MARK))
                    .as(name)
                    .isTrue();
        }
        try (BitcaskEngine engine =
                builder().encryption(Encryption.reading(EncryptionTest::key)).open()) {
            engine.merge();
        }
        try (BitcaskEngine engine = builder().open()) {
            assertThat(engine.size()).isEqualTo(30);
            assertThat(engine.get(markedKey(8))).isEqualTo(bytes("v"));
            assertThat(engine.stats().encryption()).isEmpty();
        }
    }

    private static EncryptionStats stats(StorageEngine engine) {
        return engine.stats().encryption().orElseThrow();
    }

    // ---------------------------------------------------------------- keys that are not there

    @Test
    void aMissingOrWrongKeyIsNamedBeforeAnythingIsChanged() throws IOException {
        BitcaskEngine engine = open("one");
        engine.put(bytes("k"), bytes("v"));
        engine.put(bytes("l"), markedValue(5_000));
        engine.put(bytes("m"), bytes("v"));
        disk = disk.kill(); // so that there is something to recover
        Map<String, byte[]> before = contents();
        assertRefused(builder(), "opened without keys: key=one");
        assertRefused(builder().readOnly(true), "opened without keys: key=one");
        assertRefused(
                builder().encryption(Encryption.writing("two", id -> id.equals("two") ? key(id) : null)),
                "a key is not there: key=one, file=00000001.data");
        assertRefused(
                builder().encryption(Encryption.writing("one", id -> key("other"))),
                "a key is not the one that a file is encrypted by: key=one, file=00000001.data");
        assertRefused(
                builder().encryption(Encryption.writing("one", id -> new byte[15])),
                "a key has a length that no key can have: key=one, bytes=15, allowed=16..64");
        assertThatThrownBy(() -> builder()
                        .encryption(Encryption.writing("two", id -> id.equals("one") ? key(id) : null))
                        .open())
                .isInstanceOf(EncryptionException.class)
                .hasMessage("a key is not there: key=two, to write with");
        assertThatThrownBy(() -> builder()
                        .encryption(Encryption.writing("one", id -> {
                            throw new IOException("no way to the keys");
                        }))
                        .open())
                .hasMessage("no way to the keys");
        assertThat(contents().keySet()).isEqualTo(before.keySet());
        contents().forEach((name, content) -> assertThat(content).as(name).isEqualTo(before.get(name)));
        try (BitcaskEngine again = open("one")) {
            assertThat(again.size()).isEqualTo(3);
        }
    }

    private static void assertRefused(EngineBuilder builder, String message) {
        assertThatThrownBy(builder::open).isInstanceOfSatisfying(EncryptionException.class, e -> {
            assertThat(e.code()).isEqualTo(ErrorCode.ENCRYPTION);
            assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED);
            assertThat(e.keyId()).isEqualTo("one");
            assertThat(e).hasMessageContaining(message);
        });
    }

    @Test
    void aStoreThatIsNewIsNotMadeWithoutItsKey() throws IOException {
        assertThatThrownBy(() -> builder()
                        .encryption(Encryption.writing("one", id -> null))
                        .open())
                .isInstanceOf(EncryptionException.class);
        assertThat(disk.list()).isEmpty();
    }

    private Map<String, byte[]> contents() throws IOException {
        Map<String, byte[]> contents = new HashMap<>();
        for (String name : disk.list()) {
            contents.put(name, disk.content(name));
        }
        return contents;
    }

    // ---------------------------------------------------------------- copies

    @Test
    void copiesAreEncryptedAndNeedTheKeys() throws IOException {
        try (BitcaskEngine engine = open("one")) {
            for (int i = 0; i < 30; i++) {
                engine.put(markedKey(i), markedValue(300));
            }
            engine.backup(COPY);
        }
        assertNothingShows();
        StoreAtRest locked = BitcaskEngine.atRest(COPY, disk.factory(CrashFixture.HOME));
        assertThatThrownBy(() -> locked.require(Integrity.class).verify())
                .isInstanceOf(EncryptionException.class)
                .hasMessageContaining("key=one");
        Path restored = Path.of("restored");
        assertThatThrownBy(() -> locked.require(Restoring.class).restoreTo(restored))
                .isInstanceOf(EncryptionException.class);
        Path salvaged = Path.of("salvaged");
        assertThatThrownBy(() -> locked.require(Salvaging.class).salvage(salvaged))
                .isInstanceOf(EncryptionException.class);
        assertThat(disk.factory(CrashFixture.HOME).open(salvaged, true).list()).isEmpty();
        StoreAtRest copy = atRest(COPY, "two");
        assertThat(copy.require(Integrity.class).verify().damages()).isEmpty();
        copy.require(Restoring.class).restoreTo(restored);
        SalvageReport report = copy.require(Salvaging.class).salvage(salvaged);
        assertThat(report.losses()).isEmpty();
        assertThat(report.records()).isEqualTo(30);
        for (Path each : List.of(restored, salvaged)) {
            try (BitcaskEngine engine = CrashFixture.builder(each, disk.factory(CrashFixture.HOME), clock)
                    .encryption(Encryption.writing("two", EncryptionTest::key))
                    .open()) {
                assertThat(engine.size()).isEqualTo(30);
                assertThat(stats(engine).plainBytes()).isZero();
                assertThat(stats(engine).otherBytes() == 0).isEqualTo(each.equals(salvaged));
            }
        }
    }

    @Test
    void changesAreFedAndSalvageGoesAroundDamage() throws IOException {
        List<String> changed = new ArrayList<>();
        try (BitcaskEngine engine = open("one")) {
            for (int i = 0; i < 30; i++) {
                engine.put(markedKey(i), markedValue(300));
            }
            engine.changes(0, change -> changed.add(new String(change.key(), UTF_8)));
        }
        assertThat(changed).hasSize(30).startsWith(KEY_MARK + 0).endsWith(KEY_MARK + 29);
        byte[] content = disk.content("00000001.data");
        content[1_000] ^= 1;
        disk.delete("00000001.data");
        disk.install("00000001.data", content);
        SalvageReport report =
                atRest(CrashFixture.HOME, "two").require(Salvaging.class).salvage(COPY);
        assertThat(report.records()).isEqualTo(29);
        assertThat(report.losses()).hasSize(1);
    }

    /** Its key is not that of this store, and not asked for. */
    @Test
    void aFileOfAnotherStoreDoesNotKeepSalvageFromWork() throws IOException {
        byte[] foreign;
        try (BitcaskEngine other = CrashFixture.builder(Path.of("other"), disk.factory(CrashFixture.HOME), clock)
                .random(() -> 99)
                .encryption(Encryption.writing("unknown", EncryptionTest::key))
                .open()) {
            other.put(bytes("k"), bytes("v"));
            foreign = ((CrashableIoManager) disk.factory(CrashFixture.HOME).open(Path.of("other"), true))
                    .content("00000001.data");
        }
        try (BitcaskEngine engine = open("one")) {
            engine.put(bytes("k"), bytes("v"));
            engine.put(bytes("l"), bytes("v"));
        }
        disk.install("00000009.data", foreign);
        SalvageReport report = BitcaskEngine.atRest(
                        CrashFixture.HOME,
                        disk.factory(CrashFixture.HOME),
                        Encryption.writing("one", id -> id.equals("one") ? key(id) : null))
                .require(Salvaging.class)
                .salvage(COPY);
        assertThat(report.records()).isEqualTo(2);
        assertThat(report.losses()).anyMatch(loss -> loss.file().equals("00000009.data"));
    }

    // ---------------------------------------------------------------- keys that change their minds

    @Test
    void eachKeyIsAskedForOnceInTheLifeOfAStore() throws IOException {
        try (BitcaskEngine engine = open("old")) {
            engine.put(markedKey(0), bytes("v"));
        }
        Map<String, Integer> asked = new HashMap<>();
        byte[] given = key("new");
        Encryption.Keys once = id -> {
            asked.merge(id, 1, Integer::sum);
            return id.equals("new") ? given : key(id);
        };
        for (Path directory : List.of(CrashFixture.HOME, Path.of("fresh"))) {
            asked.clear();
            try (BitcaskEngine engine = CrashFixture.builder(directory, disk.factory(CrashFixture.HOME), clock)
                    .encryption(Encryption.writing("new", once))
                    .open()) {
                Arrays.fill(given, (byte) 0);
                for (int i = 0; i < 30; i++) {
                    engine.put(markedKey(i), markedValue(300));
                }
                engine.merge();
                assertThat(asked).containsEntry("new", 1);
                assertThat(asked.values()).containsOnly(1);
            }
            System.arraycopy(key("new"), 0, given, 0, given.length);
            try (BitcaskEngine engine = CrashFixture.builder(directory, disk.factory(CrashFixture.HOME), clock)
                    .encryption(Encryption.writing("new", EncryptionTest::key))
                    .open()) {
                assertThat(engine.size()).isEqualTo(30);
            }
        }
    }

    @Test
    void whatKeysThrowComesOutAndLeavesTheStoreAsItWas() throws IOException {
        for (Throwable thrown : List.of(new IllegalStateException("planted"), new StackOverflowError("planted"))) {
            assertThatThrownBy(() -> builder()
                            .encryption(Encryption.writing("one", id -> {
                                if (thrown instanceof Error e) {
                                    throw e;
                                }
                                throw (RuntimeException) thrown;
                            }))
                            .open())
                    .hasMessageContaining("planted");
            assertThat(disk.list()).isEmpty();
        }
        try (BitcaskEngine engine = open("one")) {
            engine.put(bytes("k"), bytes("v"));
        }
    }

    // ---------------------------------------------------------------- damage

    private void change(String name, int from, int to) throws IOException {
        byte[] content = disk.content(name);
        for (int at = from; at < to; at++) {
            content[at] ^= 1;
        }
        disk.delete(name);
        disk.install(name, content);
    }

    /** All files of an opening have the same note: a flipped bit in one of them took all records of its file. */
    @ParameterizedTest
    @ValueSource(ints = {0, 64})
    void aFileWhoseNoteIsDamagedIsReadByTheNoteOfAnother(int from) throws IOException {
        for (int opening = 0; opening < 2; opening++) {
            try (BitcaskEngine engine = open("key" + opening)) {
                for (int i = 0; i < 30; i++) {
                    engine.put(markedKey(opening * 100 + i), markedValue(300));
                }
            }
        }
        change("00000001.data", from, from + 70);
        StoreAtRest damaged = atRest(CrashFixture.HOME, "two");
        SalvageReport report = damaged.require(Salvaging.class).salvage(COPY);
        assertThat(report.records()).as(report.toString()).isEqualTo(60);
        assertThat(report.losses()).allMatch(loss -> loss.to() <= 192).hasSize(from == 0 ? 2 : 1);
        assertThat(damaged.require(Integrity.class).verify().damages())
                .allMatch(damage -> damage.offset() <= 64)
                .hasSize(from == 0 ? 2 : 1);
    }

    @Test
    void aFileWhoseKeyNobodyTellsIsOneLoss() throws IOException {
        for (int opening = 0; opening < 3; opening++) {
            try (BitcaskEngine engine = open("key" + opening)) {
                for (int i = 0; i < 5; i++) {
                    engine.put(markedKey(opening * 100 + i), markedValue(300));
                }
            }
        }
        List<String> files = disk.list().stream()
                .filter(name -> name.endsWith(".data"))
                .sorted()
                .toList();
        assertThat(files).hasSize(3);
        change(files.get(1), 100, 101);
        StoreAtRest damaged = atRest(CrashFixture.HOME, "two");
        SalvageReport report = damaged.require(Salvaging.class).salvage(COPY);
        assertThat(report.records()).isEqualTo(10);
        assertThat(report.losses()).hasSize(1);
        assertThat(report.losses().get(0).file()).isEqualTo(files.get(1));
        assertThat(damaged.require(Integrity.class).verify().damages())
                .hasSize(1)
                .allMatch(damage -> damage.file().equals(files.get(1)));
    }

    /** A file that tells its key no more is as much a sign as another that somebody wrote to the copy. */
    @Test
    void aBackupThatWasWrittenToIsNotOverwrittenAlthoughANoteIsDamaged() throws IOException {
        BitcaskEngine engine = open("one");
        engine.put(markedKey(1), markedValue(300));
        engine.backup(COPY);
        CrashableIoManager copy =
                (CrashableIoManager) disk.factory(CrashFixture.HOME).open(COPY, true);
        BitcaskEngine other = CrashFixture.builder(COPY, disk.factory(CrashFixture.HOME), clock)
                .encryption(Encryption.writing("one", EncryptionTest::key))
                .open();
        List<String> before = copy.list();
        other.put(markedKey(2), markedValue(300));
        List<String> names = new ArrayList<>(copy.list());
        names.removeAll(before);
        String written = names.stream()
                .filter(name -> name.endsWith(".data"))
                .findFirst()
                .orElseThrow();
        byte[] content = copy.content(written);
        content[100] ^= 1;
        disk = disk.kill();
        CrashableIoManager killed =
                (CrashableIoManager) disk.factory(CrashFixture.HOME).open(COPY, true);
        killed.delete(written);
        killed.install(written, content);
        try (BitcaskEngine again = open("one")) {
            assertThatThrownBy(() -> again.backup(COPY))
                    .isInstanceOf(UnsupportedFormatException.class)
                    .hasMessageContaining("written to since");
        }
        assertThat(killed.list()).contains(written);
    }

    /** What it hid was lost with it; all the rest was refused as well. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void salvageGoesAroundWhatIsUnderALostKey(boolean isOther) throws IOException {
        for (int opening = 0; opening < 3; opening++) {
            try (BitcaskEngine engine = open("key" + opening)) {
                for (int i = 0; i < 5; i++) {
                    engine.put(markedKey(opening * 100 + i), markedValue(300));
                }
            }
        }
        Encryption.Keys others = id -> !id.equals("key1") ? key(id) : isOther ? key("another") : null;
        Salvaging damaged = BitcaskEngine.atRest(
                        CrashFixture.HOME, disk.factory(CrashFixture.HOME), Encryption.writing("two", others))
                .require(Salvaging.class);
        SalvageReport report = damaged.salvage(COPY);
        assertThat(report.records()).isEqualTo(10);
        assertThat(report.losses())
                .hasSize(1)
                .allMatch(loss -> loss.what().contains("key1") && loss.to() > 1_500, report.toString());
    }

    /** A key that cannot be asked for now is not lost. */
    @Test
    void salvageIsRefusedIfNoFileCanBeReadOrKeysCannotBeAskedFor() throws IOException {
        for (int opening = 0; opening < 2; opening++) {
            try (BitcaskEngine engine = open("key" + opening)) {
                engine.put(markedKey(opening), markedValue(300));
            }
        }
        assertSalvageRefused(id -> id.equals("two") ? key(id) : null, "key0");
        assertSalvageRefused(
                id -> {
                    if (id.equals("key1")) {
                        throw new IOException("no way to the keys");
                    }
                    return key(id);
                },
                "no way to the keys");
    }

    private void assertSalvageRefused(Encryption.Keys keys, String message) throws IOException {
        StoreAtRest store = BitcaskEngine.atRest(
                CrashFixture.HOME, disk.factory(CrashFixture.HOME), Encryption.writing("two", keys));
        assertThatThrownBy(() -> store.require(Salvaging.class).salvage(COPY))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(message);
        assertThat(disk.factory(CrashFixture.HOME).open(COPY, true).list()).isEmpty();
    }

    /** Its image, a cache, may still be under the old key: that keeps nothing from work. */
    @Test
    void aStoreThatHasNothingUnderTheOldKeyNeedsItForNothing() throws IOException {
        try (BitcaskEngine engine = open("old")) {
            for (int i = 0; i < 30; i++) {
                engine.put(markedKey(i), markedValue(300));
            }
        }
        BitcaskEngine engine = open("new");
        engine.merge();
        assertThat(stats(engine).otherBytes()).isZero();
        assertThat(disk.list()).anyMatch(name -> name.endsWith(".image"));
        disk = disk.kill();
        Encryption withoutOld = Encryption.writing("new", id -> id.equals("new") ? key(id) : null);
        StoreAtRest store = BitcaskEngine.atRest(CrashFixture.HOME, disk.factory(CrashFixture.HOME), withoutOld);
        assertThat(store.require(Integrity.class).verify().damages()).isEmpty();
        SalvageReport report = store.require(Salvaging.class).salvage(COPY);
        assertThat(report.records()).isEqualTo(30);
        assertThat(report.losses()).isEmpty();
        try (BitcaskEngine again = builder().encryption(withoutOld).open()) {
            assertThat(again.size()).isEqualTo(30);
        }
    }

    /** Each byte of data file, hint file and image, in turn: what is read is what was written, or damage with its place. */
    @Test
    void aFlippedByteIsDamageOrDoesNoHarm() throws IOException {
        Map<String, byte[]> model = new HashMap<>();
        try (BitcaskEngine engine = open("one")) {
            for (int i = 0; i < 4; i++) {
                byte[] value = markedValue(20);
                engine.put(markedKey(i), value);
                model.put(KEY_MARK + i, value);
            }
        }
        Map<String, byte[]> files = contents();
        files.remove("MANIFEST"); // not encrypted, and flipped elsewhere
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            for (int at = 0; at < file.getValue().length; at++) {
                byte[] changed = file.getValue().clone();
                changed[at] ^= (byte) (1 << random.nextInt(8));
                CrashableIoManager copy = disk.peekKill();
                copy.delete(file.getKey());
                copy.install(file.getKey(), changed);
                assertRightOrDamaged(copy, model, "seed=" + seed + ", file=" + file.getKey() + ", offset=" + at);
            }
        }
    }

    private void assertRightOrDamaged(CrashableIoManager copy, Map<String, byte[]> model, String what)
            throws IOException {
        try (BitcaskEngine engine = CrashFixture.builder(copy.factory(CrashFixture.HOME), clock)
                .index(context -> new SmallImageIndex(() -> {}))
                .readOnly(true)
                .encryption(Encryption.writing("one", EncryptionTest::key))
                .open()) {
            for (Map.Entry<String, byte[]> each : model.entrySet()) {
                try {
                    assertThat(engine.get(bytes(each.getKey()))).as(what).isEqualTo(each.getValue());
                } catch (CorruptRecordException e) {
                    assertThat(e.file()).as(what).isNotEmpty();
                }
            }
        } catch (CorruptRecordException | UnsupportedFormatException e) {
            assertThat(e.getMessage()).as(what).isNotEmpty();
        }
    }
}
