package dev.caskwright.moss;

import static dev.caskwright.moss.Model.bytes;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;
import static org.assertj.core.api.Assertions.catchThrowableOfType;

import dev.caskwright.api.EngineException;
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
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutionException;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;
import org.junit.jupiter.params.provider.EnumSource.Mode;

/** Every token comes to an end, whatever fails: as durable, or with the cause why its batch never will be. */
@Timeout(value = 60, unit = TimeUnit.SECONDS)
final class CommitTokenTest {
    private static final Path DIRECTORY = Path.of("/simulated/moss");

    private final CrashableIoManager disk = new CrashableIoManager();

    private MossBuilder builder() {
        return MossEngine.builder(DIRECTORY).io(disk.factory()).mergeOperator(new Append());
    }

    private static CommitToken commit(MossEngine engine, String key, WriteOptions options) throws IOException {
        return engine.commit(new MossBatch().put(bytes(key), bytes("1")), options);
    }

    @ParameterizedTest
    @EnumSource(value = Fault.class, names = "INTERRUPT", mode = Mode.EXCLUDE)
    void everyTokenHasEndedWhenTheEngineIsClosedWhicheverCallFailed(Fault fault) throws IOException {
        for (int n = 0; ; n++) {
            FaultPlan plan = FaultPlan.failing(n).with(fault);
            List<CompletableFuture<Void>> futures = new ArrayList<>();
            try (MossEngine engine = MossEngine.builder(DIRECTORY)
                    .io(plan.wrap(new CrashableIoManager().logging(false).factory()))
                    .withoutThreads()
                    .open()) {
                commitAndFlush(engine, futures);
            } catch (IOException | IllegalStateException | OutOfMemoryError e) {
                assertThat(plan.hasFired()).as("call %s: %s", n, e).isTrue();
            }
            assertThat(futures).as("call %s, %s", n, plan).allMatch(CompletableFuture::isDone);
            if (!plan.hasFired()) {
                assertThat(futures).hasSize(9).noneMatch(CompletableFuture::isCompletedExceptionally);
                return;
            }
        }
    }

    private static void commitAndFlush(MossEngine engine, List<CompletableFuture<Void>> futures) throws IOException {
        for (int i = 0; i < 3; i++) {
            futures.add(commit(engine, "none" + i, WriteOptions.NONE).future());
            futures.add(commit(engine, "write" + i, WriteOptions.WRITE).future());
            futures.add(commit(engine, "sync" + i, WriteOptions.SYNC).future());
            engine.flush();
        }
    }

    @Test
    void aTokenEndsThoughTheLogThatHadItCannotBeRemoved() throws IOException {
        FaultPlan plan =
                FaultPlan.failing(0).only(IoOperation.DELETE).fromThenOn().with(Fault.OUT_OF_MEMORY);
        try (MossEngine engine =
                builder().io(plan.wrap(disk.factory())).withoutThreads().open()) {
            CompletableFuture<Void> future =
                    commit(engine, "a", WriteOptions.WRITE).future();
            assertThatThrownBy(engine::flush).isInstanceOf(OutOfMemoryError.class);
            assertThat(future).isCompleted();
            plan.stop();
        }
    }

    @Test
    void aTokenOfAStoreInMemoryFailsAtOnce() throws IOException {
        try (MossEngine engine = MossEngine.inMemory().open()) {
            CommitToken token = commit(engine, "a", WriteOptions.NONE);
            ExecutionException failed = catchThrowableOfType(
                    ExecutionException.class, () -> token.future().get());
            assertThat(failed.getCause()).isInstanceOf(MossException.class).hasMessageContaining("with a directory");
            assertThatThrownBy(token::awaitDurable)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("with a directory");
        }
    }

    @Test
    void whatAListenerThrowsKeepsNoOtherTokenFromItsEnd() throws IOException {
        try (MossEngine engine = builder().withoutThreads().open()) {
            CompletableFuture<Void> first =
                    commit(engine, "a", WriteOptions.NONE).future();
            CompletableFuture<Void> chained = first.thenRun(() -> {
                throw new StackOverflowError("a listener's");
            });
            CompletableFuture<Void> second =
                    commit(engine, "b", WriteOptions.NONE).future();
            engine.flush();
            assertThat(first).isCompleted();
            assertThat(chained).isCompletedExceptionally();
            assertThat(second).isCompleted();
            assertThat(engine.health()).isNull();
        }
    }

    @Test
    void whatHangsOnATokenRunsUnderNoLockOfTheEngine() throws Exception {
        FaultPlan failing = FaultPlan.failing(4).only(IoOperation.WRITE);
        try (MossEngine engine =
                builder().io(failing.wrap(disk.factory())).withoutThreads().open()) {
            CompletableFuture<Boolean> isLocked = commit(engine, "a", WriteOptions.NONE)
                    .future()
                    .handle((done, cause) -> engine.store().lock.isHeldByCurrentThread()
                            || engine.store().below.isHeldByCurrentThread());
            int written = 0;
            while (!failing.hasFired()) {
                try {
                    commit(engine, "b" + written++, WriteOptions.WRITE);
                } catch (EngineException e) {
                    assertThat(failing.hasFired()).as("%s", e).isTrue();
                }
            }
            assertThat(isLocked.get(30, TimeUnit.SECONDS)).isFalse();
        }
    }

    @Test
    void aListenerMayCloseTheEngine() throws Exception {
        MossEngine engine = builder().persistAfter(Duration.ofMillis(1)).open();
        CompletableFuture<Void> closed = commit(engine, "a", WriteOptions.NONE)
                .future()
                .thenRun(() -> {
                    try {
                        engine.close();
                    } catch (IOException e) {
                        throw new IllegalStateException(e);
                    }
                });
        closed.get(30, TimeUnit.SECONDS);
        try (MossEngine next = builder().open()) {
            assertThat(next.get(bytes("a"))).isNotNull();
        }
    }

    @Test
    void tokensOfWritesThatARevertTookBackFail() throws Exception {
        try (MossEngine engine = builder().withoutThreads().open()) {
            engine.put(bytes("a"), bytes("1"));
            engine.checkpoint("before");
            CommitToken token = commit(engine, "b", WriteOptions.NONE);
            CompletableFuture<Void> future = token.future();
            engine.revert("before");
            ExecutionException failed = catchThrowableOfType(ExecutionException.class, future::get);
            assertThat(failed.getCause()).isInstanceOf(MossException.class).hasMessageContaining("name=before");
            CommitToken next = commit(engine, "c", WriteOptions.SYNC);
            assertThat(next.future()).isCompleted();
            assertThat(token.isDurable()).isFalse();
            assertThat(token.future()).isCompletedExceptionally();
            assertThatThrownBy(token::awaitDurable)
                    .isInstanceOf(EngineException.class)
                    .hasMessageContaining("went back");
        }
    }
}
