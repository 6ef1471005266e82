package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Set;
import java.util.stream.Collectors;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** What is written below SYNC is synced after so many bytes, or so much time. */
@Timeout(60)
final class BackgroundSyncTest {
    private static final byte[] KEY = KeyValues.bytes("key");
    private static final byte[] VALUE = new byte[100];
    private static final String TIMER = "caskwright-timer";

    private final CrashableIoManager disk = new CrashableIoManager();
    private final List<Runnable> tasks = new ArrayList<>();

    private EngineBuilder builder() {
        return CrashFixture.builder(HOME, disk.factory(HOME), new ManualClock())
                .maxFileBytes(1 << 20)
                .imageEveryBytes(0)
                .executor(tasks::add);
    }

    private static void put(BitcaskEngine engine) throws IOException {
        engine.put(KEY, VALUE, WriteOptions.WRITE);
    }

    /** Returns how much a record takes that {@link #put} writes. */
    private static long length(BitcaskEngine engine) throws IOException {
        long before = engine.stats().writes().writtenBytes();
        put(engine);
        return engine.stats().writes().writtenBytes() - before;
    }

    private boolean isDurable(byte[] key) throws IOException {
        try (BitcaskEngine engine = CrashFixture.open(disk.peekPowerLoss(0), new ManualClock())) {
            return engine.contains(key);
        }
    }

    private void runTask() {
        assertThat(tasks).hasSize(1);
        tasks.remove(0).run();
    }

    @Test
    void afterSoManyBytesItIsSynced() throws IOException {
        long length;
        try (BitcaskEngine engine = builder().open()) {
            length = length(engine);
        }
        tasks.clear();
        try (BitcaskEngine engine = builder().syncEveryBytes(3 * length).open()) {
            byte[] first = KeyValues.bytes("1st");
            engine.put(first, VALUE, WriteOptions.WRITE);
            put(engine);
            assertThat(tasks).isEmpty();
            put(engine);
            assertThat(tasks).hasSize(1);
            for (int i = 0; i < 10; i++) {
                put(engine);
            }
            assertThat(isDurable(first)).isFalse();
            runTask();
            assertThat(isDurable(first)).isTrue();
            // Counted again from there.
            put(engine);
            put(engine);
            assertThat(tasks).isEmpty();
            put(engine);
            runTask();
            engine.write(new WriteBatch().put(first, VALUE).put(KEY, new byte[300]), WriteOptions.WRITE);
            runTask();
            engine.put(KEY, new byte[1_000], WriteOptions.SYNC);
            assertThat(tasks).as("who syncs is not counted").isEmpty();
            assertThat(engine.health()).isNull();
        }
    }

    @Test
    void withoutABoundNothingIsSynced() throws IOException {
        Set<Thread> ofOthers = timers(); // which stores of other tests have just left
        try (BitcaskEngine engine = builder().open()) {
            for (int i = 0; i < 100; i++) {
                put(engine);
            }
            assertThat(tasks).isEmpty();
            assertThat(isDurable(KEY)).isFalse();
            assertThat(timers()).isSubsetOf(ofOthers);
        }
    }

    private static Set<Thread> timers() {
        return Thread.getAllStackTraces().keySet().stream()
                .filter(thread -> thread.getName().equals(TIMER))
                .collect(Collectors.toSet());
    }

    @Test
    void afterSomeTimeItIsSynced() throws Exception {
        Set<Thread> timers;
        try (BitcaskEngine engine = builder().syncEvery(Duration.ofMillis(1)).open()) {
            timers = timers();
            assertThat(timers)
                    .singleElement()
                    .satisfies(timer -> assertThat(timer.isDaemon()).isTrue());
            for (int i = 0; i < 3; i++) {
                byte[] key = KeyValues.key(i);
                engine.put(key, VALUE, WriteOptions.WRITE);
                while (!isDurable(key)) {
                    Thread.onSpinWait();
                }
            }
        }
        for (Thread timer : timers) {
            timer.join();
        }
    }

    @Test
    void closingDoesNotWaitForTheTimer() throws Exception {
        Thread timer;
        try (BitcaskEngine engine = builder().syncEvery(Duration.ofDays(1)).open()) {
            put(engine);
            timer = timers().iterator().next();
        }
        timer.join();
        assertThat(tasks).isNotNull();
    }

    @Test
    void aSyncThatFailsFailsTheEngine() throws IOException {
        builder().open().close();
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.FORCE).with(Fault.IO_ERROR);
        BitcaskEngine engine =
                builder().io(plan.wrap(disk.factory(HOME))).syncEveryBytes(1).open();
        put(engine);
        runTask();
        assertThat(plan.hasFired()).as(plan.toString()).isTrue();
        assertThat(engine.health()).isNotNull();
        engine.close();
    }

    @Test
    void aTaskThatComesTooLateForcesNothing() throws IOException {
        BitcaskEngine engine = builder().syncEveryBytes(1).open();
        put(engine);
        engine.close();
        long operations = disk.operations();
        runTask();
        assertThat(disk.operations()).isEqualTo(operations);
        assertThat(engine.health()).isNull();
    }

    @Test
    void afterAFailureNothingIsForced() throws IOException {
        builder().open().close();
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.FORCE).with(Fault.IO_ERROR);
        BitcaskEngine engine =
                builder().io(plan.wrap(disk.factory(HOME))).syncEveryBytes(1).open();
        put(engine);
        try {
            engine.sync();
        } catch (IOException e) {
            assertThat(engine.health()).isNotNull();
        }
        Throwable first = engine.health();
        long operations = disk.operations();
        runTask();
        assertThat(disk.operations()).isEqualTo(operations);
        assertThat(engine.health()).isSameAs(first).isNotNull();
        engine.close();
    }
}
