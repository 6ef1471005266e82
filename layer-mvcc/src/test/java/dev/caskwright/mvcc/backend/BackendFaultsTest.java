package dev.caskwright.mvcc.backend;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.Outcome;
import dev.caskwright.mvcc.ManualTimer;
import dev.caskwright.testkit.CrashableIoManager;
import java.io.IOException;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.junit.jupiter.api.BeforeEach;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Every token is told, whatever the caller, the timer or the engine throws, and nobody who has done nothing wrong is harmed. */
@Timeout(
        value = 1,
        unit = TimeUnit.MINUTES,
        threadMode = Timeout.ThreadMode.SEPARATE_THREAD) // for a token that is never told
final class BackendFaultsTest {
    private static final Bucket BUCKET = new Bucket(0, "one", false);
    private static final AssertionError SIMULATED = new AssertionError("simulated");

    private final ManualTimer timer = new ManualTimer();
    private final CrashableIoManager disk = new CrashableIoManager();
    private HookedStore store;

    @BeforeEach
    void makeTheStore() throws IOException {
        store = new HookedStore(Stores.BOLT.open(Path.of("/simulated"), disk.factory(), List.of(BUCKET)));
    }

    private BatchedBackend open(CommitTimer runner) {
        return new BatchedBackend(store, List.of(BUCKET), BackendOptions.DEFAULT, runner);
    }

    private static CommitToken put(BatchedBackend backend, String key) throws IOException {
        try (WriteTransaction transaction = backend.begin()) {
            transaction.put(BUCKET, key.getBytes(), "value".getBytes());
            return transaction.commit();
        }
    }

    private static boolean isThere(BatchedBackend backend, String key) throws IOException {
        try (BackendView view = backend.openView()) {
            return view.get(BUCKET, key.getBytes()) != null;
        }
    }

    private static void fail() {
        throw SIMULATED;
    }

    @Test
    void aCallerThatThrowsWhenItsWriteBecomesVisibleKeepsNoTokenFromBeingTold() throws Exception {
        try (BatchedBackend backend = open(timer)) {
            AtomicReference<CommitToken> token = new AtomicReference<>();
            try (WriteTransaction transaction = backend.begin()) {
                transaction.put(BUCKET, "key".getBytes(), "value".getBytes());
                assertThatThrownBy(() -> transaction.commit(given -> {
                            token.set(given);
                            fail();
                        }))
                        .isSameAs(SIMULATED);
            }
            CommitToken next = put(backend, "next");
            timer.runAll();
            token.get().await();
            next.await();
            assertThat(isThere(backend, "key")).isTrue();
        }
    }

