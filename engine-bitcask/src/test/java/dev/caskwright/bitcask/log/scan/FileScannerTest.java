package dev.caskwright.bitcask.log.scan;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.Random;
import org.junit.jupiter.api.Test;

/** Scanning and seeking in one file: what is found, and what is read for it. */
final class FileScannerTest {
    private static final int START = DataFile.HEADER_LENGTH;
    private static final int CHUNK = 64 << 10; // what a scan reads at once

    private final Random random = new Random(5);
    private final List<Read> reads = new ArrayList<>();
    private final DataFile file = new DataFile(5, 3, false, 77, new Content(), START);
    private byte[] content = new byte[START];

    /** A read: of how many bytes, and how many there were. */
    private record Read(long offset, int wanted, int found) {}

    private record Placed(byte[] key, byte[] value, long expiry, long locator, int length) {}

    private final class Content implements ReadableFile {
        @Override
        public String name() {
            return FileNames.data(5);
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) {
            int found = (int) Math.min(length, content.length - offset);
            System.arraycopy(content, (int) offset, target, targetOffset, found);
            reads.add(new Read(offset, length, found));
            return found;
        }

        @Override
        public long length() {
            return content.length;
        }

        @Override
        public boolean isMapped() {
            return false;
        }

        @Override
        public void close() {}
    }

    private Placed append(int keyLength, int valueLength, long expiry) {
        byte[] key = random(keyLength);
        byte[] value = random(valueLength);
        EncodedDraft draft = new EncodedDraft();
        draft.put(key, value, expiry);
        int offset = content.length;
        int length = append(draft);
        return new Placed(key, value, expiry, Locator.of(3, offset, length, expiry != 0), length);
    }

    private int append(EncodedDraft draft) {
        int offset = content.length;
        draft.place(offset, 0, file.mask(offset)); // versions that grow with the offset
        int length = (int) draft.length();
        content = Arrays.copyOf(content, offset + length);
        System.arraycopy(draft.bytes(), 0, content, offset, draft.copiedLength());
        System.arraycopy(
                draft.longValue(),
                draft.longValueOffset(),
                content,
                offset + draft.copiedLength(),
                draft.longValueLength());
        return length;
    }

    private byte[] random(int length) {
        byte[] bytes = new byte[length];
        random.nextBytes(bytes);
        return bytes;
    }

    private FileScanner scanner() {
        reads.clear();
        return new FileScanner(file, START, content.length);
    }

    private static void assertAt(FileScanner scanner, Placed record) throws IOException {
        assertThat(scanner.locator()).isEqualTo(record.locator);
        assertThat(scanner.length()).isEqualTo(record.length);
        assertThat(scanner.key()).isEqualTo(record.key);
        assertThat(scanner.value()).isEqualTo(record.value);
        assertThat(scanner.keyLength()).isEqualTo(record.key.length);
        assertThat(scanner.valueLength()).isEqualTo(record.value.length);
        assertThat(scanner.isPut()).isTrue();
        assertThat(scanner.isTombstone()).isFalse();
        assertThat(scanner.nextOffset()).isEqualTo(scanner.offset() + record.length);
        assertThat(scanner.version()).isEqualTo(scanner.offset());
        assertThat(scanner.expiresAt()).isEqualTo(record.expiry);
    }

    private List<Placed> manyRecords() {
        List<Placed> records = new ArrayList<>();
        for (int i = 0; i < 400; i++) {
            records.add(append(1 + random.nextInt(60), random.nextInt(2_000), i % 3));
            if (i == 200) {
                records.add(append(10, 3 * CHUNK + 8, 0));
                records.add(append(10, 3 * CHUNK, 0));
            }
        }
        return records;
    }

