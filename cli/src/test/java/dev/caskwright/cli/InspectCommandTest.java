package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.ISO_8859_1;
import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.engine.Backends;
import dev.caskwright.api.spi.engine.EngineSettings;
import dev.caskwright.api.spi.engine.EngineSettings.Access;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Duration;
import java.time.Instant;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** What {@code inspect} prints of each kind of file, sound and damaged. {@code -Dcaskwright.seed=N} repeats a random one. */
final class InspectCommandTest {
    @TempDir
    private Path temporary;

    private final Cli cli = new Cli();

    private Cli.Result inspect(Path file, String... options) {
        String[] arguments = new String[options.length + 2];
        arguments[0] = "inspect";
        arguments[1] = file.toString();
        System.arraycopy(options, 0, arguments, 2, options.length);
        return cli.run(arguments);
    }

    private static byte[] bytes(String text) {
        return text.getBytes(UTF_8);
    }

    /** Makes a store with sealed files, hints, an image and merged files. */
    private Path bitcask() throws IOException {
        Path directory = temporary.resolve("bitcask");
        try (BitcaskEngine store =
                BitcaskEngine.builder(directory).maxFileBytes(4_096).open()) {
            for (int i = 0; i < 50; i++) {
                store.put(bytes("key" + i), new byte[100]);
            }
            store.merge();
            store.put(bytes("esc\u001b[31m"), bytes("value\u202e"));
            store.put(
                    bytes("mortal"), bytes("v"), WriteOptions.DEFAULT.expiresAt(Instant.ofEpochMilli(4102444800000L)));
            store.put(new byte[] {(byte) 0xFF, 1}, new byte[0]);
            store.delete(bytes("key1"));
            store.write(new WriteBatch().put(bytes("in"), bytes("batch")).delete(bytes("key2")));
            store.put(bytes("large"), "x".repeat(1_000_000).getBytes(UTF_8));
        }
        return directory;
    }

    private static List<Path> files(Path directory, String suffix) throws IOException {
        try (Stream<Path> files = Files.list(directory)) {
            return files.filter(file -> file.toString().endsWith(suffix))
                    .sorted()
                    .toList();
        }
    }

    private String all(Path directory, String suffix) throws IOException {
        StringBuilder all = new StringBuilder();
        List<Path> files = files(directory, suffix);
        assertThat(files).as("%s files", suffix).isNotEmpty();
        for (Path file : files) {
            Cli.Result result = inspect(file);
            assertThat(result.exitCode())
                    .as(file + ": " + result.err() + result.out())
                    .isZero();
            all.append(result.out());
        }
        return all.toString();
    }

    @Test
    void dataFilesAreShownRecordByRecordWithWhatATerminalObeysEscaped() throws IOException {
        Path directory = bitcask();
        assertThat(all(directory, ".merged")).contains("data file", "64 put version=", "key=\"key49\"");
        String records = all(directory, ".data");
        assertThat(records)
                .contains("key=\"esc\\u001b[31m\"", "value=\"value\\u202e\"")
                .contains("expiresAt=4102444800000 (2100-01-01T00:00:00Z)")
                .contains("key=0xff01", "valueLength=1000000")
                .containsPattern("delete version=\\d+, flags=0x2, .*key=\"key1\"")
                .containsPattern("put version=\\d+, flags=0x21, inBatch=yes, .*key=\"in\"")
                .containsPattern("batch end version=\\d+, records=2")
                .doesNotContain("\u001b", "damaged");
        assertThat(records.lines()
                        .filter(line -> line.contains("key=\"large\""))
                        .findFirst()
                        .orElseThrow())
                .contains("value=\"" + "x".repeat(64) + "\"");
    }

    @Test
    void valuesThatAreStoredByCodecsAndTheNotesOfThemAreShown() throws IOException {
        Path directory = temporary.resolve("coded");
        try (BitcaskEngine store =
                BitcaskEngine.builder(directory).codec(Backends.codec("lz4")).open()) {
            store.put(bytes("long"), new byte[1_000]);
            store.put(bytes("mortal"), new byte[1_000], WriteOptions.DEFAULT.timeToLive(Duration.ofDays(1)));
            store.put(bytes("plain"), bytes("v"));
        }
        String records = all(directory, ".data");
        assertThat(records)
                .containsPattern(
                        "put version=1, flags=0x41, .*, codec=1, dictionary=0, decodedLength=1000, key=\"long\"")
                .containsPattern("flags=0x51, expiresAt=\\d+ .*key=\"mortal\"")
                .containsPattern("flags=0x1, durable.*key=\"plain\", keyLength=5, value=\"v\"");
        assertThat(all(directory, "MANIFEST")).contains("CODEC forcedBefore=", "codec=1, dictionary=0, name=\"lz4\"");
    }

