package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static dev.caskwright.moss.Model.text;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineFailedException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.Range;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Fault;
import dev.caskwright.testkit.FaultPlan;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** The engine with files of its own: tokens, trouble below, operators, checkpoints. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class PersistentEngineTest {
    private static final Path DIRECTORY = Path.of("/simulated/moss");

    private final CrashableIoManager disk = new CrashableIoManager();

    private MossBuilder builder() {
        return MossEngine.builder(DIRECTORY).io(disk.factory()).mergeOperator(new Append());
    }

    private static MossStats figures(MossEngine engine) {
        return engine.stats().group(MossStats.class).orElseThrow();
    }

    @Test
    void aTokenTellsWhenItsBatchSurvivesAPowerLoss() throws Exception {
        try (MossEngine engine = builder().withoutThreads().open()) {
            CommitToken first = engine.commit(new MossBatch().put(bytes("a"), bytes("1")), WriteOptions.NONE);
            CommitToken second = engine.commit(new MossBatch().put(bytes("b"), bytes("2")), WriteOptions.WRITE);
            CompletableFuture<Void> future = first.future();
            assertThat(first.isDurable()).isFalse();
            assertThat(future).isNotDone();
            second.awaitDurable();
            assertThat(first.isDurable()).isTrue();
            assertThat(future).isCompleted();
            assertThat(second.version()).isGreaterThan(first.version());
            CommitToken third = engine.commit(new MossBatch().put(bytes("c"), bytes("3")), WriteOptions.NONE);
            engine.flush();
            assertThat(third.isDurable()).isTrue();
            assertThat(third.future()).isCompleted();
        }
    }

    @Test
    void aTokenFailsWithTheReasonWhyItsBatchNeverSurvives() throws Exception {
        FaultPlan plan = FaultPlan.failing(0).only(IoOperation.FORCE).fromThenOn();
        plan.stop();
        MossEngine engine = builder().withoutThreads().open();
        CommitToken token = engine.commit(new MossBatch().put(bytes("a"), bytes("1")), WriteOptions.NONE);
        CompletableFuture<Void> future = token.future();
        assertThat(engine.closeNow()).isEqualTo(1);
        ExecutionException failed = catchThrowableOfType(ExecutionException.class, future::get);
        assertThat(failed.getCause()).isInstanceOf(MossException.class).hasMessageContaining("versions=1..1");
    }

    @Test
    void aFailedForceRefusesWritesAndReadsGoOn() throws IOException {
        FaultPlan plan = FaultPlan.failing(2).only(IoOperation.FORCE);
        try (MossEngine engine =
                builder().io(plan.wrap(disk.factory())).withoutThreads().open()) {
            engine.put(bytes("a"), bytes("1"), WriteOptions.SYNC);
            CommitToken token = engine.commit(new MossBatch().put(bytes("b"), bytes("1")), WriteOptions.WRITE);
            CompletableFuture<Void> future = token.future();
            EngineFailedException failed = catchThrowableOfType(
                    EngineFailedException.class, () -> engine.put(bytes("c"), bytes("1"), WriteOptions.SYNC));
            assertThat(failed.outcome()).isEqualTo(Outcome.UNKNOWN);
            assertThat(future).isCompletedExceptionally();
            assertThat(engine.health()).isNotNull();
            assertThatThrownBy(() -> engine.put(bytes("d"), bytes("1"))).isInstanceOf(EngineFailedException.class);
            assertThat(text(engine.get(bytes("a")))).isEqualTo("1");
        }
    }

    @Test
    void writesGoOnOnceThereIsRoomAgain() throws IOException {
        try (MossEngine engine = builder().withoutThreads().open()) {
            engine.put(bytes("a"), bytes("1"), WriteOptions.SYNC);
            disk.capacity(300);
            OutOfSpaceException full = catchThrowableOfType(
                    OutOfSpaceException.class, () -> engine.put(bytes("b"), new byte[4_000], WriteOptions.WRITE));
            assertThat(full.outcome()).isEqualTo(Outcome.NOT_APPLIED);
            assertThat(engine.get(bytes("b"))).isNull();
            assertThat(engine.health()).isNull();
            disk.capacity(1 << 20);
            engine.put(bytes("c"), bytes("3"), WriteOptions.SYNC);
        }
        try (MossEngine engine = builder().open()) {
            assertThat(Model.content(engine, Range.all())).hasToString("{a=1, c=3}");
        }
    }

    @Test
    void thePersisterTriesAgainAndWritersFeelItAndAreTold() throws Exception {
        FaultPlan plan =
                FaultPlan.failing(3).only(IoOperation.CREATE).fromThenOn().with(Fault.OUT_OF_SPACE);
        try (MossEngine engine = builder()
                .io(plan.wrap(disk.factory()))
                .maxMemoryBytes(256 << 10)
                .tableBytes(16 << 10)
                .persistAfter(Duration.ofMillis(5))
                .writeDeadline(Duration.ofMillis(300))
                .open()) {
            int[] written = {0};
            MossException full = catchThrowableOfType(MossException.class, () -> {
                while (true) {
                    engine.put(bytes("key" + written[0]), new byte[500], WriteOptions.NONE);
                    written[0]++;
                }
            });
            assertThat(full.reason()).isEqualTo(MossException.Reason.OVERLOADED);
            assertThat(full.outcome()).isEqualTo(Outcome.NOT_APPLIED);
            assertThat(full).hasCauseInstanceOf(OutOfSpaceException.class);
            assertThat(engine.retries()).anyMatch(retry -> retry.task().equals("persist") && retry.failures() > 1);
            assertThat(engine.health()).isNull();
            assertThat(figures(engine).slowedWrites()).isPositive();
            plan.stop();
            engine.flush();
            assertThat(engine.retries()).isEmpty();
            engine.put(bytes("after"), bytes("1"), WriteOptions.NONE);
            assertThat(engine.size()).isEqualTo(written[0] + 1L);
        }
    }

    @Test
    void aCloseThatCannotWriteSaysWhatIsGone() throws IOException {
        FaultPlan plan = FaultPlan.failing(3).only(IoOperation.CREATE).fromThenOn();
        MossEngine engine =
                builder().io(plan.wrap(disk.factory())).withoutThreads().open();
        engine.put(bytes("a"), bytes("1"), WriteOptions.NONE);
        engine.flush();
        engine.put(bytes("b"), bytes("2"), WriteOptions.NONE);
        engine.put(bytes("c"), bytes("3"), WriteOptions.NONE);
        MossException gone = catchThrowableOfType(MossException.class, engine::close);
        assertThat(gone.reason()).isEqualTo(MossException.Reason.DROPPED);
        assertThat(gone).hasMessageContaining("2 writes: versions=2..3").hasMessageContaining("Input/output error");
        engine.close();
        try (MossEngine next = builder().open()) {
            assertThat(Model.content(next, Range.all())).hasToString("{a=1}");
        }
    }

    @Test
    void aCloseThatCannotWriteKeepsWhatTheLogCanTake() throws IOException {
        FaultPlan plan = FaultPlan.failing(2).only(IoOperation.CREATE).fromThenOn();
        MossEngine engine =
                builder().io(plan.wrap(disk.factory())).withoutThreads().open();
        engine.put(bytes("a"), bytes("1"), WriteOptions.WRITE);
        engine.put(bytes("b"), bytes("2"), WriteOptions.NONE);
        engine.close();
        try (MossEngine next =
                MossEngine.builder(DIRECTORY).io(disk.powerLoss(0).factory()).open()) {
            assertThat(Model.content(next, Range.all())).hasToString("{a=1, b=2}");
        }
    }

    @Test
    void aStoreWithOperandsNeedsItsOperator() throws IOException {
        try (MossEngine engine = builder().open()) {
            engine.merge(bytes("a"), bytes("1"), WriteOptions.NONE);
        }
        MossException missing = catchThrowableOfType(
                MossException.class,
                () -> MossEngine.builder(DIRECTORY).io(disk.factory()).open());
        assertThat(missing.reason()).isEqualTo(MossException.Reason.OPERATOR_MISSING);
        assertThat(missing).hasMessageContaining("name=append");
        try (MossEngine engine = builder().open()) {
            assertThat(text(engine.get(bytes("a")))).isEqualTo("1");
        }
    }

    @Test
    void anOperatorThatFailsLosesNothing() throws IOException {
        boolean[] isFailing = {false};
        MergeOperator operator = new MergeOperator() {
            @Override
            public String name() {
                return "append";
            }

            @Override
            public byte[] merge(byte[] key, byte[] base, List<byte[]> operands) {
                if (isFailing[0]) {
                    throw new IllegalStateException("broken");
                }
                return new Append().merge(key, base, operands);
            }
        };
        try (MossEngine engine =
                builder().mergeOperator(operator).withoutThreads().open()) {
            engine.put(bytes("a"), bytes("0"));
            engine.merge(bytes("a"), bytes("+1"), WriteOptions.NONE);
            isFailing[0] = true;
            assertThat(catchThrowableOfType(MossException.class, () -> engine.get(bytes("a")))
                            .reason())
                    .isEqualTo(MossException.Reason.OPERATOR_FAILED);
            assertThatThrownBy(engine::flush).isInstanceOf(MossException.class);
            isFailing[0] = false;
            engine.flush();
            assertThat(text(engine.get(bytes("a")))).isEqualTo("0+1");
        }
    }

    @Test
    void aCheckpointCanBeReadAndGoneBackTo() throws IOException {
        ManualClock clock = new ManualClock();
        try (MossEngine engine = builder().clock(clock).keptCheckpoints(2).open()) {
            engine.put(bytes("a"), bytes("1"));
            engine.child("c").put(bytes("x"), bytes("1"));
            engine.checkpoint("first");
            engine.put(bytes("a"), bytes("2"));
            engine.put(bytes("b"), bytes("2"));
            engine.checkpoint("second");
            engine.write(new MossBatch().deleteChild("c").delete(bytes("b")), WriteOptions.DEFAULT);
            engine.compact();
            try (MossSnapshot first = engine.snapshot("first")) {
                assertThat(Model.content(first, Range.all())).hasToString("{a=1}");
                assertThat(text(first.child("c").get(bytes("x")))).isEqualTo("1");
            }
            assertThat(engine.checkpoints()).extracting(Checkpoint::name).containsExactly("first", "second");
            engine.put(bytes("lost"), bytes("1"), WriteOptions.SYNC);
            engine.revert("second");
            assertThat(Model.content(engine, Range.all())).hasToString("{a=2, b=2}");
            engine.put(bytes("d"), bytes("4"));
        }
        try (MossEngine engine = builder().keptCheckpoints(2).open()) {
            assertThat(Model.content(engine, Range.all())).hasToString("{a=2, b=2, d=4}");
            assertThat(text(engine.child("c").get(bytes("x")))).isEqualTo("1");
            engine.checkpoint("third");
            MossException gone = catchThrowableOfType(MossException.class, () -> engine.revert("first"));
            assertThat(gone.reason()).isEqualTo(MossException.Reason.CHECKPOINT_GONE);
            assertThat(gone).hasMessageContaining("known=[second, third]");
            engine.dropCheckpoint("second");
            assertThat(engine.checkpoints()).hasSize(1);
            assertThat(Model.content(engine, Range.all())).hasSize(3);
        }
    }

    @Test
    void filesThatNobodyNeedsGoOnceTheirReadersHaveGone() throws IOException {
        try (MossEngine engine = builder().withoutThreads().open()) {
            for (int i = 0; i < 3; i++) {
                engine.put(bytes("key" + i), new byte[100], WriteOptions.NONE);
                engine.flush();
            }
            MossSnapshot snapshot = engine.snapshot();
            MossIterator iterator = snapshot.iterator();
            engine.compact();
            assertThat(sortedFiles()).hasSize(4);
            assertThat(Model.content(snapshot, Range.all())).hasSize(3);
            snapshot.close();
            assertThatThrownBy(iterator::next).isInstanceOf(EngineClosedException.class);
            iterator.close();
            assertThat(sortedFiles()).hasSize(1);
            assertThat(engine.size()).isEqualTo(3);
        }
    }

    @Test
    void aCompactionThatARevertOvertakesChangesNothing() throws IOException {
        try (MossEngine engine = builder().withoutThreads().open()) {
            engine.put(bytes("a"), bytes("1"), WriteOptions.NONE);
            engine.checkpoint("first");
            engine.put(bytes("b"), bytes("2"), WriteOptions.NONE);
            engine.flush();
            FileStore.Joined joined = engine.files().join(true, () -> false);
            engine.revert("first");
            engine.files().replace(joined).release();
            assertThat(Model.content(engine, Range.all())).hasToString("{a=1}");
        }
        try (MossEngine engine = builder().open()) {
            assertThat(Model.content(engine, Range.all())).hasToString("{a=1}");
        }
    }

    private List<String> sortedFiles() throws IOException {
        List<String> names = new ArrayList<>(disk.list());
        names.removeIf(name -> !name.startsWith("sorted-"));
        return names;
    }

    @Test
    void otherFilesAreLeftAloneAndOtherDirectoriesRefused() throws IOException {
        disk.create("notes.txt", 0).close();
        assertThatThrownBy(() -> builder().open())
                .isInstanceOf(UnsupportedFormatException.class)
                .hasMessageContaining("notes.txt");
        builder().createAmongOtherFiles(true).open().close();
        builder().open().close();
        assertThat(disk.list()).contains("notes.txt");
        assertThatThrownBy(() -> MossEngine.builder(DIRECTORY)
                        .io(new CrashableIoManager().factory())
                        .createIfMissing(false)
                        .open())
                .isInstanceOf(UnsupportedFormatException.class);
    }
}