    @Test
    void everyByteIsReadOnceAndInLargePieces() throws IOException {
        List<Placed> records = manyRecords();
        FileScanner scanner = scanner();
        for (Placed record : records) {
            assertThat(scanner.next()).isTrue();
            assertAt(scanner, record);
        }
        assertThat(scanner.next()).isFalse();
        assertThat(scanner.nextInBuffer()).isFalse();
        long next = START;
        for (Read read : reads) {
            assertThat(read.offset).isEqualTo(next);
            assertThat(read.wanted).as("nothing is asked for twice").isEqualTo(read.found);
            next += read.found;
        }
        assertThat(next).isEqualTo(content.length);
        // Each piece but the last fills what the unfinished record before it leaves of the buffer.
        for (Read read : reads.subList(0, reads.size() - 1)) {
            assertThat(read.found).isGreaterThan(CHUNK - 2_100);
        }
    }

    @Test
    void onlyWhatTheBufferHoldsIsTakenWithoutReading() throws IOException {
        List<Placed> records = manyRecords();
        FileScanner scanner = scanner();
        int fetches = 0;
        for (Placed record : records) {
            int before = reads.size();
            boolean isThere = scanner.nextInBuffer();
            assertThat(reads).hasSize(before);
            Read last = before == 0 ? new Read(0, 0, 0) : reads.get(before - 1);
            long recordEnd = Locator.offset(record.locator) + record.length;
            assertThat(isThere)
                    .as("record at %s", Locator.offset(record.locator))
                    .isEqualTo(recordEnd <= last.offset + last.found);
            if (!isThere) {
                fetches++;
                assertThat(scanner.next()).isTrue();
            }
            assertAt(scanner, record);
        }
        assertThat(fetches).isBetween(2, 30);
    }

    @Test
    void theLastOfTheShortestRecordsIsTakenFromTheBuffer() throws IOException {
        append(1, 1, 0);
        Placed last = append(1, 1, 0);
        assertThat(last.length).as("as short as a header can be").isEqualTo(RecordFormat.LONG_HEADER);
        FileScanner scanner = scanner();
        assertThat(scanner.next()).isTrue();
        assertThat(scanner.nextInBuffer()).isTrue();
        assertAt(scanner, last);
        assertThat(reads).hasSize(1);
    }

    @Test
    void seekingReadsTheOneRecord() throws IOException {
        List<Placed> records = manyRecords();
        FileScanner scanner = scanner();
        for (int i = 0; i < 200; i++) {
            Placed record = records.get(random.nextInt(records.size()));
            reads.clear();
            scanner.seek(record.locator);
            assertAt(scanner, record);
            long offset = Locator.offset(record.locator);
            long most = Math.min(Locator.size(record.locator), content.length - offset);
            // A record that is longer than the buffer needs a second read, once its header tells so.
            assertThat(reads).hasSizeBetween(1, record.length > CHUNK ? 2 : 1);
            assertThat(reads.get(0).offset).isEqualTo(offset);
            assertThat(reads.stream().mapToLong(Read::wanted).sum()).isBetween((long) record.length, most);
        }
    }

    @Test
    void afterASeekTheScanGoesOnInLargePieces() throws IOException {
        List<Placed> records = manyRecords();
        for (int from : new int[] {0, 17, 200, 201, 390}) {
            FileScanner scanner = scanner();
            scanner.seek(records.get(from).locator);
            assertAt(scanner, records.get(from));
            for (Placed record : records.subList(from + 1, records.size())) {
                assertThat(scanner.next()).isTrue();
                assertAt(scanner, record);
            }
            assertThat(scanner.next()).isFalse();
            assertThat(reads.size()).as("from=%s", from).isLessThan(30);
        }
    }

    @Test
    void whatBeginsBehindTheEndIsNotFound() {
        Placed record = append(3, 50, 0);
        Placed behind = append(3, 50, 0);
        FileScanner scanner = new FileScanner(file, START, Locator.offset(behind.locator));
        assertThatThrownBy(() -> scanner.seek(behind.locator))
                .isInstanceOf(CorruptRecordException.class)
                .hasMessageContaining("ends past the end of its file")
                .hasMessageContaining("offset=" + Locator.offset(behind.locator));
        assertThat(reads).isEmpty();
        assertThat(record.length).isEqualTo(behind.length);
    }

