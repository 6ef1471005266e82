package dev.caskwright.bitcask.log.file;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class DataFileTest {
    private static DataFile file(long id, long seed) throws IOException {
        WritableFile handle = new CrashableIoManager().create(FileNames.data(id), 0);
        return new DataFile(id, 0, false, seed, handle, DataFile.HEADER_LENGTH);
    }

    @Test
    void theLeastAndTheGreatestVersionAreKept() throws IOException {
        DataFile file = file(1, 7);
        assertThat(file.firstVersion()).isZero();
        assertThat(file.lastVersion()).isZero();
        for (long version : new long[] {12, 11, 12, 15, 13, 11}) {
            file.noteVersion(version);
        }
        assertThat(file.firstVersion()).isEqualTo(11);
        assertThat(file.lastVersion()).isEqualTo(15);
    }

    @Test
    void placesInOtherFilesStoresAndAtOtherOffsetsAreMaskedOtherwise() throws IOException {
        int mask = file(1, 7).mask(64);
        assertThat(mask).isEqualTo(file(1, 7).mask(64));
        assertThat(mask).isNotEqualTo(file(1, 7).mask(72));
        assertThat(mask).isNotEqualTo(file(2, 7).mask(64));
        assertThat(mask).isNotEqualTo(file(1, 8).mask(64));
    }

    @Test
    void whatIsNeitherLiveNorHeaderIsDead() throws IOException {
        DataFile file = file(1, 7);
        assertThat(file.deadBytes()).isZero();
        file.extendTo(1_064);
        assertThat(file.deadBytes()).isEqualTo(1_000);
        file.addLive(400);
        assertThat(file.deadBytes()).isEqualTo(600);
        file.addLive(601);
        assertThat(file.deadBytes()).as("sizes are rounded up").isZero();
    }

    @Test
    void aHeaderTellsItsFile() throws IOException {
        StoreId store = new StoreId(3, 4);
        CrashableIoManager disk = new CrashableIoManager();
        disk.install(FileNames.data(9), DataFile.encodeHeader(store, 9, 8, 7, null));
        try (ReadableFile file = disk.open(FileNames.data(9))) {
            assertThat(DataFile.header(file)).isEqualTo(new DataFile.Header(store, 9, 8, 7, false, null));
            assertThat(DataFile.header(file, store, 9)).isEqualTo(new DataFile.Header(store, 9, 8, 7, false, null));
            assertThatThrownBy(() -> DataFile.header(file, store, 10)).isInstanceOf(CorruptRecordException.class);
            assertThatThrownBy(() -> DataFile.header(file, new StoreId(3, 5), 9))
                    .isInstanceOf(CorruptRecordException.class);
        }
        byte[] newer = DataFile.encodeHeader(store, 9, 8, 7, null);
        RecordFormat.INT.set(newer, 8, DataFile.ENCRYPTED_VERSION + 1);
        disk.install(FileNames.data(9), FileHeader.seal(newer));
        try (ReadableFile file = disk.open(FileNames.data(9))) {
            assertThatThrownBy(() -> DataFile.header(file)).isInstanceOf(UnsupportedFormatException.class);
        }
        newer[9] ^= 1;
        disk.install(FileNames.data(9), newer);
        try (ReadableFile file = disk.open(FileNames.data(9))) {
            assertThat(DataFile.header(file)).isNull();
            assertThat(DataFile.header(file, store, 9)).isNull();
        }
    }

    @Test
    void handlesAreExchangedAndClosed() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        WritableFile writable = disk.create(FileNames.merged(1), 0);
        DataFile file = new DataFile(1, 0, true, 7, writable, DataFile.HEADER_LENGTH);
        assertThat(file.isMerged()).isTrue();
        assertThat(file.name()).isEqualTo(FileNames.merged(1));
        file.openForWriting(writable);
        assertThat(file.hasReadersHandle()).isFalse();
        ReadableFile readers = disk.open(FileNames.merged(1));
        assertThat(file.exchangeHandle(readers)).isSameAs(writable);
        assertThat(file.handle()).isSameAs(readers);
        assertThat(file.hasReadersHandle()).isTrue();
        file.close();
        assertThatThrownBy(readers::length).isInstanceOf(IOException.class);
        assertThatThrownBy(writable::length).isInstanceOf(IOException.class);
    }
}
