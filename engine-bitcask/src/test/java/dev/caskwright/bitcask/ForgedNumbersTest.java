package dev.caskwright.bitcask;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Entry;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.VerifyReport;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.bitcask.log.NumberForger;
import dev.caskwright.bitcask.log.Sums;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.charset.StandardCharsets;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Each number in each kind of file of a store, one at a time, at an edge or beyond what it can be, under right checksums, and with
 * the sums that the manifest has of caches; see {@link NumberForger}. What verification calls sound must be harmless: all is
 * there, and the store is written to, merged and opened again. What it calls damaged may be refused by a typed error that
 * changes nothing, or be missing. No value comes that nobody wrote, no other error, and no work without end.
 */
final class ForgedNumbersTest {
    private static final Path HOME = Path.of("store");
    private static final KeyIndexFactory INDEX = context -> new SmallImageIndex(() -> {});
    private static final Encryption ENCRYPTED =
            Encryption.writing("one", id -> id.equals("one") ? bytes("a key of enough bytes") : null);
    private static final int KEYS = 12;
    private static final long[] EDGES = {
        0,
        1,
        2,
        5,
        64,
        0xFFFF,
        1 << 20,
        16_777_300,
        Integer.MAX_VALUE - (1 << 20),
        Integer.MAX_VALUE - 7,
        Integer.MAX_VALUE,
        1L << 31,
        (1L << 32) - 8,
        1L << 32,
        (1L << 43) + 8,
        (1L << 56) - 1 - (1L << 40),
        (1L << 56) - (1L << 40),
        (1L << 56) - 1,
        1L << 56,
        Long.MAX_VALUE - 7,
        Long.MAX_VALUE,
        Long.MIN_VALUE,
        -8,
        -1
    };

    private final ManualClock clock = new ManualClock();
    private final Map<String, String> model = new TreeMap<>();
    private @Nullable Encryption encryption;

    private EngineBuilder builder(CrashableIoManager disk) {
        EngineBuilder builder = BitcaskEngine.builder(HOME);
        return (encryption == null ? builder : builder.encryption(encryption))
                .io(disk.factory())
                .index(INDEX)
                .clock(clock)
                .executor(Runnable::run)
                .autoMerge(false)
                .imageEveryBytes(Long.MAX_VALUE)
                .maxFileBytes(400);
    }

    private static byte[] bytes(String text) {
        return KeyValues.bytes(text);
    }

    private void put(BitcaskEngine engine, String key, String value) throws IOException {
        engine.put(bytes(key), bytes(value));
        model.put(key, value);
    }