    /** The scan is told an end that lies within a record: the record is none, whatever of it is on disk. */
    @Test
    void aRecordThatReachesBehindTheEndIsDamage() throws IOException {
        Placed first = append(3, 50, 0);
        Placed second = append(3, 50, 0);
        int start = content.length - second.length;
        for (int cut = 1; cut < second.length; cut++) {
            FileScanner scanner = new FileScanner(file, START, content.length - cut);
            assertThat(scanner.next()).isTrue();
            assertAt(scanner, first);
            assertThat(scanner.tryNext()).isFalse();
            assertThat(scanner.nextOffset()).isEqualTo(start);
            assertThatThrownBy(scanner::next)
                    .isInstanceOf(CorruptRecordException.class)
                    .hasMessageContaining("bad record")
                    .hasMessageContaining("offset=" + start);
        }
    }

    /** The file is shorter than the scan was told. */
    @Test
    void aRecordThatIsCutOffIsDamage() throws IOException {
        Placed first = append(3, 50, 0);
        Placed second = append(3, 50, 0);
        byte[] whole = content;
        for (int cut = 1; cut <= second.length; cut++) {
            content = Arrays.copyOf(whole, whole.length - cut);
            FileScanner scanner = new FileScanner(file, START, whole.length);
            assertThat(scanner.next()).isTrue();
            assertAt(scanner, first);
            assertThatThrownBy(scanner::next).isInstanceOf(CorruptRecordException.class);
        }
    }

    @Test
    void anyChangedByteIsDamageBehindTheSoundRecords() throws IOException {
        Placed first = append(3, 50, 0);
        Placed second = append(3, 45, 9);
        byte[] whole = content;
        int padding = second.length - RecordFormat.LONG_HEADER - 48;
        assertThat(padding).isZero();
        for (int at = whole.length - second.length; at < whole.length; at++) {
            content = whole.clone();
            content[at] ^= 1;
            FileScanner scanner = scanner();
            assertThat(scanner.next()).isTrue();
            assertAt(scanner, first);
            assertThat(scanner.nextInBuffer()).as("byte %s", at).isFalse();
            assertThatThrownBy(scanner::next).as("byte %s", at).isInstanceOf(CorruptRecordException.class);
        }
    }

    @Test
    void allKindsAreToldApart() throws IOException {
        EncodedDraft draft = new EncodedDraft();
        draft.delete(random(4));
        append(draft);
        byte[] pair = random(10);
        draft.clear();
        draft.add(RecordFormat.PUT | RecordFormat.IN_BATCH, pair, 0, 3, pair, 3, 7, 0);
        append(draft);
        draft.clear();
        draft.addBatchEnd(21, 4_711);
        append(draft);
        draft.endFile();
        append(draft);
        FileScanner scanner = scanner();
        assertThat(scanner.next()).isTrue();
        assertKind(scanner, false, true, false, false, false);
        assertThat(scanner.kind()).isEqualTo(RecordFormat.DELETE);
        assertThat(scanner.next()).isTrue();
        assertKind(scanner, true, false, true, false, false);
        assertThat(scanner.headerChecksum()).isEqualTo(RecordFormat.headerChecksum(content, (int) scanner.offset()));
        assertThat(scanner.next()).isTrue();
        assertKind(scanner, false, false, false, true, false);
        assertThat(scanner.batchCount()).isEqualTo(21);
        assertThat(scanner.batchChecksum()).isEqualTo(4_711);
        assertThat(scanner.next()).isTrue();
        assertKind(scanner, false, false, false, false, true);
        assertThat(scanner.next()).isFalse();
    }

    private static void assertKind(
            FileScanner scanner, boolean put, boolean tombstone, boolean inBatch, boolean batchEnd, boolean end) {
        assertThat(scanner.isPut()).isEqualTo(put);
        assertThat(scanner.isTombstone()).isEqualTo(tombstone);
        assertThat(scanner.isInBatch()).isEqualTo(inBatch);
        assertThat(scanner.isBatchEnd()).isEqualTo(batchEnd);
        assertThat(scanner.isEndOfFile()).isEqualTo(end);
    }
}
