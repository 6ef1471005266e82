package dev.caskwright.cli;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bolt.BoltDatabase;
import dev.caskwright.bolt.Bucket;
import java.io.ByteArrayInputStream;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.PrintStream;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.Path;
import java.util.zip.CRC32;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;
import org.mapdb.DB;
import org.mapdb.DBMaker;
import org.mapdb.Serializer;

/** Imports of foreign stores. What each format is read as is tested where the formats are. */
final class ImportCliTest {
    private static final int SECONDS = 1_700_000_000;

    @TempDir
    private Path directory;

    private Path source = Path.of("");
    private Path target = Path.of("");

    private record Result(int exit, String out, String err) {}

    @BeforeEach
    void name() throws IOException {
        source = Files.createDirectory(directory.resolve("riak"));
        target = directory.resolve("store");
    }

    @Test
    void entriesAreImportedAndReadBack() throws IOException {
        write(record("a", "1"), record("b", "2"), record("a", "3"));
        Result result = run("import", "--from", "riak-bitcask", source.toString(), "--to", target.toString());
        assertThat(result.err()).isEmpty();
        assertThat(result.exit()).isZero();
        String[] lines = result.out().split("\n");
        assertThat(lines[0]).startsWith("imported: 2 entries, digest ");
        assertThat(lines[1]).isEqualTo(lines[0].replace("imported: ", "found:    "));
        assertThat(run("get", "--dir", target.toString(), "a").out()).isEqualTo("3");
    }

    @Test
    void damageAndKeysThatNoStoreTakesAreToldAndEndWithOne() throws IOException {
        byte[] damaged = record("a", "1");
        damaged[0] ^= 1;
        write(damaged, record("", "2"), record("b", "3"));
        Result result = run("import", "--from", "riak-bitcask", source.toString(), "--to", target.toString());
        assertThat(result.exit()).isEqualTo(1);
        assertThat(result.out())
                .contains("damaged: a record has a wrong checksum: file=" + source.resolve("1.bitcask.data")
                        + ", offset=0")
                .contains("left out: a key of 0 bytes")
                .contains("found:    1 entries");
    }

    @Test
    void allThatIsToldMayBeJson() throws IOException {
        byte[] damaged = record("a", "1");
        damaged[0] ^= 1;
        write(damaged, record("", "2"), record("b", "3"));
        Result result = run("import", "--from", "riak-bitcask", source.toString(), "--to", target.toString(), "--json");
        assertThat(result.exit()).isEqualTo(1);
        String[] lines = result.out().split("\n");
        assertThat(lines[0])
                .isEqualTo("{\"file\":\"" + source.resolve("1.bitcask.data")
                        + "\",\"offset\":0,\"what\":\"a record has a wrong checksum\"}");
        assertThat(lines[1]).isEqualTo("{\"what\":\"a key that is empty or too long\",\"keyBytes\":0}");
        assertThat(lines[2])
                .matches("\\{\"importedEntries\":1,\"importedDigest\":\"([0-9a-f]{64})\",\"importedExpiringEntries\":0,"
                        + "\"importedExpiringDigest\":\"0{64}\",\"foundEntries\":1,\"foundDigest\":\"\\1\","
                        + "\"foundExpiringEntries\":0,\"foundExpiringDigest\":\"0{64}\",\"losses\":2,\"isKept\":true}");
        Path second = directory.resolve("second");
        Result converted = run("convert", "--from", target.toString(), "--to", second.toString(), "--json");
        assertThat(converted.exit()).as(converted.err()).isZero();
        assertThat(converted.out())
                .isEqualTo(lines[2].replace("imported", "copied").replace("\"losses\":2,", "") + "\n");
        Result expired = run(
                "import",
                "--json",
                "--from",
                "riak-bitcask",
                source.toString(),
                "--to",
                directory.resolve("third").toString(),
                "--expire-after",
                "1d");
        assertThat(expired.out()).contains("{\"leftOut\":\"entries that have expired\",\"count\":");
    }

    @Test
    void whatHasExpiredIsLeftOut() throws IOException {
        write(record("a", "1"));
        Result result = run(
                "import",
                "--from",
                "riak-bitcask",
                source.toString(),
                "--to",
                target.toString(),
                "--expire-after",
                "1d");
        assertThat(result.exit()).isZero();
        assertThat(result.out())
                .contains("left out: 1 entries that have expired")
                .contains("found:    0 entries");
    }

