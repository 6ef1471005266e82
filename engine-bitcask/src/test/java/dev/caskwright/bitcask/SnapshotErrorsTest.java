package dev.caskwright.bitcask;

import static dev.caskwright.testkit.KeyValues.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.Snapshot;
import dev.caskwright.index.hashmap.HashKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import dev.caskwright.testkit.ThrowingPlan;
import java.io.IOException;
import org.junit.jupiter.api.Test;

/** Snapshots that cannot be opened, for want of memory or by a clock that throws, leave nothing behind. */
final class SnapshotErrorsTest {
    private final CrashableIoManager disk = new CrashableIoManager();
    private final ManualClock clock = new ManualClock();
    private final ThrowingPlan indexCalls = ThrowingPlan.counting();
    private boolean isBroken;

    private BitcaskEngine open() throws IOException {
        return CrashFixture.builder(disk.factory(CrashFixture.HOME), () -> {
                    if (isBroken) {
                        throw new OutOfMemoryError("planted");
                    }
                    return clock.instant();
                })
                .index(indexCalls.wrap(HashKeyIndex::new))
                .open();
    }

    private void failToOpenOne(BitcaskEngine engine) {
        isBroken = true;
        assertThatThrownBy(engine::snapshot).isInstanceOf(OutOfMemoryError.class);
        assertThatThrownBy(() -> engine.visit(entry -> true)).isInstanceOf(OutOfMemoryError.class);
        isBroken = false;
    }

    @Test
    void othersStayAsTheyWere() throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.put(bytes("k"), bytes("1"));
            Snapshot first = engine.snapshot();
            failToOpenOne(engine);
            engine.put(bytes("k"), bytes("2"));
            Snapshot second = engine.snapshot();
            failToOpenOne(engine);
            engine.put(bytes("k"), bytes("3"));
            Snapshot third = engine.snapshot();
            engine.delete(bytes("k"));
            third.close();
            assertThat(first.get(bytes("k"))).isEqualTo(bytes("1"));
            assertThat(second.get(bytes("k"))).isEqualTo(bytes("2"));
            second.close();
            assertThat(first.get(bytes("k"))).isEqualTo(bytes("1"));
            engine.merge();
            assertThat(first.get(bytes("k"))).isEqualTo(bytes("1"));
            first.close();
            assertThat(engine.get(bytes("k"))).isNull();
            assertThat(engine.stats().space().pinnedBytes()).isZero();
        }
    }

    /** A put that saves something for a snapshot asks the index once more. */
    @Test
    void nothingIsSavedForThem() throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.put(bytes("k"), bytes("1"));
            long before = callsOfAPut(engine);
            failToOpenOne(engine);
            assertThat(engine.stats().snapshots()).isZero();
            assertThat(callsOfAPut(engine)).isEqualTo(before);
            try (Snapshot snapshot = engine.snapshot()) {
                assertThat(callsOfAPut(engine)).isGreaterThan(before);
                assertThat(snapshot.get(bytes("k"))).isEqualTo(bytes("1"));
            }
        }
    }

    private long callsOfAPut(BitcaskEngine engine) throws IOException {
        long before = indexCalls.calls();
        engine.put(bytes("k"), bytes("1"));
        return indexCalls.calls() - before;
    }
}
