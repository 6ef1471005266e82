package dev.caskwright.importer;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.junit.jupiter.api.Assumptions.assumeTrue;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.TreeMap;
import java.util.concurrent.TimeUnit;
import java.util.stream.Stream;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading the Bitcask of Riak: files made by hand from its format, and files made by the real thing. */
final class RiakBitcaskTest {
    private static final Path PROGRAM = Path.of("/usr/lib/erlang/lib");
    private static final int SECONDS = 1_700_000_000;

    private final ForeignFormat format = new RiakBitcask();

    @TempDir
    private Path directory;

    @Test
    void theLastRecordOfTheHighestFileCounts() throws IOException {
        write("2.bitcask.data", record("a", "old"), record("b", "kept"));
        write("10.bitcask.data", record("a", "older than new"), record("a", "new"));
        write("10.bitcask.hint", new byte[] {1, 2, 3});
        assertThat(Told.of(format, directory).entries()).isEqualTo(Map.of("a", "new", "b", "kept"));
    }

    @Test
    void aTombstoneOfVersionOneDeletesWhatCameBefore() throws IOException {
        write("1.bitcask.data", record("a", "1"), record("a", "bitcask_tombstone"), record("b", "bitcask_tombstones"));
        assertThat(Told.of(format, directory).entries()).isEqualTo(Map.of("b", "bitcask_tombstones"));
    }

    @Test
    void aNumberedTombstoneThatAMergeMovedDoesNotDeleteWhatWasPutSince() throws IOException {
        write("1.bitcask.data", record("gone", "1"));
        write("4.bitcask.data", record("back", "2"));
        write("5.bitcask.data", record("back", tombstone(3)), record("gone", tombstone(3)));
        assertThat(Told.of(format, directory).entries()).isEqualTo(Map.of("back", "2"));
    }

    @Test
    void entriesExpireAfterTheSecondsThatTheStoreWasTold() throws IOException {
        write("1.bitcask.data", record("a", "1"));
        assertThat(Told.of(format, directory, new ReadOptions(60, 0, null, null))
                        .expiries())
                .isEqualTo(Map.of("a", (SECONDS + 60L) * 1_000));
        assertThat(Told.of(format, directory, new ReadOptions(Long.MAX_VALUE, 0, null, null))
                        .expiries())
                .isEmpty();
    }

    @Test
    void aDamagedRecordIsToldAndThoseBehindItAreRead() throws IOException {
        byte[] damaged = record("a", "1");
        damaged[damaged.length - 1] ^= 1;
        write("1.bitcask.data", record("b", "2"), damaged, record("c", "3"));
        Told told = Told.of(format, directory);
        assertThat(told.entries()).isEqualTo(Map.of("b", "2", "c", "3"));
        assertThat(told.damage()).containsExactly("1.bitcask.data@16: a record has a wrong checksum");
    }

    @Test
    void everyCutIsToldUnlessItFallsBetweenRecords() throws IOException {
        byte[] whole = join(record("a", "1"), record("b", "22"));
        for (int length = 0; length < whole.length; length++) {
            Files.write(directory.resolve("1.bitcask.data"), Arrays.copyOf(whole, length));
            Told told = Told.of(format, directory);
            assertThat(told.damage()).as("cut to %d bytes", length).hasSize(length == 0 || length == 16 ? 0 : 1);
            assertThat(told.entries()).as("cut to %d bytes", length).hasSize(length < 16 ? 0 : 1);
        }
    }

    @Test
    void lengthsThatCannotBeTakeNoMemory() throws IOException {
        byte[] record = record("a", "1");
        ByteBuffer.wrap(record).putInt(10, -1);
        write("1.bitcask.data", record);
        assertThat(Told.of(format, directory).damage())
                .singleElement()
                .asString()
                .contains("4294967295 bytes");
    }

    @Test
    void anotherDirectoryIsRefused() {
        assertThatThrownBy(() -> Told.of(format, directory))
                .isInstanceOf(IOException.class)
                .hasMessageContaining(directory.toString())
                .hasMessageContaining("bitcask");
    }

