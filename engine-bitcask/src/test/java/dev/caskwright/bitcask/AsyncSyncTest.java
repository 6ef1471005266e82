package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.TestExecutor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Syncs for which no thread waits: what they promise of the disk. */
@Timeout(60)
final class AsyncSyncTest {
    private static final byte[] VALUE = new byte[100];

    private final CrashableIoManager disk = new CrashableIoManager();

    private EngineBuilder builder() {
        return CrashFixture.builder(HOME, disk.factory(HOME), new ManualClock())
                .maxFileBytes(1 << 20)
                .imageEveryBytes(0);
    }

    private long durableEntries() throws IOException {
        try (BitcaskEngine engine = CrashFixture.open(disk.peekPowerLoss(0), new ManualClock())) {
            return KeyValues.entries(engine).size();
        }
    }

    /** Whatever the executor of the store does with tasks: it may drop them all. */
    @Test
    void whatASyncCoversSurvivesAPowerLoss() throws Exception {
        try (BitcaskEngine engine =
                builder().executor(new TestExecutor(TestExecutor.Mode.DROPPED)).open()) {
            engine.put(KeyValues.key(1), VALUE, WriteOptions.WRITE);
            assertThat(durableEntries()).isZero();
            assertThat(engine.durableVersion()).isZero();
            assertThat(engine.syncAsync().get()).isEqualTo(1);
            assertThat(durableEntries()).isEqualTo(1);
            assertThat(engine.durableVersion()).isEqualTo(1);

            engine.put(KeyValues.key(2), VALUE, WriteOptions.WRITE);
            assertThat(engine.durableVersion()).isEqualTo(1);
            engine.put(KeyValues.key(3), VALUE, WriteOptions.SYNC);
            assertThat(engine.durableVersion()).as("noticed without a sync").isEqualTo(3);
        }
    }

    @Test
    void aFailureIsToldToEachThatWaits() throws Exception {
        builder().open().close();
        FaultPlan counting = FaultPlan.counting().only(IoOperation.FORCE);
        try (BitcaskEngine counted = CrashFixture.builder(HOME, counting.wrap(disk.factory(HOME)), new ManualClock())
                .imageEveryBytes(0)
                .open()) {
            assertThat(counted.size()).isZero();
        }
        long forcesToOpen = counting.calls();
        FaultPlan failing = FaultPlan.failing(forcesToOpen)
                .only(IoOperation.FORCE)
                .with(Fault.IO_ERROR)
                .fromThenOn();
        BitcaskEngine failed = CrashFixture.builder(HOME, failing.wrap(disk.factory(HOME)), new ManualClock())
                .imageEveryBytes(0)
                .open();
        failed.put(KeyValues.key(1), VALUE, WriteOptions.WRITE);
        List<CompletableFuture<Long>> syncs = new ArrayList<>();
        for (int i = 0; i < 5; i++) {
            syncs.add(failed.syncAsync());
        }
        for (CompletableFuture<Long> sync : syncs) {
            assertThatThrownBy(() -> sync.get(30, TimeUnit.SECONDS)).hasCauseInstanceOf(EngineFailedException.class);
        }
        assertThat(failed.durableVersion()).isZero();
        assertThat(failed.health()).isNotNull();
        failed.close();
    }
}
