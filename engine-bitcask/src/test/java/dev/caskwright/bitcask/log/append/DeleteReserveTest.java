package dev.caskwright.bitcask.log.append;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import org.junit.jupiter.api.Test;

final class DeleteReserveTest {
    private static final StoreId STORE = new StoreId(11, 22);
    private static final String HINT = FileNames.hint(5);
    private static final long LEAST_FREE = 1_000;
    private static final int SHORT = 64 << 10;

    private final CrashableIoManager disk = new CrashableIoManager();
    private final DeleteReserve reserve = new DeleteReserve(1 << 30, LEAST_FREE);

    private DataFile data(long length) throws IOException {
        String name = FileNames.data(5);
        if (!disk.list().contains(name)) {
            disk.install(name, new byte[64]);
        }
        return new DataFile(5, 0, false, STORE.seed(), disk.open(name), length);
    }

    @Test
    void itIsMadeOnceThereIsRoomForIt() throws IOException {
        HintBuilder hints = new HintBuilder(disk, STORE, data(64));
        disk.capacity(64 + LEAST_FREE - 1);
        reserve.begin(hints, data(64), 0);
        assertThat(disk.list()).doesNotContain(HINT);
        disk.capacity(Long.MAX_VALUE);
        reserve.growWith(hints, data(1_000));
        assertThat(disk.list()).as("not with each write").doesNotContain(HINT);
        reserve.growWith(hints, data(2 << 20));
        assertThat(disk.length(HINT)).isEqualTo(SHORT);
        hints.abandon();
    }

    @Test
    void itIsTriedAgainAfterAFailure() throws IOException {
        FaultPlan plan = FaultPlan.failing(0).only(IoOperation.CREATE);
        HintBuilder hints = new HintBuilder(plan.wrap(disk), STORE, data(64));
        reserve.begin(hints, data(64), 0);
        assertThat(plan.hasFired()).isTrue();
        reserve.growWith(hints, data(2 << 20));
        assertThat(disk.length(HINT)).isEqualTo(SHORT);
        long operations = disk.operations();
        reserve.growWith(hints, data(4 << 20)); // as long as a share of the data
        assertThat(disk.operations()).isEqualTo(operations);
        hints.abandon();
    }
}