    @Test
    void whatRiakWroteAndMergedIsReadAsRiakReadsIt() throws Exception {
        assumeTrue(
                hasErlangBitcask(),
                "SKIPPED LOUDLY: Debian's erlang-bitcask is not installed, so no files of the real thing are read");
        Path store = directory.resolve("real");
        Path script = Files.writeString(directory.resolve("make.erl"), """
                %% -*- erlang -*-
                main([Dir]) ->
                  Key = fun(I) -> <<"k", (integer_to_binary(I))/binary>> end,
                  B = bitcask:open(Dir, [read_write, {max_file_size, 3000}]),
                  [ok = bitcask:put(B, Key(I), <<"v", (integer_to_binary(I))/binary>>) || I <- lists:seq(1, 400)],
                  [ok = bitcask:delete(B, Key(I)) || I <- lists:seq(1, 400, 3)],
                  [ok = bitcask:put(B, Key(I), <<"again">>) || I <- lists:seq(1, 400, 6)],
                  ok = bitcask:merge(Dir),
                  [ok = bitcask:delete(B, Key(I)) || I <- lists:seq(2, 400, 5)],
                  [ok = bitcask:put(B, Key(I), <<"late">>) || I <- lists:seq(2, 400, 10)],
                  bitcask:close(B),
                  D = bitcask:open(Dir),
                  bitcask:fold(D, fun(K, V, _) -> io:format("~s ~s~n", [K, V]) end, ok),
                  bitcask:close(D).
                """);
        Process process = new ProcessBuilder("escript", script.toString(), store.toString())
                .redirectErrorStream(true)
                .start();
        String output = new String(process.getInputStream().readAllBytes(), US_ASCII);
        assertThat(process.waitFor(60, TimeUnit.SECONDS)).isTrue();
        assertThat(process.exitValue()).as(output).isZero();
        Map<String, String> expected = new TreeMap<>();
        output.lines().forEach(line -> expected.put(line.split(" ")[0], line.split(" ")[1]));
        assertThat(expected).hasSizeGreaterThan(250);
        Told told = Told.of(format, store);
        assertThat(told.damage()).isEmpty();
        assertThat(told.entries()).isEqualTo(expected);
    }

    private static boolean hasErlangBitcask() throws IOException {
        if (!Files.isDirectory(PROGRAM) || !Files.isExecutable(Path.of("/usr/bin/escript"))) {
            return false;
        }
        try (Stream<Path> libraries = Files.list(PROGRAM)) {
            return libraries.anyMatch(
                    library -> library.getFileName().toString().startsWith("bitcask-"));
        }
    }

    /** The file has a hole, so it takes no room. */
    @Test
    void aDamagedLengthTakesNoMemory() throws IOException {
        byte[] record = record("a", "1");
        ByteBuffer.wrap(record).putInt(10, 100_000_000);
        write("1.bitcask.data", record);
        try (FileChannel file = FileChannel.open(directory.resolve("1.bitcask.data"), StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(record("b", "2")), 100_000_015);
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        Told told = Told.of(format, directory);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(10_000_000);
        assertThat(told.damage()).containsExactly("1.bitcask.data@0: a record has a wrong checksum");
        assertThat(told.entries()).isEqualTo(Map.of("b", "2"));
        Files.delete(directory.resolve("1.bitcask.data"));
    }

    private static byte[] tombstone(int file) {
        return ByteBuffer.allocate(22)
                .put("bitcask_tombstone2".getBytes(US_ASCII))
                .putInt(file)
                .array();
    }

    private static byte[] record(String key, String value) {
        return record(key, value.getBytes(US_ASCII));
    }

    private static byte[] record(String key, byte[] value) {
        ByteBuffer record = ByteBuffer.allocate(14 + key.length() + value.length);
        record.putInt(0).putInt(SECONDS).putShort((short) key.length()).putInt(value.length);
        record.put(key.getBytes(US_ASCII)).put(value);
        CRC32 crc = new CRC32();
        crc.update(record.array(), 4, record.capacity() - 4);
        return record.putInt(0, (int) crc.getValue()).array();
    }

    private void write(String name, byte[]... records) throws IOException {
        Files.write(directory.resolve(name), join(records));
    }

    private static byte[] join(byte[]... parts) {
        ByteArrayOutputStream all = new ByteArrayOutputStream();
        for (byte[] part : parts) {
            all.writeBytes(part);
        }
        return all.toByteArray();
    }
}
