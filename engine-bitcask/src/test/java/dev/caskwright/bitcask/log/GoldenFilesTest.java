package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.Durability;
import dev.caskwright.api.Entry;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.bitcask.SmallImageIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.io.InputStream;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.HexFormat;
import java.util.List;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/**
 * Stores as released versions wrote them stay readable for ever. Those of a version are under {@code golden/vN}, in
 * hexadecimal; {@link #main} writes them, once, when a format version is made.
 *
 * <p>The store has data files that were closed and one that was cut off in use, a merged file, hint files, and a manifest
 * with a merge; batches, tombstones, expiries, an empty value, and keys that are not text.
 */
final class GoldenFilesTest {
    private static final Path HOME = Path.of("store");
    private static final List<String> FILES =
            List.of("00000003.merged", "00000003.hint", "00000009.data", "00000009.hint", "00000010.data", "MANIFEST");
    private static final List<String> FILES_WITH_IMAGE =
            List.of("00000001.data", "00000001.hint", "00000002.image", "00000003.data", "MANIFEST");
    private static final KeyIndexFactory SMALL = context -> new SmallImageIndex(() -> {});
    private static final byte[] ODD_KEY = {0, (byte) 0xFF, 0x7F, (byte) 0x80};

    /** Writes the golden files of the format as it is into two directories: of the store, and of one with an image. */
    public static void main(String[] arguments) throws IOException {
        write(Path.of(arguments[0]), write());
        write(Path.of(arguments[1]), writeWithImage());
    }

    private static void write(Path directory, Map<String, byte[]> files) throws IOException {
        Files.createDirectories(directory);
        for (Map.Entry<String, byte[]> file : files.entrySet()) {
            String digits = HexFormat.of().formatHex(file.getValue());
            Files.writeString(directory.resolve(file.getKey() + ".hex"), digits.replaceAll(".{64}", "$0\n") + "\n");
        }
    }

    private static EngineBuilder builder(CrashableIoManager disk, ManualClock clock) {
        SplittableRandom random = new SplittableRandom(1);
        return BitcaskEngine.builder(HOME)
                .io(disk.factory())
                .clock(clock)
                .random(random::nextLong)
                .executor(Runnable::run)
                .autoMerge(false)
                .replayThreads(1)
                .durability(Durability.WRITE)
                .maxFileBytes(512);
    }

    private static byte[] bytes(String text) {
        return KeyValues.bytes(text);
    }