    @Test
    void anActionThatThrowsAfterACommitKeepsNoOtherFromBeingDone() throws Exception {
        try (BatchedBackend backend = open(timer)) {
            List<String> done = new ArrayList<>();
            CommitToken token = put(backend, "key");
            token.whenDone(BackendFaultsTest::fail);
            token.whenDone(() -> done.add("second"));
            backend.commit();
            assertThat(done).containsExactly("second");
            assertThat(backend.stats().lastFailure()).isSameAs(SIMULATED);
            CommitToken failing = put(backend, "failing");
            failing.whenDone(BackendFaultsTest::fail);
            AtomicReference<CommitToken> onTop = new AtomicReference<>();
            store.beforeNextCommit(() -> {
                onTop.set(put(backend, "on top"));
                throw new IOException("failed (simulated)");
            });
            timer.runAll();
            assertThatThrownBy(failing::await).isInstanceOf(EngineException.class);
            assertThatThrownBy(onTop.get()::await)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.NOT_APPLIED));
        }
    }

    /** A timer that refuses what it is given, for a time. */
    private static final class RefusingTimer implements CommitTimer {
        private boolean isRefusing = true;
        private int taken;

        @Override
        public void schedule(Duration delay, Runnable task) {
            if (isRefusing) {
                throw new RejectedExecutionException("refused (simulated)");
            }
            taken++;
        }

        @Override
        public void close() {
            throw new IllegalStateException("cannot be closed (simulated)");
        }
    }

    @Test
    void aTimerThatRefusesLetsWritersCommitThemselvesAndIsAskedAgain() throws Exception {
        RefusingTimer refusing = new RefusingTimer();
        BatchedBackend backend = open(refusing);
        assertThat(put(backend, "first").isDone()).isTrue();
        assertThat(put(backend, "second").isDone()).isTrue();
        assertThat(backend.stats().lastFailure()).isInstanceOf(RejectedExecutionException.class);
        refusing.isRefusing = false;
        CommitToken third = put(backend, "third");
        assertThat(third.isDone()).isFalse();
        assertThat(refusing.taken).isEqualTo(1);
        assertThatThrownBy(backend::close).hasRootCauseMessage("cannot be closed (simulated)");
        assertThat(third.isDone()).isTrue();
        // The store was closed all the same: its file can be opened again.
        store = new HookedStore(Stores.BOLT.open(Path.of("/simulated"), disk.factory(), List.of(BUCKET)));
        try (BatchedBackend again = open(timer)) {
            assertThat(isThere(again, "third")).isTrue();
        }
    }

    @Test
    void aListenerThatThrowsKeepsNoTokenFromBeingTold() throws Exception {
        try (BatchedBackend backend = open(timer)) {
            backend.onDiscard(cause -> fail());
            AtomicReference<CommitToken> onTop = new AtomicReference<>();
            CommitToken token = put(backend, "key");
            store.beforeNextCommit(() -> {
                onTop.set(put(backend, "on top"));
                throw new IOException("failed (simulated)");
            });
            assertThatThrownBy(backend::commit).hasRootCauseMessage("failed (simulated)");
            assertThatThrownBy(token::await).hasRootCauseMessage("failed (simulated)");
            assertThatThrownBy(onTop.get()::await).hasRootCauseMessage("failed (simulated)");
            assertThat(isThere(backend, "key")).isFalse();
        }
    }

    @Test
    void anErrorOfTheEngineIsToldToTheTokens() throws Exception {
        try (BatchedBackend backend = open(timer)) {
            CommitToken token = put(backend, "key");
            store.beforeNextCommit(BackendFaultsTest::fail);
            timer.runAll();
            assertThatThrownBy(token::await)
                    .isInstanceOfSatisfying(
                            EngineException.class, e -> assertThat(e.outcome()).isEqualTo(Outcome.UNKNOWN))
                    .hasCause(SIMULATED);
            CommitToken next = put(backend, "next");
            timer.runAll();
            next.await();
        }
    }

    @Test
    void aTransactionThatWroteNothingDuringACommitWaitsForThatCommit() throws Exception {
        try (BatchedBackend backend = open(timer)) {
            put(backend, "key");
            AtomicReference<CommitToken> reader = new AtomicReference<>();
            store.beforeNextCommit(() -> {
                try (WriteTransaction transaction = backend.begin()) {
                    reader.set(transaction.commit());
                }
                assertThat(reader.get().isDone()).isFalse();
            });
            backend.commit();
            assertThat(reader.get().isDone()).isTrue();
        }
    }

    @Test
    void theBackendMayBeClosedByWhatIsDoneAfterACommit() throws Exception {
        BatchedBackend backend = new BatchedBackend(
                store,
                List.of(BUCKET),
                new BackendOptions(1, 1 << 20, Duration.ofMillis(1)),
                CommitTimer.daemon("commits"));
        AtomicReference<Throwable> failure = new AtomicReference<>();
        AtomicReference<Thread> closing = new AtomicReference<>();
        CommitToken token;
        try (WriteTransaction transaction = backend.begin()) {
            transaction.put(BUCKET, "key".getBytes(), "value".getBytes());
            token = transaction.commit(given -> given.whenDone(() -> {
                closing.set(Thread.currentThread());
                try {
                    backend.close();
                } catch (IOException | RuntimeException e) {
                    failure.set(e);
                }
            }));
        }
        token.await();
        backend.close();
        closing.get().join();
        assertThat(failure.get()).isNull();
        assertThatThrownBy(backend::begin).isInstanceOf(EngineClosedException.class);
    }

    @Test
    void closingWithinATransactionIsRefusedAndClosesNothing() throws Exception {
        BatchedBackend backend = open(timer);
        try (WriteTransaction transaction = backend.begin()) {
            transaction.put(BUCKET, "key".getBytes(), "value".getBytes());
            assertThatThrownBy(backend::close).isInstanceOf(IllegalStateException.class);
            transaction.commit();
        }
        backend.close();
        store = new HookedStore(Stores.BOLT.open(Path.of("/simulated"), disk.factory(), List.of(BUCKET)));
        try (BatchedBackend again = open(timer)) {
            assertThat(isThere(again, "key")).isTrue();
        }
    }
}
