package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.EngineStats;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** When an image of the index is saved in the background, and what becomes of one that cannot be. */
@Timeout(60)
final class CheckpointsTest {
    private static final byte[] VALUE = new byte[40];

    private final CrashableIoManager disk = new CrashableIoManager();
    private final List<Runnable> tasks = new ArrayList<>();
    private Index index = new Index();

    /** Says how large it is as it is told, and fails to be saved if it is told to. */
    private static final class Index extends SmallImageIndex {
        final AtomicReference<@Nullable RuntimeException> failure;
        long memory;

        Index() {
            this(new AtomicReference<>());
        }

        private Index(AtomicReference<@Nullable RuntimeException> failure) {
            super(() -> {
                RuntimeException planted = failure.get();
                if (planted != null) {
                    throw planted;
                }
            });
            this.failure = failure;
        }

        @Override
        public long memoryBytes() {
            return memory;
        }
    }

    private EngineBuilder builder(CrashableIoManager onto) {
        index = new Index();
        return CrashFixture.builder(HOME, onto.factory(HOME), new ManualClock())
                .maxFileBytes(32 << 10) // which keep no room for deletes: tests count the files made
                .executor(tasks::add)
                .index(context -> index);
    }

    private BitcaskEngine open(long imageEveryBytes) throws IOException {
        return builder(disk).imageEveryBytes(imageEveryBytes).open();
    }

    private static void put(BitcaskEngine engine, int count) throws IOException {
        for (int i = 0; i < count; i++) {
            engine.put(KeyValues.bytes("key" + i), VALUE);
        }
    }

    private void closedWithAnImage() throws IOException {
        try (BitcaskEngine engine = open(Long.MAX_VALUE)) {
            put(engine, 5);
        }
        tasks.clear();
    }

    /** Returns how many bytes that many puts take, the header of their file included. */
    private static long bytesOf(int puts) throws IOException {
        CheckpointsTest other = new CheckpointsTest();
        other.closedWithAnImage();
        try (BitcaskEngine engine = other.open(Long.MAX_VALUE)) {
            put(engine, puts);
            return engine.stats().writes().writtenBytes();
        }
    }

    private void run() {
        assertThat(tasks).hasSize(1);
        tasks.remove(0).run();
    }

    @Test
    void oneIsAskedForWhenSoMuchIsBehindTheLast() throws IOException {
        closedWithAnImage();
        try (BitcaskEngine engine = open(bytesOf(3))) {
            engine.requestCheckpoint();
            put(engine, 2);
            engine.requestCheckpoint();
            assertThat(tasks).isEmpty();
            put(engine, 1);
            engine.requestCheckpoint();
            engine.requestCheckpoint();
            assertThat(tasks).as("asked for once").hasSize(1);
            run();
            assertThat(engine.stats().images().saved()).isEqualTo(1);
            engine.requestCheckpoint();
            assertThat(tasks).isEmpty();
            put(engine, 4);
            engine.requestCheckpoint();
            run();
            assertThat(engine.stats().images().saved()).isEqualTo(2);
        }
    }

    @Test
    void oneIsSavedWhenMoreWasWrittenThanItHas() throws IOException {
        closedWithAnImage();
        long bytes = bytesOf(3);
        try (BitcaskEngine engine = open(1)) {
            assertThat(engine.stats().opening().fromImage()).isTrue();
            put(engine, 3);
            index.memory = bytes + 1;
            engine.requestCheckpoint();
            run();
            assertThat(engine.stats().images().saved()).isZero();
            index.memory = bytes;
            engine.requestCheckpoint();
            run();
            assertThat(engine.stats().images().saved()).isEqualTo(1);
            // From here on what was written since counts.
            put(engine, 3);
            index.memory = engine.stats().writes().writtenBytes() - bytes + 1;
            engine.requestCheckpoint();
            run();
            assertThat(engine.stats().images().saved()).isEqualTo(1);
            index.memory--;
            engine.requestCheckpoint();
            run();
            assertThat(engine.stats().images().saved()).isEqualTo(2);
        }
    }

    @Test
    void whatAMergeWroteCountsToo() throws IOException {
        closedWithAnImage();
        try (BitcaskEngine engine = open(1)) {
            put(engine, 3);
            long written = engine.stats().writes().writtenBytes();
            index.memory = written + 1;
            engine.merge();
            EngineStats stats = engine.stats();
            assertThat(stats.writes().writtenBytes() + stats.merging().mergedBytes())
                    .isGreaterThan(written + 1);
            tasks.forEach(Runnable::run);
            assertThat(engine.stats().images().saved()).isEqualTo(1);
        }
    }

