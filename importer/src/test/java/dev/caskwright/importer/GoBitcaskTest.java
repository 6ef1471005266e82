package dev.caskwright.importer;

import static java.nio.charset.StandardCharsets.US_ASCII;
import static org.assertj.core.api.Assertions.assertThat;

import com.sun.management.ThreadMXBean;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.nio.ByteBuffer;
import java.nio.ByteOrder;
import java.nio.channels.FileChannel;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.StandardOpenOption;
import java.util.Arrays;
import java.util.Map;
import java.util.zip.CRC32;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Reading the layout of bitcask-go, in files made by hand from its format. */
final class GoBitcaskTest {
    private static final int PUT = 0;
    private static final int DELETE = 1;
    private static final int END = 2;

    private final ForeignFormat format = new GoBitcask();

    @TempDir
    private Path directory;

    @Test
    void theLastRecordCountsAndDeletesDelete() throws IOException {
        write("000000000.data", record(PUT, 0, "a", "1"), record(PUT, 0, "b", "2"));
        write("000000001.data", record(DELETE, 0, "a", ""), record(PUT, 0, "b", "x".repeat(300)));
        write("hint-index", new byte[] {1});
        assertThat(Told.of(format, directory).entries()).isEqualTo(Map.of("b", "x".repeat(300)));
    }

    @Test
    void aTransactionCountsOnceItsEndIsRead() throws IOException {
        write(
                "000000000.data",
                record(PUT, 0, "a", "before"),
                record(PUT, 300, "a", "inside"),
                record(PUT, 301, "c", "never"),
                record(DELETE, 301, "a", ""));
        write("000000001.data", record(PUT, 300, "b", "too"), record(END, 300, "txn-fin", ""));
        Told told = Told.of(format, directory);
        assertThat(told.entries()).isEqualTo(Map.of("a", "inside", "b", "too"));
        assertThat(told.skipped()).isEqualTo(Map.of("transactions without an end", 1L));
    }

    @Test
    void zerosEndAFile() throws IOException {
        write("000000000.data", record(PUT, 0, "a", "1"), new byte[4096]);
        Told told = Told.of(format, directory);
        assertThat(told.entries()).isEqualTo(Map.of("a", "1"));
        assertThat(told.damage()).isEmpty();
    }

    @Test
    void flippedBytesAreToldAndNeverTakenForEntries() throws IOException {
        byte[] whole = join(record(PUT, 0, "a", "1"), record(PUT, 0, "b", "2"), record(PUT, 0, "c", "3"));
        Map<String, String> sound = Map.of("a", "1", "b", "2", "c", "3");
        for (int i = 0; i < whole.length; i++) {
            byte[] damaged = whole.clone();
            damaged[i] ^= 0x20;
            write("000000000.data", damaged);
            Told told = Told.of(format, directory);
            assertThat(told.damage()).as("byte %d", i).isNotEmpty();
            assertThat(sound.entrySet())
                    .as("byte %d", i)
                    .containsAll(told.entries().entrySet());
        }
    }

    @Test
    void everyCutIsToldUnlessItFallsBetweenRecords() throws IOException {
        byte[] one = record(PUT, 0, "a", "1");
        byte[] whole = join(one, record(PUT, 0, "b", "22"));
        for (int length = 0; length < whole.length; length++) {
            write("000000000.data", Arrays.copyOf(whole, length));
            Told told = Told.of(format, directory);
            assertThat(told.damage())
                    .as("cut to %d bytes", length)
                    .hasSize(length == 0 || length == one.length ? 0 : 1);
            assertThat(told.entries()).as("cut to %d bytes", length).hasSize(length < one.length ? 0 : 1);
        }
    }

    /** The file has a hole, so it takes no room. */
    @Test
    void damagedLengthsTakeNoMemory() throws IOException {
        for (int[] lengths : new int[][] {{2, 150_000_000}, {150_000_000, 2}}) {
            ByteArrayOutputStream header = new ByteArrayOutputStream();
            header.writeBytes(new byte[] {1, 2, 3, 4, PUT});
            varint(header, lengths[0] * 2L);
            varint(header, lengths[1] * 2L);
            Path file = directory.resolve("000000000.data");
            try (FileChannel channel = FileChannel.open(file, StandardOpenOption.CREATE, StandardOpenOption.WRITE)) {
                channel.write(ByteBuffer.wrap(header.toByteArray()));
                channel.write(ByteBuffer.wrap(record(PUT, 0, "b", "2")), header.size() + 150_000_002L);
            }
            ThreadMXBean threads = (ThreadMXBean) ManagementFactory.getThreadMXBean();
            long before = threads.getCurrentThreadAllocatedBytes();
            Told told = Told.of(format, directory);
            assertThat(threads.getCurrentThreadAllocatedBytes() - before).isLessThan(10_000_000);
            assertThat(told.damage()).containsExactly("000000000.data@0: a record has a wrong checksum");
            assertThat(told.entries()).isEqualTo(Map.of("b", "2"));
            Files.delete(file);
        }
    }

    private static byte[] record(int type, long transaction, String key, String value) {
        ByteArrayOutputStream record = new ByteArrayOutputStream();
        ByteArrayOutputStream prefixed = new ByteArrayOutputStream();
        varint(prefixed, transaction);
        prefixed.writeBytes(key.getBytes(US_ASCII));
        record.write(type);
        varint(record, prefixed.size() * 2L);
        varint(record, value.length() * 2L);
        record.writeBytes(prefixed.toByteArray());
        record.writeBytes(value.getBytes(US_ASCII));
        CRC32 crc = new CRC32();
        crc.update(record.toByteArray());
        byte[] sum = ByteBuffer.allocate(4)
                .order(ByteOrder.LITTLE_ENDIAN)
                .putInt((int) crc.getValue())
                .array();
        return join(sum, record.toByteArray());
    }

    private static void varint(ByteArrayOutputStream out, long value) {
        long left = value;
        while (left >= 0x80) {
            out.write((int) (left & 0x7F | 0x80));
            left >>>= 7;
        }
        out.write((int) left);
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
