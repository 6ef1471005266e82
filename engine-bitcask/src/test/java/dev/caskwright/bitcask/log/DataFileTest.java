package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.spi.WritableFile;
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
}