    private static Map<String, byte[]> write() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        ManualClock clock = new ManualClock();
        BitcaskEngine engine = builder(disk, clock).open();
        engine.put(bytes("gone"), bytes("to be deleted"));
        engine.put(bytes("kept"), bytes("from the first file"));
        engine.put(bytes("old"), bytes("to be overwritten"));
        engine.put(ODD_KEY, bytes("a key that is not text"));
        engine.put(bytes("short-lived"), bytes("x"), WriteOptions.DEFAULT.timeToLive(Duration.ofMinutes(1)));
        engine.delete(bytes("gone"));
        engine.put(bytes("old"), bytes("overwritten"));
        engine.write(
                new WriteBatch().put(bytes("batch 1"), bytes("one")).put(bytes("batch 2"), bytes("two")),
                WriteOptions.SYNC);
        clock.advance(Duration.ofHours(1));
        engine.get(bytes("short-lived"));
        engine.merge();
        engine.put(bytes("long"), bytes("0123456789".repeat(45)));
        engine.put(bytes("empty"), new byte[0]);
        engine.put(bytes("dies in 2100"), bytes("y"), WriteOptions.DEFAULT.timeToLive(Duration.ofDays(27_000)));
        engine.delete(bytes("batch 2"));
        engine.write(new WriteBatch().put(bytes("batch 3"), bytes("three")).delete(bytes("old")), WriteOptions.WRITE);
        return contents(disk.kill());
    }

    /** Writes a store that was closed with an image of the index, and killed with some writes after it. */
    private static Map<String, byte[]> writeWithImage() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        ManualClock clock = new ManualClock();
        BitcaskEngine engine = builderWithImages(disk, clock).open();
        engine.put(bytes("in the image"), bytes("1"));
        engine.put(ODD_KEY, bytes("2"));
        engine.put(bytes("later deleted"), bytes("3"));
        engine.close();
        engine = builderWithImages(disk, clock).open();
        engine.put(bytes("behind the image"), bytes("4"));
        engine.delete(bytes("later deleted"));
        return contents(disk.kill());
    }

    /** All random numbers are the same: the nonce of an image does not depend on how many were drawn before. */
    private static EngineBuilder builderWithImages(CrashableIoManager disk, ManualClock clock) {
        return builder(disk, clock).index(SMALL).random(() -> 0x0123_4567_89AB_CDEFL);
    }

    private static Map<String, byte[]> contents(CrashableIoManager disk) throws IOException {
        Map<String, byte[]> files = new TreeMap<>();
        for (String name : disk.list()) {
            files.put(name, disk.content(name));
        }
        return files;
    }

    private static CrashableIoManager golden(int version) throws IOException {
        return golden("v" + version, FILES);
    }

    private static CrashableIoManager golden(String directory, List<String> names) throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        for (String name : names) {
            try (InputStream in =
                    GoldenFilesTest.class.getResourceAsStream("/golden/" + directory + "/" + name + ".hex")) {
                assertThat(in).as(name).isNotNull();
                String digits = new String(in.readAllBytes(), StandardCharsets.US_ASCII);
                disk.install(name, HexFormat.of().parseHex(digits.replaceAll("\\s", "")));
            }
        }
        return disk;
    }

    private static void assertContent(BitcaskEngine engine) throws IOException {
        Map<byte[], Entry> entries = KeyValues.entries(engine);
        List<String> found = new ArrayList<>();
        for (Entry entry : entries.values()) {
            assertThat(engine.get(entry.key())).isEqualTo(entry.value());
            found.add(KeyValues.describe(entry.key()) + " = " + KeyValues.describe(entry.value()) + ", version "
                    + entry.version() + (entry.expiresAtMillis() == 0 ? "" : ", expires " + entry.expiresAtMillis()));
        }
        assertThat(found)
                .containsExactly(
                        "\"\\00\\ff\\7f\\80\" (4 bytes) = \"a\\20key\\20that\\20is\\20not\\20text\" (22 bytes), version 4",
                        "\"batch\\201\" (7 bytes) = \"one\" (3 bytes), version 8",
                        "\"batch\\203\" (7 bytes) = \"three\" (5 bytes), version 14",
                        "\"dies\\20in\\202100\" (12 bytes) = \"y\" (1 bytes), version 12, expires 4100029200000",
                        "\"empty\" (5 bytes) = \"\" (0 bytes), version 11",
                        "\"kept\" (4 bytes) = \"from\\20the\\20first\\20file\" (19 bytes), version 2",
                        "\"long\" (4 bytes) = \"012345678901234567890123...\" (450 bytes), version 10");
        assertThat(engine.stats().lastVersion()).isEqualTo(15);
        assertThat(engine.stats().opening().tornBytesCut()).isZero();
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void storesOfEveryVersionAreRead(int version) throws IOException {
        // A clock before the time that the store noted: what had expired stays so.
        ManualClock clock = new ManualClock(ManualClock.START_MILLIS - 1_000_000);
        BitcaskEngine engine = builder(golden(version), clock).open();
        assertContent(engine);
        List<String> changes = new ArrayList<>();
        engine.changes(9, change -> changes.add(change.version() + (change.isLastOfBatch() ? "." : "")));
        assertThat(changes).containsExactly("10.", "11.", "12.", "13.", "14", "15.");
        engine.merge();
        assertThat(engine.get(bytes("gone"))).isNull();
        engine.close();
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void storesOfEveryVersionAreReadWithoutHints(int version) throws IOException {
        CrashableIoManager disk = golden(version);
        disk.delete("00000003.hint");
        disk.delete("00000009.hint");
        BitcaskEngine engine = builder(disk, new ManualClock()).open();
        assertContent(engine);
        engine.close();
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void storesOfEveryVersionAreOpenedForReading(int version) throws IOException {
        CrashableIoManager disk = golden(version);
        long operations = disk.operations();
        BitcaskEngine engine = builder(disk, new ManualClock()).readOnly(true).open();
        assertContent(engine);
        engine.close();
        assertThat(disk.operations()).isEqualTo(operations);
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
    }

    @ParameterizedTest
    @ValueSource(ints = 1)
    void imagesOfEveryVersionAreRead(int version) throws IOException {
        CrashableIoManager disk = golden("v" + version + "-image", FILES_WITH_IMAGE);
        assertThat(BitcaskEngine.verify(HOME, disk.factory()).damages()).isEmpty();
        BitcaskEngine engine = builder(disk, new ManualClock()).index(SMALL).open();
        assertThat(engine.stats().opening().fromImage()).isTrue();
        assertThat(engine.stats().opening().replayedRecords()).isEqualTo(2);
        assertThat(engine.get(bytes("in the image"))).isEqualTo(bytes("1"));
        assertThat(engine.get(ODD_KEY)).isEqualTo(bytes("2"));
        assertThat(engine.get(bytes("behind the image"))).isEqualTo(bytes("4"));
        assertThat(engine.size()).isEqualTo(3);
        engine.close();
    }

    /** Whoever means to change the bytes makes a new format version, and golden files of its own. */
    @Test
    void todaysBytesAreThoseOfTheLatestVersion() throws IOException {
        assertSame(write(), golden(1), FILES);
        assertSame(writeWithImage(), golden("v1-image", FILES_WITH_IMAGE), FILES_WITH_IMAGE);
    }

    private static void assertSame(Map<String, byte[]> today, CrashableIoManager latest, List<String> names)
            throws IOException {
        assertThat(today.keySet())
                .containsExactlyElementsOf(names.stream().sorted().toList());
        for (Map.Entry<String, byte[]> file : today.entrySet()) {
            assertThat(HexFormat.of().formatHex(file.getValue()))
                    .as(file.getKey())
                    .isEqualTo(HexFormat.of().formatHex(latest.content(file.getKey())));
        }
    }
}