    @Test
    void aWrongSourceLeavesNothingBehind() {
        Result result = run("import", "--from", "riak-bitcask", source.toString(), "--to", target.toString());
        assertThat(result.exit()).isEqualTo(3);
        assertThat(result.err()).contains(source.toString());
        assertThat(target).doesNotExist();
        Result unknown = run("import", "--from", "riak", source.toString(), "--to", target.toString());
        assertThat(unknown.exit()).isEqualTo(2);
        assertThat(unknown.err())
                .contains("bitcask-go, bolt, leveldb, lmdb, mapdb, mvstore, redis-rdb, riak-bitcask, rocksdb");
    }

    @Test
    void aFormatWhoseModuleIsNotThereIsToldWithItsArtifact() {
        for (String format : new String[] {"rocksdb", "lmdb", "mvstore"}) {
            Result result = run("import", "--from", format, source.toString(), "--to", target.toString());
            assertThat(result.exit()).isEqualTo(2);
            assertThat(result.err())
                    .contains("dev.caskwright:caskwright-importer-" + format)
                    .contains("lib");
        }
        assertThat(target).doesNotExist();
    }

    @Test
    void aBucketOfBoltIsImportedWithCountAndDigest() throws IOException {
        Path file = directory.resolve("db");
        try (BoltDatabase database = BoltDatabase.open(file)) {
            database.update(transaction -> {
                Bucket bucket = transaction.createBucket("one".getBytes(US_ASCII));
                bucket.put("a".getBytes(US_ASCII), "1".getBytes(US_ASCII));
                bucket.put("b".getBytes(US_ASCII), "2".getBytes(US_ASCII));
                transaction.createBucket("two".getBytes(US_ASCII));
            });
        }
        Result which = run("import", "--from", "bolt", file.toString(), "--to", target.toString());
        assertThat(which.exit()).isEqualTo(3);
        assertThat(which.err()).contains("--part").contains("found=one, two");
        assertThat(target).doesNotExist();
        Result result = run("import", "--from", "bolt", file.toString(), "--part", "one", "--to", target.toString());
        assertThat(result.exit()).isZero();
        String[] lines = result.out().split("\n");
        assertThat(lines[0]).startsWith("imported: 2 entries, digest ");
        assertThat(lines[1]).isEqualTo(lines[0].replace("imported: ", "found:    "));
        assertThat(run("get", "--dir", target.toString(), "a").out()).isEqualTo("1");
    }

    @Test
    void aMapOfMapDbIsImported() {
        Path file = directory.resolve("map.db");
        try (DB database = DBMaker.fileDB(file.toFile()).make()) {
            database.treeMap("map", Serializer.STRING, Serializer.STRING)
                    .create()
                    .put("a", "1");
        }
        Result result = run("import", "--from", "mapdb", file.toString(), "--to", target.toString());
        assertThat(result.err()).isEmpty();
        assertThat(result.out()).contains("found:    1 entries");
        assertThat(run("get", "--dir", target.toString(), "a").out()).isEqualTo("1");
    }

    private void write(byte[]... records) throws IOException {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] record : records) {
            all.writeBytes(record);
        }
        Files.write(source.resolve("1.bitcask.data"), all.toByteArray());
    }

    private static byte[] record(String key, String value) {
        ByteBuffer record = ByteBuffer.allocate(14 + key.length() + value.length());
        record.putInt(0).putInt(SECONDS).putShort((short) key.length()).putInt(value.length());
        record.put(key.getBytes(US_ASCII)).put(value.getBytes(US_ASCII));
        CRC32 crc = new CRC32();
        crc.update(record.array(), 4, record.capacity() - 4);
        return record.putInt(0, (int) crc.getValue()).array();
    }

    private static Result run(String... arguments) {
        ByteArrayOutputStream out = new ByteArrayOutputStream();
        ByteArrayOutputStream err = new ByteArrayOutputStream();
        Shell shell = new Shell(
                new ByteArrayInputStream(new byte[0]),
                out,
                new PrintStream(err, true, StandardCharsets.UTF_8),
                false,
                false,
                new EngineStores(),
                millis -> {});
        int exit = new Main(shell).run(arguments);
        return new Result(exit, out.toString(StandardCharsets.UTF_8), err.toString(StandardCharsets.UTF_8));
    }
}
