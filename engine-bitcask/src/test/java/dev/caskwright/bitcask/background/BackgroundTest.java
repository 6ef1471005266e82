package dev.caskwright.bitcask.background;

import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.bitcask.background.BackgroundThreads.Work;
import dev.caskwright.testkit.TestExecutor;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Queue;
import java.util.concurrent.BlockingQueue;
import java.util.concurrent.ConcurrentLinkedQueue;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.Executor;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.EnumSource;

/** Background work over executors of every kind: it runs, once, never nested, and again after trouble. */
@Timeout(60)
final class BackgroundTest {
    private final BlockingQueue<Runnable> later = new LinkedBlockingQueue<>();
    private final Queue<Long> pauses = new ConcurrentLinkedQueue<>();
    private final AtomicBoolean isSound = new AtomicBoolean(true);

    private Background background(@Nullable Executor executor) {
        return new Background(
                executor,
                (millis, action) -> {
                    pauses.add(millis);
                    later.add(action);
                },
                isSound::get);
    }

    @ParameterizedTest
    @EnumSource(names = {"IN_CALLER", "NESTED", "LATER"})
    void tasksDoNotRunWithinEachOtherOrWithinACall(TestExecutor.Mode mode) {
        TestExecutor executor = new TestExecutor(mode);
        AtomicInteger depth = new AtomicInteger();
        AtomicInteger runs = new AtomicInteger();
        try (Background background = background(executor)) {
            Background.Task[] tasks = new Background.Task[2];
            for (int i = 0; i < 2; i++) {
                int other = 1 - i;
                tasks[i] = background.task("task " + i, Work.LONG, () -> {
                    assertThat(depth.incrementAndGet()).as("nested").isEqualTo(1);
                    if (runs.incrementAndGet() < 10) {
                        tasks[other].request();
                        background.handOver();
                    }
                    depth.decrementAndGet();
                });
            }
            boolean wasEntered = background.enter();
            depth.incrementAndGet();
            tasks[0].request();
            background.handOver();
            assertThat(runs).as("within a call").hasValue(0);
            depth.decrementAndGet();
            background.exit(wasEntered);
            while (runs.get() < 10) {
                executor.runAll();
                background.handOver();
            }
            assertThat(runs).hasValue(10);
            assertThat(background.retries()).isEmpty();
        }
    }

    @Test
    void aTaskThatIsAskedForManyTimesBeforeItBeginsRunsOnce() {
        TestExecutor executor = new TestExecutor(TestExecutor.Mode.LATER);
        AtomicInteger runs = new AtomicInteger();
        try (Background background = background(executor)) {
            Background.Task task = background.task("task", Work.SHORT, runs::incrementAndGet);
            for (int i = 0; i < 5; i++) {
                task.request();
                background.handOver();
            }
            executor.runAll();
            assertThat(runs).hasValue(1);
            task.request();
            background.handOver();
            executor.runAll();
            assertThat(runs).as("asked for afterwards").hasValue(2);
        }
    }

    @Test
    void whatFailsIsRunAgainAfterGrowingPauses() throws InterruptedException {
        TestExecutor executor = new TestExecutor(TestExecutor.Mode.IN_CALLER);
        AtomicInteger runs = new AtomicInteger();
        try (Background background = background(executor)) {
            Background.Task task = background.task("a merge", Work.LONG, () -> {
                int run = runs.incrementAndGet();
                if (run == 2) {
                    throw new OutOfMemoryError("planted");
                }
                if (run <= 3) {
                    throw new IOException("planted");
                }
            });
            task.request();
            background.handOver();
            assertThat(background.retries()).hasSize(1);
            assertThat(background.retries().get(0).task()).isEqualTo("a merge");
            for (int i = 1; i <= 3; i++) {
                assertThat(runs).hasValue(i);
                runPause(background);
                awaitRuns(background, runs, i + 1);
            }
            assertThat(new ArrayList<>(pauses))
                    .isSorted()
                    .doesNotHaveDuplicates()
                    .hasSize(3);
            awaitNoRetries(background);
        }
    }

    private void runPause(Background background) throws InterruptedException {
        later.take().run();
        background.handOver();
    }

    /** The process may have handed the task over in a thread of its own. */
    private static void awaitRuns(Background background, AtomicInteger runs, int expected) {
        while (runs.get() < expected) {
            background.handOver();
            Thread.onSpinWait();
        }
    }

    private static void awaitNoRetries(Background background) {
        while (!background.retries().isEmpty()) {
            Thread.onSpinWait();
        }
    }

    @Test
    void whatIsRefusedIsRunLaterAndWhatIsVitalAtOnce() throws InterruptedException {
        TestExecutor executor = new TestExecutor(TestExecutor.Mode.REFUSED);
        AtomicInteger runs = new AtomicInteger();
        CountDownLatch vitalRun = new CountDownLatch(1);
        try (Background background = background(executor)) {
            Background.Task task = background.task("task", Work.SHORT, runs::incrementAndGet);
            Background.Task vital = background.vitalTask("vital", Work.SHORT, vitalRun::countDown);
            task.request();
            vital.request();
            background.handOver(); // throws nothing
            vitalRun.await();
            assertThat(runs).hasValue(0);
            assertThat(background.retries()).hasSize(1);
            executor.mode(TestExecutor.Mode.IN_CALLER);
            runPause(background);
            awaitRuns(background, runs, 1);
            awaitNoRetries(background);
        }
    }

