package dev.caskwright.bitcask.log.tail;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.IoCall;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import java.io.IOException;
import java.util.Arrays;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;

final class TailRecoveryTest {
    private static final int CHUNK = 1 << 20; // what the recovery reads at once
    private static final int START = DataFile.HEADER_LENGTH;
    private static final int UNKNOWN = RecordFormat.DISTANCE_UNKNOWN;
    private static final String NAME = FileNames.data(5);

    private final CrashableIoManager disk = new CrashableIoManager();
    private byte[] content = new byte[START];
    private long version;
    private DataFile file = file();

    private DataFile file() {
        disk.install(NAME, content);
        try {
            return new DataFile(5, 0, false, 77, disk.open(NAME), START);
        } catch (IOException e) {
            throw new AssertionError(e);
        }
    }

    /** Puts a record at this place, and returns its end. */
    private int place(int offset, EncodedDraft draft, int distance) {
        draft.place(++version, distance, file.mask(offset));
        int length = (int) draft.length();
        content = Arrays.copyOf(content, Math.max(content.length, offset + length));
        System.arraycopy(draft.bytes(), 0, content, offset, length);
        return offset + length;
    }

    private int record(int offset, String value, int distance) {
        EncodedDraft draft = new EncodedDraft();
        draft.put(KeyValues.bytes("key"), KeyValues.bytes(value), 0);
        return place(offset, draft, distance);
    }

    /** Puts a batch of two at this place, and returns its end. */
    private int batch(int offset, String value, int count, int checksumChange) {
        CRC32C members = new CRC32C();
        int at = offset;
        for (int i = 0; i < 2; i++) {
            EncodedDraft draft = new EncodedDraft();
            byte[] bytes = KeyValues.bytes("k" + i + value);
            draft.add(RecordFormat.PUT | RecordFormat.IN_BATCH, bytes, 0, 2, bytes, 2, value.length(), 0);
            int end = place(at, draft, UNKNOWN);
            RecordFormat.updateBatchChecksum(members, RecordFormat.headerChecksum(content, at));
            at = end;
        }
        EncodedDraft end = new EncodedDraft();
        end.addBatchEnd(count, (int) members.getValue() ^ checksumChange);
        return place(at, end, UNKNOWN);
    }

    private TailRecovery scanned() throws IOException {
        file = file();
        TailRecovery recovery = new TailRecovery(file);
        recovery.scan(content.length);
        return recovery;
    }

    private long examine(TailRecovery recovery, TailRecovery.Hole earlier) throws IOException {
        try (ReadableFile handle = disk.open(NAME)) {
            return recovery.examineRest(handle, content.length, earlier);
        }
    }

    private void assertFound(TailRecovery recovery, int end, int records) {
        assertThat(recovery.soundEnd()).isEqualTo(end);
        assertThat(recovery.records()).isEqualTo(records);
        assertThat(recovery.hints().count()).isEqualTo(records);
        assertThat(file.length()).isEqualTo(end);
    }

    @Test
    void nothingIsFoundInAFileWithoutRecords() throws IOException {
        TailRecovery recovery = scanned();
        assertFound(recovery, START, 0);
        assertThat(recovery.isClosedByWriter()).isFalse();
        assertThat(examine(recovery, null)).isZero();
    }

    @Test
    void recordsAndWholeBatchesAreFound() throws IOException {
        int end = record(START, "one", UNKNOWN);
        end = batch(end, "two", 2, 0);
        end = batch(end, "three", 2, 0);
        end = record(end, "four", UNKNOWN);
        TailRecovery recovery = scanned();
        assertFound(recovery, end, 6);
        assertThat(recovery.isClosedByWriter()).isFalse();
        assertThat(file.lastVersion()).isEqualTo(version);
        assertThat(examine(recovery, null)).isZero();
    }

    @Test
    void aBatchThatIsNotWholeDoesNotCount() throws IOException {
        int sound = batch(record(START, "one", UNKNOWN), "two", 2, 0);
        for (int kind = 0; kind < 4; kind++) {
            content = Arrays.copyOf(content, sound);
            int end = batch(sound, "three", kind == 0 ? 1 : 2, kind == 1 ? 1 : 0);
            if (kind == 2) {
                content = Arrays.copyOf(content, end - RecordFormat.BATCH_END_LENGTH);
            } else if (kind == 3) {
                record(end - RecordFormat.BATCH_END_LENGTH, "not the end of the batch", UNKNOWN);
            }
            assertFound(scanned(), sound, 3);
        }
    }

    /** Ends of batches are as long as some records, and hold nothing: records could be forged away with them. */
    @Test
    void theEndOfABatchWithoutRecordsIsDamage() throws IOException {
        int end = record(START, "one", UNKNOWN);
        EncodedDraft nothing = new EncodedDraft();
        nothing.addBatchEnd(0, 0);
        record(place(end, nothing, UNKNOWN), "two", UNKNOWN);
        assertThatThrownBy(this::scanned)
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("offset=" + end);
    }

