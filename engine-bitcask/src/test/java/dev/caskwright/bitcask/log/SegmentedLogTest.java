package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogFactory;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.RecordLogContract;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class SegmentedLogTest extends RecordLogContract {
    @Override
    protected RecordLogFactory factory() {
        return new SegmentedLogFactory();
    }

    /** Opens a log with one record of up to 40 bytes. */
    private RecordLog withOneRecord() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        RecordLogOpening opening = factory()
                .open(
                        disk,
                        disk,
                        new RecordLogOptions(
                                4096, false, true, () -> 1, Runnable::run, () -> {}, () -> {}, cause -> {}));
        opening.finish();
        RecordDraft draft = opening.log().newDraft();
        draft.put(KeyValues.bytes("key"), KeyValues.bytes("value"), 0);
        opening.log().append(draft, 1, false);
        return opening.log();
    }

    @Test
    void aLocatorThatLeadsNowhereIsDamage() throws IOException {
        RecordLog log = withOneRecord();
        RecordReader reader = log.newReader();
        long live = log.segments().get(0).liveBytes();
        long there = Locator.of(0, DataFile.HEADER_LENGTH, 40, false);
        reader.read(there);
        assertThat(reader.value()).isEqualTo(KeyValues.bytes("value"));
        for (long slot : new long[] {1, Locator.MAX_SLOTS - 1}) {
            long nowhere = Locator.of((int) slot, DataFile.HEADER_LENGTH, 40, false);
            assertThatThrownBy(() -> reader.read(nowhere)).isInstanceOf(CorruptRecordException.class);
            assertThatThrownBy(() -> reader.readKey(nowhere, 3)).isInstanceOf(CorruptRecordException.class);
            assertThatThrownBy(() -> log.segment(nowhere)).isInstanceOf(CorruptRecordException.class);
            assertThat(log.isAfter(there, nowhere)).isTrue();
            assertThat(log.isAfter(nowhere, there)).isFalse();
            log.markLive(nowhere);
            log.markDead(nowhere);
        }
        for (long offset : new long[] {8, 72, 1000, 4096, 1L << 30}) {
            for (long size : new long[] {8, 40, 10_000, 1L << 30}) {
                long nowhere = Locator.of(0, offset, size, false);
                assertThatThrownBy(() -> reader.read(nowhere)).isInstanceOf(CorruptRecordException.class);
                assertThatThrownBy(() -> reader.readKey(nowhere, 3)).isInstanceOf(CorruptRecordException.class);
            }
        }
        assertThat(log.segment(there).liveBytes()).isEqualTo(live);
        reader.read(there);
        assertThat(reader.value()).isEqualTo(KeyValues.bytes("value"));
        log.close();
    }
}
