package dev.caskwright.importer;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.charset.StandardCharsets;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Locale;
import java.util.Map;
import java.util.Random;
import java.util.TreeMap;
import java.util.stream.Stream;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/**
 * A store that LevelDB 1.23 has written, in {@code src/test/resources/leveldb}: {@code key0} to {@code key149} were put with the value
 * {@code old}, brought into a table by {@code CompactRange}, and put again with {@code value0} and so on; then {@code key7} was deleted
 * and {@code last} put, with no value.
 */
final class LevelDbTest {
    private static final int LOG_BLOCK = 32 << 10;
    private static final Path WRITTEN = Path.of("src", "test", "resources", "leveldb");

    private final LevelDb format = new LevelDb();

    @TempDir
    private Path directory;

    private static Map<String, String> expected() {
        Map<String, String> all = new TreeMap<>();
        for (int i = 0; i < 150; i++) {
            all.put("key" + i, "value" + i);
        }
        all.remove("key7");
        all.put("last", "");
        return all;
    }

    private Path copy() throws IOException {
        Path copy = Files.createTempDirectory(directory, "copy");
        try (Stream<Path> files = Files.list(WRITTEN)) {
            for (Path each : files.toList()) {
                Files.copy(each, copy.resolve(each.getFileName()));
            }
        }
        return copy;
    }

    @Test
    void whatLevelDbHasWrittenIsRead() throws IOException {
        Told told = Told.of(format, WRITTEN);
        assertThat(told.entries()).isEqualTo(expected());
        assertThat(told.damage()).isEmpty();
        assertThat(told.skipped()).isEmpty();
        assertThat(told.expiries()).isEmpty();
    }

    @Test
    void aTableAloneHasTheValuesBefore() throws IOException {
        Path copy = copy();
        Files.write(copy.resolve("000004.log"), new byte[0]);
        Told told = Told.of(format, copy);
        assertThat(told.entries()).hasSize(150).containsEntry("key7", "old");
        assertThat(told.damage()).isEmpty();
    }

    /** Some bytes say nothing: the padding of a footer, and where the table has indexes of other things. */
    @Test
    void noChangedByteIsPassedOverInSilence() throws IOException {
        Path copy = copy();
        for (String name : new String[] {"CURRENT", "MANIFEST-000002", "000004.log", "000005.ldb"}) {
            Path file = copy.resolve(name);
            byte[] sound = Files.readAllBytes(file);
            for (int at = 0; at < sound.length; at += name.endsWith("log") ? 13 : 5) {
                byte[] damaged = sound.clone();
                damaged[at] ^= 0x41;
                Files.write(file, damaged);
                Told told = new Told();
                try {
                    format.read(copy, ReadOptions.DEFAULT, told);
                } catch (IOException e) {
                    continue;
                }
                assertThat(told.damage().isEmpty() && !told.entries().equals(expected()))
                        .as("file=%s, offset=%d", name, at)
                        .isFalse();
                told.entries()
                        .forEach((key, value) ->
                                assertThat(value).isIn(key.equals("last") ? "" : "value" + key.substring(3), "old"));
            }
            Files.write(file, sound);
        }
    }

    @Test
    void whatIsMissingOrCutShortIsTold() throws IOException {
        Path copy = copy();
        byte[] log = Files.readAllBytes(copy.resolve("000004.log"));
        Files.write(copy.resolve("000004.log"), Arrays.copyOf(log, log.length - 3));
        assertThat(Told.of(format, copy).damage()).singleElement().asString().contains("cut short");
        Files.delete(copy.resolve("000005.ldb"));
        assertThat(Told.of(format, copy).damage()).hasSize(2).first().asString().contains("a table is missing");
    }

