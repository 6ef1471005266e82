package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.Gate;
import dev.caskwright.testkit.IoOperation;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Executors;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.ValueSource;

/** Closing cancels what it can, waits for the rest, and is over when it returns, whoever called it first. */
@Timeout(60)
final class ClosingTest {
    private final CrashableIoManager disk = new CrashableIoManager();

    private static void awaitWaiting(Thread thread) {
        while (thread.getState() != Thread.State.TIMED_WAITING && thread.getState() != Thread.State.WAITING) {
            assertThat(thread.isAlive()).as("did not wait").isTrue();
            Thread.onSpinWait();
        }
    }

    private static FutureTask<@Nullable Void> started(Action action, AtomicReference<Thread> thread) {
        FutureTask<@Nullable Void> task = new FutureTask<>(() -> {
            action.run();
            return null;
        });
        thread.set(new Thread(task));
        thread.get().start();
        return task;
    }

    private interface Action {
        void run() throws IOException;
    }

    /** At a byte a second, the merge would take the better part of an hour. */
    @Test
    void closingDoesNotWaitForARateLimit() throws Exception {
        BitcaskEngine engine = CrashFixture.builder(HOME, disk.factory(HOME), new ManualClock())
                .mergeBytesPerSecond(1)
                .open();
        for (int i = 0; i < 40; i++) {
            engine.put(KeyValues.key(i), new byte[50]);
        }
        AtomicReference<Thread> merger = new AtomicReference<>();
        FutureTask<@Nullable Void> merge = started(engine::merge, merger);
        awaitWaiting(merger.get());
        engine.close();
        merge.get();
        try (BitcaskEngine next = CrashFixture.open(disk)) {
            assertThat(next.size()).isEqualTo(40);
        }
    }

    @Test
    void aSecondCloseReturnsWhenTheStoreIsClosed() throws Exception {
        Gate gate = new Gate(call -> call.operation() == IoOperation.FORCE);
        BitcaskEngine engine = CrashFixture.builder(HOME, gate.wrap(disk.factory(HOME)), new ManualClock())
                .open();
        engine.put(KeyValues.key(1), new byte[50]);
        gate.shut();
        AtomicReference<Thread> thread = new AtomicReference<>();
        FutureTask<@Nullable Void> first = started(engine::close, thread);
        gate.awaitWaiting(1);
        FutureTask<@Nullable Void> second = started(engine::close, thread);
        awaitWaiting(thread.get());
        assertThat(second.isDone()).isFalse();
        gate.open();
        second.get();
        // The lock is free: another engine may open the store at once.
        CrashFixture.open(disk).close();
        first.get();
    }

    /**
     * A pool that is shut down before the store refuses what the last writes and closing would have it do, and may drop what
     * it had in its queue.
     */
    @ParameterizedTest
    @ValueSource(booleans = {false, true})
    void anExecutorThatIsShutDownFirstHarmsNothing(boolean isQueueDropped) throws Exception {
        var pool = Executors.newSingleThreadExecutor();
        List<Runnable> dropped = new ArrayList<>();
        try (BitcaskEngine engine = CrashFixture.builder(HOME, disk.factory(HOME), new ManualClock())
                .executor(pool)
                .autoMerge(true)
                .open()) {
            for (int i = 0; i < 200; i++) {
                engine.put(KeyValues.key(i % 20), new byte[50]);
                if (i == 50) {
                    if (isQueueDropped) {
                        dropped.addAll(pool.shutdownNow());
                    } else {
                        pool.shutdown();
                    }
                    assertThat(pool.awaitTermination(1, TimeUnit.MINUTES)).isTrue();
                }
            }
            assertThat(engine.health()).isNull();
            // What a pool dropped without a word is handed to it again after a minute, which is not waited for here.
            if (dropped.isEmpty()) {
                assertThat(engine.retries()).isNotEmpty();
            }
        }
        try (BitcaskEngine next = CrashFixture.open(disk)) {
            assertThat(next.size()).isEqualTo(20);
        }
    }

    /** It would wait for itself. */
    @Test
    void aTaskOfTheStoreCannotCloseIt() throws IOException {
        AtomicReference<@Nullable BitcaskEngine> open = new AtomicReference<>();
        BitcaskEngine engine = CrashFixture.builder(HOME, disk.factory(HOME), new ManualClock())
                .executor(task -> {
                    task.run();
                    BitcaskEngine store = open.get();
                    if (store != null) {
                        assertThatThrownBy(store::close).isInstanceOf(IllegalStateException.class);
                    }
                })
                .open();
        open.set(engine);
        for (int i = 0; i < 40; i++) {
            engine.put(KeyValues.key(i), new byte[50]);
        }
        assertThat(engine.retries()).as("the executor threw").isEmpty();
        open.set(null);
        assertThat(engine.health()).isNull();
        engine.close();
    }
}