    @Test
    void nothingCountsBehindTheMarkOfAFileThatWasLeft() throws IOException {
        EncodedDraft mark = new EncodedDraft();
        mark.endFile();
        int end = place(record(START, "one", UNKNOWN), mark, UNKNOWN);
        record(end, "two", UNKNOWN);
        TailRecovery recovery = scanned();
        assertFound(recovery, end, 1);
        assertThat(recovery.isClosedByWriter()).isTrue();
    }

    @Test
    void whatLiesBehindTheEndIsCountedUpToItsLastByte() throws IOException {
        int end = record(START, "one", UNKNOWN);
        for (int length : new int[] {1, 7, 8, 9, 15, 16, 100, CHUNK - 1, CHUNK, CHUNK + 1, 2 * CHUNK + 3}) {
            content = Arrays.copyOf(content, end);
            content = Arrays.copyOf(content, end + length);
            assertThat(examine(scanned(), null)).as("zeros, length=%s", length).isZero();
            content[end + length - 1] = 1;
            assertThat(examine(scanned(), null)).as("length=%s", length).isEqualTo(length);
            if (length > 16) {
                content[end + length - 1] = 0;
                content[end + 9] = 1;
                assertThat(examine(scanned(), null)).as("length=%s", length).isEqualTo(16);
                content[end + 9] = 0;
            }
        }
    }

    /** Wherever a record lies past the end: if it knows that the log was durable further than that, the end is damage. */
    @Test
    void aRecordBehindTheEndProvesDamage() throws IOException {
        int end = record(START, "one", UNKNOWN);
        for (int gap : new int[] {8, 4_096, CHUNK - 8, CHUNK, CHUNK + 8, 2 * CHUNK - 16}) {
            content = Arrays.copyOf(content, end);
            record(end + gap, "behind", UNKNOWN);
            assertThat(examine(scanned(), null)).as("gap=%s", gap).isEqualTo(content.length - end);
            record(end + gap, "behind", Locator.sizeClass(gap));
            assertThat(examine(scanned(), null))
                    .as("durable up to the end only, gap=%s", gap)
                    .isEqualTo(content.length - end);
            record(end + gap, "behind", 0);
            assertThatThrownBy(() -> examine(scanned(), null))
                    .as("gap=%s", gap)
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining("offset=" + end)
                    .hasMessageContaining("proved by " + NAME + " at offset " + (end + gap));
        }
    }

    @Test
    void aFileBehindAHoleProvesDamageIfItWasDurable() throws IOException {
        disk.install(FileNames.data(4), new byte[START]);
        DataFile before = new DataFile(4, 0, false, 77, disk.open(FileNames.data(4)), START);
        TailRecovery.Hole hole = new TailRecovery.Hole(before, 4_711);
        int end = record(START, "one", UNKNOWN);
        assertThat(examine(scanned(), hole)).as("all of it is torn").isEqualTo(end);
        int second = record(end, "two", 0);
        assertThatThrownBy(() -> examine(scanned(), hole))
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining(FileNames.data(4))
                .hasMessageContaining("offset=4711")
                .hasMessageContaining("proved by " + NAME + " at offset " + end);
        assertThat(second).isEqualTo(content.length);
        // The same for a record that is not one of those in a row.
        content = Arrays.copyOf(content, end);
        record(end + 800, "behind", 0);
        assertThatThrownBy(() -> examine(scanned(), hole))
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("at offset " + (end + 800));
    }

    @Test
    void whatWasNotDurableIsWrittenAnewAndForced() throws IOException {
        int durable = record(START, "one", UNKNOWN);
        int end = record(durable, "two", 0);
        while (end < 2.5 * CHUNK) {
            end = record(end, "v".repeat(30_000), UNKNOWN);
        }
        for (int torn : new int[] {0, 1, 5_000}) {
            content = Arrays.copyOf(content, end);
            byte[] sound = content;
            content = Arrays.copyOf(content, end + torn);
            TailRecovery recovery = scanned();
            assertThat(recovery.soundEnd()).isEqualTo(end);
            disk.logging(true);
            disk.clearLog();
            try (WritableFile handle = disk.openWritable(NAME)) {
                recovery.makeDurable(handle, content.length);
            }
            assertThat(disk.content(NAME)).isEqualTo(sound);
            long next = 0; // the header is rewritten whatever is known of it
            for (IoCall call : disk.log()) {
                if (call.operation() == IoOperation.WRITE) {
                    assertThat(call.offset()).isEqualTo(next);
                    next += call.length();
                    next = next == START ? durable : next;
                }
            }
            assertThat(next).isEqualTo(end);
            assertThat(count(IoOperation.TRUNCATE)).isEqualTo(torn == 0 ? 0 : 1);
            assertThat(count(IoOperation.FORCE)).isEqualTo(1);
            assertThat(disk.log().get(disk.log().size() - 1).operation()).isEqualTo(IoOperation.FORCE);
        }
    }

    private long count(IoOperation operation) {
        return disk.log().stream().filter(call -> call.operation() == operation).count();
    }
}
