package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowable;

import dev.caskwright.api.Range;
import dev.caskwright.api.Retry;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.btree.BTreeKeyIndex;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.ThrowingPlan;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;
import org.junit.jupiter.params.provider.ValueSource;

/** Memory that runs out for a moment ends no engine: what failed is done again, once. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class WantOfMemoryTest {
    private static final Path DIRECTORY = Path.of("/simulated/moss");

    private static MossBuilder builder(CrashableIoManager disk, FaultPlan plan) {
        return MossEngine.builder(DIRECTORY)
                .io(plan.wrap(disk.factory()))
                .mergeOperator(new Append())
                .withoutThreads();
    }

    private static void prepare(MossEngine engine) throws IOException {
        engine.put(bytes("a"), bytes("0"), WriteOptions.NONE);
        engine.flush();
        engine.merge(bytes("a"), bytes("+1"), WriteOptions.WRITE);
    }

    private static long callsBeforeTheFlush() throws IOException {
        FaultPlan counting = FaultPlan.counting();
        try (MossEngine engine = builder(new CrashableIoManager(), counting).open()) {
            prepare(engine);
            return counting.calls();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"OUT_OF_MEMORY", "OUT_OF_MEMORY_AFTER_EFFECT"},
            mode = Mode.INCLUDE)
    void aFlushThatRanOutOfMemoryIsMadeByTheNextOneAndNoOperandCountsTwice(Fault fault) throws IOException {
        long before = callsBeforeTheFlush();
        int failed = 0;
        for (long n = before; ; n++) {
            CrashableIoManager disk = new CrashableIoManager();
            FaultPlan plan = FaultPlan.failing(n).with(fault);
            try (MossEngine engine = builder(disk, plan).open()) {
                prepare(engine);
                Throwable thrown = catchThrowable(engine::flush);
                if (!plan.hasFired()) {
                    plan.stop();
                    assertThat(thrown).isNull();
                    break;
                }
                assertThat(text(engine.get(bytes("a")))).as("%s", plan).isEqualTo("0+1");
                assertThat(engine.health()).as("%s", plan).isNull();
                assertReopened(disk.peekKill(), "0+1", plan);
                engine.merge(bytes("a"), bytes("+2"), WriteOptions.SYNC);
                engine.flush();
                assertThat(text(engine.get(bytes("a")))).as("%s", plan).isEqualTo("0+1+2");
                assertThat(engine.retries()).as("%s", plan).isEmpty();
                assertReopened(disk.peekPowerLoss(n), "0+1+2", plan);
                engine.compact();
                assertThat(engine.files().files()).as("%s", plan).isEqualTo(1);
                failed++;
            }
            assertReopened(disk, "0+1+2", plan);
        }
        assertThat(failed).isGreaterThan(10);
    }

    private static void assertReopened(CrashableIoManager disk, String expected, FaultPlan plan) throws IOException {
        try (MossEngine engine = builder(disk, FaultPlan.counting()).open()) {
            assertThat(text(engine.get(bytes("a")))).as("%s, reopened", plan).isEqualTo(expected);
        }
    }

    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void aLowerLevelThatRanOutOfMemoryGetsNoOperandTwice(boolean isAfterEffect) throws IOException {
        for (long n = 0; ; n++) {
            ThrowingPlan plan = ThrowingPlan.failing(n).only("write", "snapshot", "get", "sync");
            if (isAfterEffect) {
                plan.afterEffect();
            }
            CrashableIoManager disk = new CrashableIoManager();
            try (StorageEngine lower = BitcaskEngine.builder(Path.of("/simulated/lower"))
                            .index(context -> new BTreeKeyIndex())
                            .io(disk.factory())
                            .open();
                    MossEngine engine = open(plan.wrap(lower))) {
                if (engine == null) {
                    continue;
                }
                work(engine);
                assertThat(engine.health()).as("%s", plan).isNull();
                assertThat(text(engine.get(bytes("a")))).as("%s", plan).isEqualTo("0+1+2");
                assertThat(engine.retries()).as("%s", plan).isEmpty();
            }
            if (!plan.hasFired()) {
                assertThat(n).isGreaterThan(5);
                return;
            }
        }
    }

    private static MossEngine open(StorageEngine lower) throws IOException {
        try {
            return MossEngine.inMemory()
                    .over(lower)
                    .mergeOperator(new Append())
                    .withoutThreads()
                    .open();
        } catch (OutOfMemoryError e) {
            return null;
        }
    }

    private static void work(MossEngine engine) throws IOException {
        engine.put(bytes("a"), bytes("0"));
        flushTwice(engine);
        engine.merge(bytes("a"), bytes("+1"), WriteOptions.NONE);
        flushTwice(engine);
        engine.merge(bytes("a"), bytes("+2"), WriteOptions.NONE);
        flushTwice(engine);
    }

    private static void flushTwice(MossEngine engine) throws IOException {
        Throwable thrown = catchThrowable(engine::flush);
        if (thrown != null) {
            assertThat(thrown).isInstanceOf(OutOfMemoryError.class);
            assertThat(engine.retries()).extracting(Retry::task).containsExactly("persist");
            engine.flush();
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"OUT_OF_MEMORY", "OUT_OF_MEMORY_AFTER_EFFECT"},
            mode = Mode.INCLUDE)
    void aWriteThatTheLogHadNoMemoryForIsNotThereNorComesBack(Fault fault) throws IOException {
        for (int n = 0; n < 2; n++) {
            CrashableIoManager disk = new CrashableIoManager();
            // The first write is of the manifest, then come the header of the log and records.
            FaultPlan plan = FaultPlan.failing(2 + n).only(IoOperation.WRITE).with(fault);
            try (MossEngine engine = builder(disk, plan).open()) {
                if (n > 0) {
                    engine.put(bytes("a"), bytes("0"), WriteOptions.WRITE);
                }
                assertThatThrownBy(() -> engine.put(bytes("b"), bytes("1"), WriteOptions.WRITE))
                        .isInstanceOf(OutOfMemoryError.class);
                assertThat(engine.get(bytes("b"))).isNull();
                assertThat(engine.health()).isNull();
                assertContent(disk.peekKill(), n > 0 ? "{a=0}" : "{}");
                engine.put(bytes("c"), bytes("2"), WriteOptions.WRITE);
                assertContent(disk.peekKill(), n > 0 ? "{a=0, c=2}" : "{c=2}");
            }
        }
    }

    private static void assertContent(CrashableIoManager disk, String expected) throws IOException {
        try (MossEngine engine = builder(disk, FaultPlan.counting()).open()) {
            assertThat(Model.content(engine, Range.all())).hasToString(expected);
        }
    }

    @Test
    void aLogThatCouldNotBeMadeIsMadeUnderAnotherName() throws IOException {
        CrashableIoManager disk = new CrashableIoManager();
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.CREATE).with(Fault.OUT_OF_MEMORY_AFTER_EFFECT);
        try (MossEngine engine = builder(disk, plan).open()) {
            engine.put(bytes("a"), bytes("0"), WriteOptions.NONE);
            Throwable thrown = catchThrowable(() -> engine.put(bytes("b"), bytes("1"), WriteOptions.SYNC));
            assertThat(plan.hasFired()).isTrue();
            assertThat(engine.health()).as("%s", thrown).isNull();
            engine.put(bytes("b"), bytes("2"), WriteOptions.SYNC);
        }
        assertContent(disk, "{a=0, b=2}");
    }

    @Test
    void thePersisterItselfTriesAgainAndSaysSo() throws Exception {
        CrashableIoManager disk = new CrashableIoManager();
        FaultPlan plan =
                FaultPlan.failing(1).only(IoOperation.CREATE).fromThenOn().with(Fault.OUT_OF_MEMORY);
        try (MossEngine engine = MossEngine.builder(DIRECTORY)
                .io(plan.wrap(disk.factory()))
                .persistAfter(Duration.ofMillis(1))
                .open()) {
            CommitToken token = engine.commit(new MossBatch().put(bytes("a"), bytes("1")), WriteOptions.NONE);
            List<Retry> retries = engine.retries();
            while (retries.isEmpty() || retries.get(0).failures() < 2) {
                Thread.onSpinWait();
                retries = engine.retries();
            }
            assertThat(retries.get(0).task()).isEqualTo("persist");
            assertThat(retries.get(0).cause()).isInstanceOf(OutOfMemoryError.class);
            assertThat(engine.health()).isNull();
            engine.put(bytes("b"), bytes("1"), WriteOptions.NONE);
            plan.stop();
            token.future().get(30, TimeUnit.SECONDS);
            engine.put(bytes("c"), bytes("1"), WriteOptions.SYNC);
        }
    }
}