    @Test
    void aStoreThatHasFailedTriesNothingAgain() {
        TestExecutor executor = new TestExecutor(TestExecutor.Mode.IN_CALLER);
        try (Background background = background(executor)) {
            Background.Task task = background.task("task", Work.SHORT, () -> {
                isSound.set(false);
                throw new IOException("planted");
            });
            task.request();
            background.handOver();
            assertThat(later).isEmpty();
        }
    }

    @Test
    void closingDropsWhatHasNotBegunAndWaitsForWhatRuns() throws Exception {
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch mayEnd = new CountDownLatch(1);
        AtomicBoolean hasEnded = new AtomicBoolean();
        AtomicInteger others = new AtomicInteger();
        Background background = background(null);
        Background.Task running = background.task("running", Work.LONG, () -> {
            begun.countDown();
            awaitQuietly(mayEnd);
            hasEnded.set(true);
        });
        running.request();
        background.handOver();
        begun.await();
        Background.Task late = background.task("late", Work.LONG, others::incrementAndGet);
        AtomicBoolean sawEnd = new AtomicBoolean();
        Thread closer = new Thread(() -> {
            background.close();
            sawEnd.set(hasEnded.get());
        });
        closer.start();
        while (closer.getState() != Thread.State.TIMED_WAITING && closer.getState() != Thread.State.WAITING) {
            assertThat(closer.isAlive()).as("closing has not waited").isTrue();
            Thread.onSpinWait();
        }
        late.request();
        background.handOver();
        mayEnd.countDown();
        closer.join();
        assertThat(sawEnd).isTrue();
        assertThat(others).hasValue(0);
    }

    private static void awaitQuietly(CountDownLatch latch) {
        try {
            latch.await();
        } catch (InterruptedException e) {
            throw new IllegalStateException(e);
        }
    }

    // ---------------------------------------------------------------- threads

    /** A store with a thousand tasks lets another one have its turn after each. */
    @Test
    void storesTakeTurns() throws Exception {
        BackgroundThreads threads = new BackgroundThreads(1, 1, 1);
        List<String> order = new ArrayList<>(); // by the one thread
        CountDownLatch begun = new CountDownLatch(1);
        CountDownLatch go = new CountDownLatch(1);
        CountDownLatch done = new CountDownLatch(103);
        try (BackgroundThreads.Share greedy = threads.share();
                BackgroundThreads.Share modest = threads.share()) {
            greedy.execute(Work.LONG, () -> {
                begun.countDown();
                awaitQuietly(go);
            });
            begun.await();
            for (int i = 0; i < 100; i++) {
                greedy.execute(Work.LONG, () -> note(order, "greedy", done));
            }
            for (int i = 0; i < 3; i++) {
                modest.execute(Work.LONG, () -> note(order, "modest", done));
            }
            go.countDown();
            done.await();
        }
        assertThat(order.subList(0, 6)).containsExactly("greedy", "modest", "greedy", "modest", "greedy", "modest");
    }

    private static void note(List<String> order, String name, CountDownLatch done) {
        order.add(name);
        done.countDown();
    }

    /** Long work does not hold up short work, and what is paced holds up nothing. */
    @Test
    void eachKindOfWorkHasThreadsOfItsOwn() throws Exception {
        BackgroundThreads threads = new BackgroundThreads(1, 1, 1);
        CountDownLatch go = new CountDownLatch(1);
        try (BackgroundThreads.Share share = threads.share()) {
            for (Work kind : List.of(Work.LONG, Work.PACED, Work.PACED)) {
                share.execute(kind, () -> awaitQuietly(go));
            }
            CountDownLatch ran = new CountDownLatch(2);
            share.execute(Work.SHORT, ran::countDown);
            share.execute(Work.PACED, ran::countDown);
            ran.await();
            go.countDown();
        }
    }

    @Test
    void threadsEndWithTheLastShareAndComeBack() throws Exception {
        BackgroundThreads threads = new BackgroundThreads(2, 2, Long.MAX_VALUE / 4);
        for (int round = 0; round < 3; round++) {
            List<Thread> used = new ArrayList<>();
            BackgroundThreads.Share first = threads.share();
            try (BackgroundThreads.Share second = threads.share()) {
                CountDownLatch ran = new CountDownLatch(1);
                second.execute(Work.SHORT, () -> {
                    used.add(Thread.currentThread());
                    ran.countDown();
                });
                ran.await();
            }
            CountDownLatch ran = new CountDownLatch(1);
            first.execute(Work.SHORT, ran::countDown); // the other store's close has ended nothing of this one
            ran.await();
            first.close();
            first.execute(Work.SHORT, () -> used.clear());
            used.get(0).join();
            assertThat(used).hasSize(1);
        }
    }

    @Test
    void aTaskThatThrowsDoesNotEndItsThread() throws Exception {
        BackgroundThreads threads = new BackgroundThreads(1, 1, Long.MAX_VALUE / 4);
        try (BackgroundThreads.Share share = threads.share()) {
            List<Thread> used = new ArrayList<>();
            CountDownLatch ran = new CountDownLatch(1);
            share.execute(Work.SHORT, () -> {
                used.add(Thread.currentThread());
                Thread.currentThread().interrupt();
                throw new OutOfMemoryError("planted");
            });
            share.execute(Work.SHORT, () -> {
                assertThat(Thread.currentThread().isInterrupted()).isFalse();
                used.add(Thread.currentThread());
                ran.countDown();
            });
            ran.await();
            assertThat(used.get(1)).isSameAs(used.get(0));
        }
    }
}