    /** Records of a right checksum, some of which look like a batch of changes. */
    @Test
    void nonsenseInALogIsToldAndNothingOfItCounts() throws IOException {
        Path copy = copy();
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 500; i++) {
            byte[] nonsense = new byte[random.nextInt(60)];
            random.nextBytes(nonsense);
            if (nonsense.length > 13) {
                Arrays.fill(nonsense, 0, 13, (byte) 0);
                nonsense[8] = 2; // changes
                nonsense[12] = (byte) random.nextInt(3); // what the first is
            }
            Files.write(copy.resolve("000004.log"), piece(1, nonsense));
            Told told = Told.of(format, copy);
            assertThat(told.damage()).as("seed=%d, round=%d", seed, i).hasSize(1);
            assertThat(told.entries()).as("seed=%d, round=%d", seed, i).hasSize(150);
        }
    }

    /** What a power loss leaves of a manifest that was not forced: its length. It does not say that there are no tables. */
    @Test
    void aManifestOfWhichNothingIsLeftIsAnErrorAndNoEmptyStore() throws IOException {
        Path copy = copy();
        Path manifest = copy.resolve("MANIFEST-000002");
        for (int length : new int[] {0, (int) Files.size(manifest)}) {
            Files.write(manifest, new byte[length]);
            assertThatThrownBy(() -> Told.of(format, copy))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("does not say which files count");
        }
    }

    @Test
    void zerosAndMissingBlocksWithinALogAreTold() throws IOException {
        Path copy = copy();
        Path log = copy.resolve("000004.log");
        byte[] sound = Files.readAllBytes(log);
        byte[] holed = sound.clone();
        Arrays.fill(holed, 0, 7, (byte) 0);
        Files.write(log, holed);
        assertThat(Told.of(format, copy).damage()).singleElement().asString().contains("zeros before the end");
        byte[] page = new byte[LOG_BLOCK + sound.length];
        System.arraycopy(sound, 0, page, LOG_BLOCK, sound.length);
        Files.write(log, page);
        Told told = Told.of(format, copy);
        assertThat(told.damage()).singleElement().asString().contains("@0: there are zeros before the end");
        assertThat(told.entries()).isEqualTo(expected());
        Files.write(log, Arrays.copyOf(sound, sound.length + 100_000));
        assertThat(Told.of(format, copy).damage())
                .as("space that was taken ahead")
                .isEmpty();
        Files.write(log, piece(4, new byte[20]));
        assertThat(Told.of(format, copy).damage()).singleElement().asString().contains("no beginning");
    }

    @Test
    void numbersOfFilesAreDigitsOfAsciiInAnyLocale() throws IOException {
        Locale before = Locale.getDefault();
        try {
            Locale.setDefault(Locale.forLanguageTag("ar-EG-u-nu-arab"));
            assertThat(Told.of(format, WRITTEN).damage()).isEmpty();
        } finally {
            Locale.setDefault(before);
        }
    }

    @Test
    void aStoreThatIsChangedWhileItIsReadIsAnError() throws IOException {
        Path copy = copy();
        // The first log has one entry, at which the second is emptied.
        Files.move(copy.resolve("000004.log"), copy.resolve("000007.log"));
        Files.write(copy.resolve("000004.log"), piece(1, put(1, "early", "")));
        Receiver receiver = new Receiver() {
            @Override
            public void entry(byte[] key, byte[] value, long expiresAtMillis) throws IOException {
                Files.write(copy.resolve("000007.log"), new byte[0]);
            }

            @Override
            public void damage(Path file, long offset, String what) {}

            @Override
            public void skipped(String what, long count) {}
        };
        assertThatThrownBy(() -> format.read(copy, ReadOptions.DEFAULT, receiver))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("changed while it was read");
    }

    /** The file has a hole, so it takes no room. */
    @Test
    void ofATableOneBlockIsInMemoryAtATime() throws IOException {
        Path copy = copy();
        Path table = copy.resolve("000005.ldb");
        byte[] sound = Files.readAllBytes(table);
        byte[] end = Arrays.copyOfRange(sound, sound.length - 48, sound.length);
        try (FileChannel channel = FileChannel.open(table, StandardOpenOption.WRITE)) {
            channel.write(ByteBuffer.wrap(end), 3L << 30);
        }
        Told told = Told.of(format, copy);
        assertThat(told.damage()).isEmpty();
        assertThat(told.entries()).isEqualTo(expected());
        Files.delete(table);
    }

    /** No checksum guards what the end of a table says of the index. The file has a hole, so it takes no room. */
    @Test
    void aDamagedLengthTakesNoMemory() throws IOException {
        Path store = copy();
        Path table = store.resolve("000005.ldb");
        byte[] content = Files.readAllBytes(table);
        ByteBuffer footer = ByteBuffer.allocate(48).order(ByteOrder.LITTLE_ENDIAN);
        footer.put(new byte[] {0, 0, 0, (byte) 0x80, (byte) 0x84, (byte) 0xAF, 0x5F}); // 0, 0, 0, 200,000,000
        footer.putLong(40, 0xDB4775248B80FB57L);
        try (FileChannel file = FileChannel.open(table, StandardOpenOption.WRITE)) {
            file.write(ByteBuffer.wrap(content), 0);
            file.write(footer.rewind(), 210_000_000);
        }
        ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
        long before = threads.getCurrentThreadAllocatedBytes();
        Told told = Told.of(format, store);
        assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(20_000_000);
        assertThat(told.damage()).containsExactly("000005.ldb@0: a block has a wrong checksum");
        assertThat(told.entries()).isNotEmpty();
        Files.delete(table);
    }

    @Test
    void whatIsNoFileIsAnErrorAndNotPassedOver() throws IOException {
        Path riak = Files.createDirectory(directory.resolve("riak"));
        Files.write(riak.resolve("1.bitcask.data"), new byte[0]);
        Files.createSymbolicLink(riak.resolve("2.bitcask.data"), riak.resolve("missing"));
        assertThatThrownBy(() -> Told.of(new RiakBitcask(), riak)).isInstanceOf(NoSuchFileException.class);
        Files.delete(riak.resolve("2.bitcask.data"));
        Files.createDirectory(riak.resolve("2.bitcask.data"));
        assertThatThrownBy(() -> Told.of(new RiakBitcask(), riak)).hasMessageContaining("not a regular file");
    }

    private static byte[] put(long number, String key, String value) {
        return ByteBuffer.allocate(15 + key.length() + value.length())
                .order(ByteOrder.LITTLE_ENDIAN)
                .putLong(number)
                .putInt(1)
                .put((byte) 1)
                .put((byte) key.length())
                .put(key.getBytes(StandardCharsets.US_ASCII))
                .put((byte) value.length())
                .put(value.getBytes(StandardCharsets.US_ASCII))
                .array();
    }

    private static byte[] piece(int type, byte[] bytes) {
        CRC32C crc = new CRC32C();
        crc.update(type);
        crc.update(bytes);
        return ByteBuffer.allocate(7 + bytes.length)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt(LevelDbLog.masked(crc))
                .putShort((short) bytes.length)
                .put((byte) type)
                .put(bytes)
                .array();
    }

    @Test
    void aDirectoryThatIsNoneIsAnError() throws IOException {
        assertThatThrownBy(() -> format.read(directory, ReadOptions.DEFAULT, new Told()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("CURRENT");
        Files.writeString(directory.resolve("CURRENT"), "../elsewhere\n");
        assertThatThrownBy(() -> format.read(directory, ReadOptions.DEFAULT, new Told()))
                .isInstanceOf(IOException.class)
                .hasMessageContaining("names no manifest");
    }

    @Test
    void snappyUnpacksNoNonsense() {
        byte[] packed = {12, 8, 'a', 'b', 'c', 4 << 2 | 1, 3, 0 << 2, 'd'};
        assertThat(Snappy.unpack(packed, 0, packed.length))
                .isEqualTo("abcabcabcabd".getBytes(StandardCharsets.US_ASCII));
        long seed = System.nanoTime();
        Random random = new Random(seed);
        for (int i = 0; i < 100_000; i++) {
            byte[] nonsense = new byte[random.nextInt(30)];
            random.nextBytes(nonsense);
            try {
                Snappy.unpack(nonsense, 0, nonsense.length);
            } catch (RuntimeException e) {
                throw new AssertionError("seed=" + seed + ", round=" + i, e);
            }
        }
    }
}
