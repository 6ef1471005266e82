package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.Future;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Bounds of memory and of waiting. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class PressureTest {
    private static final Path DIRECTORY = Path.of("/simulated/moss");

    @Test
    void writersAtOnceDoNotPassTheBoundOfMemory() throws Exception {
        int writers = 8;
        long limit = 4 << 20;
        ExecutorService executor = Executors.newFixedThreadPool(writers);
        try (MossEngine engine = MossEngine.inMemory()
                .maxMemoryBytes(limit)
                .writeDeadline(Duration.ofMillis(200))
                .open()) {
            Store store = engine.store();
            List<Future<?>> running = new ArrayList<>();
            store.lock.lock(); // so that all of them are on their way before the first one is applied
            try {
                for (int i = 0; i < writers; i++) {
                    byte[] key = bytes("key" + i);
                    running.add(executor.submit(() -> {
                        engine.put(key, new byte[(int) (limit / 4)]);
                        return null;
                    }));
                }
                while (store.lock.getQueueLength() < writers) {
                    Thread.onSpinWait();
                }
            } finally {
                store.lock.unlock();
            }
            int refused = 0;
            for (Future<?> each : running) {
                try {
                    each.get();
                } catch (java.util.concurrent.ExecutionException e) {
                    assertThat(e.getCause()).isInstanceOf(MossException.class).hasMessageContaining("memory is full");
                    refused++;
                }
            }
            assertThat(store.dirtyBytes()).isLessThanOrEqualTo(limit);
            assertThat(refused).isGreaterThanOrEqualTo(writers - 4);
            assertThat(engine.size()).isEqualTo(writers - refused);
        } finally {
            executor.shutdownNow();
        }
    }

    private static MossEngine blocked(FaultPlan plan, CrashableIoManager disk) throws IOException {
        MossEngine engine = MossEngine.builder(DIRECTORY)
                .io(plan.wrap(disk.factory()))
                .persistAfter(Duration.ZERO)
                .writeDeadline(Duration.ofMillis(100))
                .open();
        engine.put(bytes("none"), bytes("1"), WriteOptions.NONE);
        engine.store().lock.lock();
        try {
            engine.store().seal(); // so that the log cannot take it any more
        } finally {
            engine.store().lock.unlock();
        }
        return engine;
    }

    private static FaultPlan noMoreFiles() {
        return FaultPlan.failing(1).only(IoOperation.CREATE).fromThenOn().with(Fault.OUT_OF_SPACE);
    }

    @Test
    void aDurableWriteWaitsForThoseBeforeItNoLongerThanItsDeadline() throws IOException {
        FaultPlan plan = noMoreFiles();
        CrashableIoManager disk = new CrashableIoManager();
        try (MossEngine engine = blocked(plan, disk)) {
            MossException late = catchThrowableOfType(
                    MossException.class, () -> engine.put(bytes("a"), bytes("1"), WriteOptions.WRITE));
            assertThat(late.reason()).isEqualTo(MossException.Reason.OVERLOADED);
            assertThat(late.outcome()).isEqualTo(Outcome.NOT_APPLIED);
            assertThat(late).hasCauseInstanceOf(OutOfSpaceException.class);
            assertThat(engine.get(bytes("a"))).isNull();
            plan.stop();
            engine.flush();
            engine.put(bytes("a"), bytes("2"), WriteOptions.SYNC);
            assertThat(Model.content(engine, Range.all())).hasToString("{a=2, none=1}");
        }
    }

    @Test
    void aSyncEndsOnceNothingIsWrittenBelowForTheDeadline() throws IOException {
        FaultPlan plan = noMoreFiles();
        CrashableIoManager disk = new CrashableIoManager();
        try (MossEngine engine = blocked(plan, disk)) {
            MossException late = catchThrowableOfType(MossException.class, engine::sync);
            assertThat(late.reason()).isEqualTo(MossException.Reason.OVERLOADED);
            plan.stop();
            engine.flush();
            engine.sync();
        }
    }

    @Test
    void aFullStoreInMemoryCanBeEmptiedByARange() throws IOException {
        try (MossEngine engine = MossEngine.inMemory().maxMemoryBytes(1 << 20).open()) {
            int[] written = {0};
            MossException full = catchThrowableOfType(MossException.class, () -> {
                while (true) {
                    engine.put(bytes("k" + written[0]), new byte[10]);
                    written[0]++;
                }
            });
            assertThat(full.reason()).isEqualTo(MossException.Reason.OVERLOADED);
            engine.deleteRange(bytes("k"), bytes("l"), WriteOptions.NONE);
            engine.put(bytes("after"), new byte[1_000]);
            assertThat(Model.content(engine, Range.all())).containsOnlyKeys("after");
        }
    }
}