    /** Makes a store with a file of every kind, a batch, tombstones, merged files, and expiries, some of which were told. */
    private CrashableIoManager store() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        try (BitcaskEngine engine = builder(disk).open()) {
            for (int i = 0; i < KEYS; i++) {
                put(engine, "key " + i, "first " + i);
            }
            engine.merge();
            engine.put(bytes("brief"), bytes("1"), WriteOptions.DEFAULT.timeToLive(Duration.ofSeconds(5)));
            engine.put(bytes("long"), bytes("1"), WriteOptions.DEFAULT.timeToLive(Duration.ofDays(9)));
            clock.advance(Duration.ofSeconds(10));
            assertThat(engine.get(bytes("brief"))).isNull();
            engine.write(new WriteBatch().put(bytes("key 1"), bytes("batch")).delete(bytes("key 2")));
            model.put("key 1", "batch");
            model.remove("key 2");
            engine.delete(bytes("key 3"));
            model.remove("key 3");
            engine.sync();
        }
        try (BitcaskEngine engine = builder(disk).open()) {
            put(engine, "key 4", "second 4");
        }
        return disk;
    }

    private static CrashableIoManager copy(Map<String, byte[]> files) {
        CrashableIoManager disk = new CrashableIoManager().logging(false);
        files.forEach(disk::install);
        return disk;
    }

    private static Map<String, byte[]> files(CrashableIoManager disk) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        for (String name : disk.list()) {
            if (!name.equals("OWNER") && !name.equals("LOCK")) {
                files.put(name, disk.content(name));
            }
        }
        return files;
    }

    private static String image(CrashableIoManager disk) throws IOException {
        StringBuilder image = new StringBuilder();
        files(disk)
                .forEach((name, bytes) -> image.append(name)
                        .append('=')
                        .append(HexFormat.of().formatHex(bytes))
                        .append('\n'));
        return image.toString();
    }

    /** The forger is worth something only if a number that it puts in its own place changes nothing. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void everyKindOfFileHasNumbersAndItsOwnAreItsOwn(boolean isEncrypted) throws IOException {
        encryption = isEncrypted ? ENCRYPTED : null;
        Map<String, byte[]> files = files(store());
        Map<String, Integer> kinds = new TreeMap<>();
        for (Map.Entry<String, byte[]> each : files.entrySet()) {
            for (NumberForger.Number number : NumberForger.numbers(each.getKey(), each.getValue())) {
                kinds.merge(each.getKey().replaceAll(".*[.]", ""), 1, Integer::sum);
                assertThat(number.forged(number.value())).as(number.toString()).isEqualTo(each.getValue());
            }
        }
        assertThat(kinds).containsOnlyKeys("MANIFEST", "data", "merged", "hint", "image");
    }

    @Test
    void someOfAllForgedNumbersAreFoundOrHarmless() throws IOException {
        attack(11);
    }

    @Test
    void someOfAllForgedNumbersOfAnEncryptedStoreAreFoundOrHarmless() throws IOException {
        encryption = ENCRYPTED;
        attack(97);
    }

    @Test
    @Tag("campaign")
    void everyForgedNumberIsFoundOrHarmless() throws IOException {
        attack(1);
    }

    @Test
    @Tag("campaign")
    void everyForgedNumberOfAnEncryptedStoreIsFoundOrHarmless() throws IOException {
        encryption = ENCRYPTED;
        attack(1);
    }

    private void attack(int step) throws IOException {
        Map<String, byte[]> files = files(store());
        List<String> failures = new ArrayList<>();
        int count = 0;
        for (Map.Entry<String, byte[]> each : files.entrySet()) {
            for (NumberForger.Number number : NumberForger.numbers(each.getKey(), each.getValue())) {
                for (long edge : EDGES) {
                    if (count++ % step == 0) {
                        String failure = failureOf(files, number, edge);
                        if (failure != null) {
                            failures.add(failure);
                        }
                    }
                }
            }
        }
        assertThat(count).isGreaterThan(1_000);
        assertThat(failures).isEmpty();
    }

    private @Nullable String failureOf(Map<String, byte[]> files, NumberForger.Number number, long edge) {
        try {
            byte[] forged = number.forged(edge);
            if (Arrays.equals(forged, files.get(number.file()))) {
                return null;
            }
            CrashableIoManager disk = copy(files);
            disk.install(number.file(), forged);
            if (number.file().endsWith(".hint") || number.file().endsWith(".image")) {
                Sums.believe(disk, number.file());
            }
            judge(disk);
            return null;
        } catch (IOException | RuntimeException | Error e) {
            return number + " was " + number.value() + " and is " + edge + ": " + e;
        }
    }

    private void judge(CrashableIoManager disk) throws IOException {
        boolean isSound = false;
        String before = image(disk);
        try {
            VerifyReport report = encryption == null
                    ? BitcaskEngine.verify(HOME, disk.factory(), INDEX)
                    : BitcaskEngine.verify(HOME, disk.factory(), encryption);
            isSound = report.isSound();
        } catch (EngineException e) {
            assertThat(e.getMessage()).isNotEmpty();
        }
        assertThat(image(disk)).as("verification changes nothing").isEqualTo(before);
        Map<String, String> expected = new TreeMap<>(model);
        BitcaskEngine engine;
        try {
            engine = builder(disk).open();
        } catch (EngineException e) {
            assertThat(isSound)
                    .as("verification calls it sound, opening says: %s", e)
                    .isFalse();
            assertThat(image(disk)).as("opening changes nothing").isEqualTo(before);
            return;
        }
        try {
            assertContent(engine, expected, isSound);
            use(engine, expected, isSound);
            assertContent(engine, expected, isSound);
        } finally {
            engine.close();
        }
        try (BitcaskEngine again = builder(disk).open()) {
            assertContent(again, expected, isSound);
        } catch (EngineException e) {
            assertThat(isSound).as("%s", e).isFalse();
        }
    }

    private static void use(BitcaskEngine engine, Map<String, String> expected, boolean isSound) throws IOException {
        try {
            engine.put(bytes("key 5"), bytes("later"));
            expected.put("key 5", "later");
            engine.delete(bytes("key 6"));
            expected.remove("key 6");
            engine.merge();
            engine.put(bytes("more"), bytes("later"), WriteOptions.SYNC);
            expected.put("more", "later");
        } catch (EngineException e) {
            // A version or a number near its last one is possible, and leaves none to be given.
            assertThat(isSound && e.code() != ErrorCode.OUT_OF_SPACE)
                    .as("%s", e)
                    .isFalse();
        }
    }

    /** Of a store that is not sound something may be missing, and keys may have earlier values; but none is made up. */
    private static void assertContent(BitcaskEngine engine, Map<String, String> expected, boolean isSound)
            throws IOException {
        for (int i = 0; i < KEYS; i++) {
            String key = "key " + i;
            try {
                byte[] value = engine.get(bytes(key));
                String text = value == null ? null : new String(value, StandardCharsets.UTF_8);
                if (isSound) {
                    assertThat(text).as(key).isEqualTo(expected.get(key));
                } else {
                    // The empty one is that of a tombstone whose kind was forged: of the log nothing else is asked.
                    assertThat(text).as(key).isIn(null, "first " + i, "second " + i, "batch", "later", "");
                }
            } catch (CorruptRecordException e) {
                assertThat(isSound).as("%s", e).isFalse();
            }
        }
        try {
            Map<String, String> found = new TreeMap<>();
            for (Entry entry : KeyValues.entries(engine).values()) {
                found.put(
                        new String(entry.key(), StandardCharsets.UTF_8),
                        new String(entry.value(), StandardCharsets.UTF_8));
            }
            if (isSound) {
                // Whether an entry has expired is what clock and note say, and they may have been wrong.
                found.keySet().removeAll(List.of("brief", "long"));
                assertThat(found).isEqualTo(expected);
            }
        } catch (CorruptRecordException e) {
            assertThat(isSound).as("%s", e).isFalse();
        }
    }
}
