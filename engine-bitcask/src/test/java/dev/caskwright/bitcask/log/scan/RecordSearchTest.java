package dev.caskwright.bitcask.log.scan;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.salvage.FileSurvey;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.util.SplittableRandom;
import java.util.zip.CRC32C;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

final class RecordSearchTest {
    private static final StoreId STORE = new StoreId(3, 4);

    private final CrashableIoManager disk = new CrashableIoManager();

    /** Counts the bytes that are read. */
    private static final class Counting implements ReadableFile {
        private final ReadableFile file;
        long bytes;

        Counting(ReadableFile file) {
            this.file = file;
        }

        @Override
        public int read(long offset, byte[] target, int targetOffset, int length) throws IOException {
            bytes += length;
            return file.read(offset, target, targetOffset, length);
        }

        @Override
        public long length() throws IOException {
            return file.length();
        }

        @Override
        public boolean isMapped() {
            return file.isMapped();
        }

        @Override
        public String name() {
            return file.name();
        }

        @Override
        public void close() throws IOException {
            file.close();
        }
    }

    @Test
    void theChecksumOfAnyPartIsThatOfItsBytes() throws IOException {
        for (long seed = 0; seed < 20; seed++) {
            SplittableRandom random = new SplittableRandom(seed);
            byte[] content = new byte[random.nextInt(10, 200_000)];
            random.nextBytes(content);
            disk.install("part" + seed, content);
            try (ReadableFile file = disk.open("part" + seed)) {
                BlockChecksums checksums = new BlockChecksums(file, content.length);
                for (int i = 0; i < 100; i++) {
                    int from = random.nextInt(content.length);
                    int length = random.nextInt(content.length - from + 1);
                    CRC32C expected = new CRC32C();
                    expected.update(content, from, length);
                    assertThat(checksums.checksum(from, length))
                            .as("seed=%d, from=%d, length=%d", seed, from, length)
                            .isEqualTo((int) expected.getValue());
                }
            }
        }
    }

    /** Headers with right checksums, each with a body to the end of the file that is not what it says. */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void theWorkIsInProportionToTheBytes(boolean hasSoundRecordsBetween) throws IOException {
        long half = bytesRead(1 << 18, hasSoundRecordsBetween);
        long whole = bytesRead(1 << 19, hasSoundRecordsBetween);
        assertThat(whole).as("twice the bytes of %,d", half).isLessThan(half * 5 / 2);
    }

    private long bytesRead(int length, boolean hasSoundRecordsBetween) throws IOException {
        byte[] content = new byte[length];
        System.arraycopy(DataFile.encodeHeader(STORE, 1, 0, 7, null), 0, content, 0, DataFile.HEADER_LENGTH);
        long seed = RecordFormat.fileSeed(STORE.seed(), 1);
        int records = 0;
        for (int at = DataFile.HEADER_LENGTH; at + 64 <= length; records++) {
            boolean isSound = hasSoundRecordsBetween && records % 2 == 0;
            EncodedDraft draft = new EncodedDraft();
            draft.put(new byte[] {1}, new byte[] {2}, 0);
            draft.place(records + 1, RecordFormat.DISTANCE_UNKNOWN, RecordFormat.mask(seed, at));
            System.arraycopy(draft.bytes(), 0, content, at, (int) draft.length());
            if (!isSound) {
                RecordFormat.INT.set(content, at + 20, length - at - 64); // the length of the value
                int mask = RecordFormat.mask(seed, at);
                RecordFormat.INT.set(content, at, RecordFormat.headerChecksum(content, at, mask, new CRC32C()));
            }
            at += (int) draft.length();
        }
        String name = FileNames.data(length);
        disk.install(name, content);
        try (ReadableFile file = disk.open(name)) {
            Counting counting = new Counting(file);
            DataFile data = new DataFile(1, 0, false, STORE.seed(), counting, length);
            long[] lost = new long[1];
            new FileSurvey(data, length, (from, to, what) -> lost[0] += to - from).run();
            assertThat(lost[0]).isGreaterThan(length / 3);
            return counting.bytes;
        }
    }
}