    @Test
    void whereThereIsNoneTheFirstIsWorthItsWriting() throws IOException {
        try (BitcaskEngine engine = open(1)) {
            put(engine, 1);
            index.memory = 1L << 50;
            engine.requestCheckpoint();
            run();
            assertThat(engine.stats().images().saved()).isEqualTo(1);
        }
    }

    /** An image that tells of more than a power loss leaves is void. */
    @Test
    void whatAnImageCoversIsDurable() throws IOException {
        try (BitcaskEngine engine = open(1)) {
            put(engine, 5);
            engine.requestCheckpoint();
            run();
            CrashableIoManager lost = disk.peekPowerLoss(0);
            try (BitcaskEngine next = builder(lost).open()) {
                assertThat(next.size()).isEqualTo(5);
            }
        }
    }

    @Test
    void othersWriteAndMergeWhenOneWasSaved() throws Exception {
        try (BitcaskEngine engine = open(1)) {
            put(engine, 5);
            engine.requestCheckpoint();
            CompletableFuture.runAsync(this::run).get(30, TimeUnit.SECONDS);
            put(engine, 5);
            engine.merge();
            assertThat(engine.stats().merging().merges()).isEqualTo(1);
            assertThat(engine.stats().images().saved()).isEqualTo(1);
            List<Runnable> due = new ArrayList<>(tasks);
            CompletableFuture.runAsync(() -> due.forEach(Runnable::run)).get(30, TimeUnit.SECONDS);
            assertThat(engine.stats().images().saved()).isEqualTo(2);
            put(engine, 5);
        }
    }

    @ParameterizedTest
    @EnumSource(
            value = Fault.class,
            names = {"IO_ERROR", "OUT_OF_SPACE"})
    void oneThatCannotBeSavedIsNoFailureAndLeavesNothing(Fault fault) throws IOException {
        closedWithAnImage();
        FaultPlan counting = FaultPlan.counting().only(IoOperation.CREATE);
        builder(disk.peekKill())
                .io(counting.wrap(disk.peekKill().factory(HOME)))
                .open();
        // After those of the opening comes that of the data file, and then the image's.
        FaultPlan plan =
                FaultPlan.failing(counting.calls() + 1).only(IoOperation.CREATE).with(fault);
        List<String> before = disk.list();
        try (BitcaskEngine engine = builder(disk)
                .io(plan.wrap(disk.factory(HOME)))
                .imageEveryBytes(1)
                .open()) {
            put(engine, 5);
            engine.requestCheckpoint();
            run();
            assertThat(plan.toString()).contains(".image");
            assertThat(engine.health()).isNull();
            assertThat(engine.stats().images().saved()).isZero();
            assertThat(disk.list()).containsAll(before).hasSize(before.size() + 1);
            engine.requestCheckpoint();
            run();
            assertThat(engine.stats().images().saved()).isEqualTo(1);
        }
    }

    @Test
    void anIndexThatBreaksMeanwhileIsAskedAgainLater() throws IOException {
        BitcaskEngine engine = open(1);
        put(engine, 5);
        RuntimeException planted = new IllegalStateException("planted");
        index.failure.set(planted);
        engine.requestCheckpoint();
        run();
        assertThat(engine.health()).isNull();
        assertThat(engine.retries())
                .singleElement()
                .satisfies(retry -> assertThat(retry.cause()).isSameAs(planted));
        assertThat(disk.list()).noneMatch(name -> name.endsWith(".image"));
        index.failure.set(null);
        engine.requestCheckpoint();
        run();
        assertThat(engine.retries()).isEmpty();
        assertThat(disk.list()).filteredOn(name -> name.endsWith(".image")).hasSize(1);
        engine.close();
    }