    @Test
    void aTextThatIsCutWithinACharacterIsStillAText() throws IOException {
        Path directory = temporary.resolve("cut");
        try (BitcaskEngine store = BitcaskEngine.open(directory)) {
            store.put(bytes("k"), bytes("\u20ac\u20ac\ud83d\ude00"));
        }
        Path file = files(directory, ".data").get(0);
        assertThat(inspect(file, "--bytes", "5").out()).contains("value=\"\u20ac\", valueLength=10");
        assertThat(inspect(file, "--bytes", "9", "--json").out()).contains("\"value\":\"\u20ac\u20ac\",");
        assertThat(inspect(file, "--bytes", "10").out()).contains("value=\"\u20ac\u20ac\ud83d\ude00\"");
    }

    /** Heads that each claim all that follows: a checksum over it for each would take hours. */
    @Test
    void aForgedManifestIsReadInProportionToItsLength() throws IOException {
        Path directory = bitcask();
        byte[] start = Arrays.copyOf(Files.readAllBytes(directory.resolve("MANIFEST")), 1_536);
        byte[] forged = Arrays.copyOf(start, 2 << 20);
        ByteBuffer bytes = ByteBuffer.wrap(forged).order(ByteOrder.LITTLE_ENDIAN);
        long seed = (bytes.getLong(16) ^ Long.rotateLeft(bytes.getLong(24), 32)) * 0x9E3779B97F4A7C15L;
        for (int at = 1_536; at + 24 <= forged.length; at += 24) {
            bytes.putInt(at + 4, (forged.length - at - 24) / 8 * 8).put(at + 8, (byte) 1);
            CRC32C crc = new CRC32C();
            crc.update(forged, at + 4, 20);
            long mixed = (seed + at) * 0x9E3779B97F4A7C15L;
            int mask = (int) ((mixed ^ mixed >>> 29) * 0xBF58476D1CE4E5B9L >>> 32);
            bytes.putInt(at, (int) crc.getValue() ^ mask);
        }
        Path file = Files.write(temporary.resolve("forged"), forged);
        Cli.Result result = inspect(file);
        assertThat(result.exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(result.out()).contains("1536 damaged: bad checksum of the content of an edit: type=1");
    }

    @Test
    void hintsManifestsAndImagesAreShown() throws IOException {
        Path directory = bitcask();
        assertThat(all(directory, ".hint"))
                .contains(
                        "hint file format=1",
                        "put dataOffset=64",
                        "key=\"key49\"",
                        "expiries",
                        "key filter",
                        "checksums");
        assertThat(all(directory, "MANIFEST")).contains("manifest format=1", "clock note", "STATE", "SEAL", "HINTS");
        assertThat(all(directory, ".image"))
                .contains("image format=1", "block length=", "layout=hashmap", "data file number=");
    }

    @Test
    void damageIsToldWithItsOffsetAndWhatIsBehindIsShown() throws IOException {
        Path file = files(bitcask(), ".merged").get(0);
        List<String> sound = inspect(file).out().lines().toList();
        long second = Long.parseLong(sound.get(2).split(" ")[0]);
        byte[] bytes = Files.readAllBytes(file);
        byte[] damaged = bytes.clone();
        damaged[(int) second + 10] ^= 1; // within the header
        Files.write(file, damaged);
        Cli.Result result = inspect(file);
        assertThat(result.exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(result.out())
                .contains(second + " damaged: no sound header of a record; the next one is at "
                        + sound.get(3).split(" ")[0]);
        assertThat(result.out().lines()).hasSameSizeAs(sound);

        damaged = bytes.clone();
        damaged[(int) second + 30] ^= 1; // within the value
        Files.write(file, damaged);
        result = inspect(file, "--json");
        assertThat(result.exitCode()).isEqualTo(ExitCode.NOT_FOUND_OR_DAMAGE);
        assertThat(result.out())
                .contains("{\"offset\":" + second + ",\"kind\":\"damaged\",\"what\":\"bad checksum of key");
        assertThat(result.out().lines()).hasSameSizeAs(sound);

        Files.write(file, Arrays.copyOf(bytes, bytes.length - 9));
        assertThat(inspect(file).out()).contains("beyond the end of the file");
        Files.write(file, Arrays.copyOf(bytes, 30));
        assertThat(inspect(file).out()).contains("0 damaged: the file ends within its header");
    }

    @Test
    void filesOfBoltAndMossAreShown() throws IOException {
        Path bolt = temporary.resolve("file.db");
        try (StorageEngine store = Backends.engine("bolt").open(bolt, EngineSettings.of(Access.CREATE))) {
            store.put(bytes("oak"), bytes("tree"));
        }
        Cli.Result result = inspect(bolt);
        assertThat(result.exitCode()).as(result.out()).isZero();
        assertThat(result.out())
                .contains("meta page=0", "meta page=1", "leaf page=")
                .contains("oaktree");

        Path moss = temporary.resolve("moss");
        try (StorageEngine store = Backends.engine("moss").open(moss, EngineSettings.of(Access.CREATE))) {
            for (int i = 0; i < 1_000; i++) {
                store.put(bytes("key" + i), bytes("value" + i));
            }
        }
        StringBuilder all = new StringBuilder();
        try (Stream<Path> files = Files.list(moss)) {
            for (Path file :
                    files.filter(each -> each.toString().endsWith(".moss")).toList()) {
                result = inspect(file);
                assertThat(result.exitCode()).as(file + ": " + result.out()).isZero();
                all.append(result.out());
            }
        }
        assertThat(all).contains("manifest format=", "value999");
    }

    /** Whatever is wrong with a file, the command ends in order, and holds what it prints to lines. */
    @Test
    void noDamageOfAnyFileEndsInAnErrorThatIsNotForeseen() throws IOException {
        long seed = Long.getLong("caskwright.seed", new Random().nextLong());
        Random random = new Random(seed);
        Path directory = bitcask();
        Path bolt = temporary.resolve("file.db");
        try (StorageEngine store = Backends.engine("bolt").open(bolt, EngineSettings.of(Access.CREATE))) {
            store.put(bytes("oak"), bytes("tree"));
        }
        List<Path> sources = Stream.of(
                        files(directory, ".merged").get(0),
                        files(directory, ".hint").get(0),
                        directory.resolve("MANIFEST"),
                        files(directory, ".image").get(0),
                        bolt)
                .toList();
        Path file = temporary.resolve("file");
        for (int i = 0; i < 200; i++) {
            byte[] bytes = Files.readAllBytes(sources.get(i % sources.size()));
            for (int flips = 1 + random.nextInt(20); flips > 0; flips--) {
                bytes[8 + random.nextInt(bytes.length - 8)] = (byte) random.nextInt();
            }
            Files.write(file, random.nextBoolean() ? bytes : Arrays.copyOf(bytes, 8 + random.nextInt(bytes.length)));
            Cli.Result result = inspect(file, "--limit", "200");
            assertThat(result.exitCode())
                    .as("seed=%d, round=%d, %s", seed, i, result.err())
                    .isIn(ExitCode.OK, ExitCode.NOT_FOUND_OR_DAMAGE, ExitCode.STORE_ERROR);
            assertThat(result.err()).as("seed=%d, round=%d", seed, i).doesNotContain("Exception");
        }
    }

    @Test
    void whatIsNoFileOfAStoreIsRefused() throws IOException {
        Path file = Files.writeString(temporary.resolve("letter"), "mine");
        assertThat(inspect(file).exitCode()).isEqualTo(ExitCode.STORE_ERROR);
        assertThat(inspect(file).err()).contains("no file of a store that is known");
        assertThat(inspect(temporary).exitCode()).isEqualTo(ExitCode.USAGE);
        assertThat(inspect(temporary.resolve("none")).err()).contains("no such file");
        assertThat(inspect(file, "--bytes", "4097").exitCode()).isEqualTo(ExitCode.USAGE);
        Path merged = files(bitcask(), ".merged").get(0);
        assertThat(inspect(merged, "--limit", "3").out().lines()).hasSize(3);
        assertThat(new String(inspect(merged, "--bytes", "0").outBytes(), ISO_8859_1))
                .contains("key=\"\"");
    }
}