    /** A block of it is on disk by then. */
    @Test
    void oneThatBreaksInTheMiddleIsTakenAway() throws IOException {
        TrackedIo tracked = new TrackedIo();
        int[] saved = {0};
        SmallImageIndex failing = new SmallImageIndex(() -> {
            if (++saved[0] == 1_900) {
                assertThat(disk.list()).anyMatch(name -> name.endsWith(".image"));
                assertThat(tracked.open()).anyMatch(name -> name.endsWith(".image"));
                throw new IOException("planted");
            }
        });
        try (BitcaskEngine engine = builder(disk)
                .index(context -> failing)
                .io(tracked.wrap(disk.factory(HOME)))
                .imageEveryBytes(1)
                .open()) {
            byte[] key = new byte[200];
            for (int i = 0; i < 2_000; i++) {
                key[0] = (byte) i;
                key[1] = (byte) (i >> 8);
                engine.put(key, VALUE);
            }
            tasks.clear();
            engine.requestCheckpoint();
            run();
            assertThat(saved[0]).isEqualTo(1_900);
            assertThat(engine.health()).isNull();
            assertThat(disk.list()).noneMatch(name -> name.endsWith(".image"));
            assertThat(tracked.open()).noneMatch(name -> name.endsWith(".image"));
        }
    }

    @Test
    void aStoreClosesWellWithoutItsLastImage() throws IOException {
        BitcaskEngine engine = builder(disk)
                .index(context -> new SmallImageIndex(() -> {
                    throw new IOException("planted");
                }))
                .open();
        put(engine, 5);
        engine.close();
        assertThat(engine.health()).isNull();
        assertThat(disk.list()).noneMatch(name -> name.endsWith(".image"));
        try (BitcaskEngine next = builder(disk).open()) {
            assertThat(next.size()).isEqualTo(5);
        }
    }

    @Test
    void aStoreThatCannotBeMadeDurableDoesNotCloseWell() throws IOException {
        builder(disk).imageEveryBytes(0).open().close();
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.FORCE).with(Fault.IO_ERROR);
        BitcaskEngine engine = builder(disk).io(plan.wrap(disk.factory(HOME))).open();
        put(engine, 5);
        assertThatThrownBy(engine::close).isInstanceOf(EngineFailedException.class);
        assertThat(engine.health()).isNotNull();
        assertThat(disk.list()).noneMatch(name -> name.endsWith(".image"));
    }

    @Test
    void afterAFailureNoneIsSaved() throws IOException {
        builder(disk).imageEveryBytes(0).open().close();
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.FORCE).with(Fault.IO_ERROR);
        BitcaskEngine engine = builder(disk)
                .io(plan.wrap(disk.factory(HOME)))
                .imageEveryBytes(1)
                .open();
        put(engine, 5);
        engine.requestCheckpoint();
        assertThatThrownBy(engine::sync).isInstanceOf(EngineFailedException.class);
        run();
        engine.close();
        assertThat(engine.stats().images().saved()).isZero();
        assertThat(disk.list()).noneMatch(name -> name.endsWith(".image"));
    }

    /** The log may have a record that the index does not know. */
    @Test
    void aFailureWhileOneIsSavedMakesItVoid() throws IOException {
        builder(disk).imageEveryBytes(0).open().close();
        FaultPlan plan = FaultPlan.failing(1).only(IoOperation.FORCE).with(Fault.IO_ERROR);
        BitcaskEngine[] engine = new BitcaskEngine[1];
        SmallImageIndex failing = new SmallImageIndex(() -> {
            if (engine[0].health() == null) {
                assertThatThrownBy(engine[0]::sync).isInstanceOf(EngineFailedException.class);
            }
        });
        engine[0] = builder(disk)
                .index(context -> failing)
                .io(plan.wrap(disk.factory(HOME)))
                .imageEveryBytes(1)
                .open();
        put(engine[0], 5);
        engine[0].requestCheckpoint();
        run();
        assertThat(plan.hasFired()).isTrue();
        assertThat(engine[0].stats().images().saved()).isZero();
        assertThat(disk.list()).noneMatch(name -> name.endsWith(".image"));
        engine[0].close();
    }

    @Test
    void aRequestThatComesTooLateDoesNothing() throws IOException {
        BitcaskEngine engine = open(1);
        put(engine, 5);
        engine.requestCheckpoint();
        engine.close();
        long operations = disk.operations();
        run();
        engine.requestCheckpoint();
        assertThat(tasks).isEmpty();
        assertThat(disk.operations()).isEqualTo(operations);
        assertThat(engine.health()).isNull();
    }

    @Test
    void withoutImagesNoneIsAskedFor() throws IOException {
        closedWithAnImage();
        try (BitcaskEngine engine = builder(disk).imageEveryBytes(0).open()) {
            put(engine, 5);
            engine.requestCheckpoint();
            assertThat(tasks).isEmpty();
        }
        try (BitcaskEngine engine =
                builder(disk).imageEveryBytes(1).readOnly(true).open()) {
            engine.requestCheckpoint();
            assertThat(tasks).isEmpty();
        }
    }
}
