package dev.caskwright.testkit;

import java.util.ArrayDeque;
import java.util.Deque;
import java.util.List;
import java.util.Objects;
import java.util.SplittableRandom;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;

/**
 * An executor as users may give one to an engine: it runs tasks in the caller, or later, or nested in each other, refuses
 * them, or is shut down. What becomes of a task may change at any time. Safe for any number of threads.
 */
public final class TestExecutor implements Executor {
    /** What becomes of a task. */
    public enum Mode {
        /** It runs in the thread that hands it over, before that call returns. */
        IN_CALLER,
        /** It waits until the test calls {@link #runNext} or {@link #runAll}. */
        LATER,
        /** It waits; all tasks that waited before run first, in the thread that hands it over. */
        NESTED,
        /** It is refused with a {@link RejectedExecutionException}. */
        REFUSED,
        /** It is taken and never runs, as by a pool that is shut down at once and discards. */
        DROPPED
    }

    private static final List<Mode> MIXED = List.of(Mode.IN_CALLER, Mode.LATER, Mode.NESTED, Mode.REFUSED);

    private final Deque<Runnable> waiting = new ArrayDeque<>();
    private Mode mode;
    private SplittableRandom random = new SplittableRandom(0);
    private boolean isMixed;
    private boolean isShutDown;
    private long taken;
    private long refused;

    /** Makes an executor that treats all tasks alike, until {@link #mode(Mode)} is called. */
    public TestExecutor(Mode mode) {
        this.mode = Objects.requireNonNull(mode);
    }

    /** Returns an executor that chooses for each task by chance; no task is {@link Mode#DROPPED}. */
    public static TestExecutor mixed(long seed) {
        TestExecutor executor = new TestExecutor(Mode.LATER);
        executor.isMixed = true;
        executor.random = new SplittableRandom(seed);
        return executor;
    }

    /** Sets what becomes of the tasks that come from now on. */
    public synchronized void mode(Mode newMode) {
        mode = Objects.requireNonNull(newMode);
        isMixed = false;
    }

    /** Refuses every task from now on, and forgets those that wait: they never run. */
    public synchronized void shutDown() {
        isShutDown = true;
        waiting.clear();
    }

    @Override
    public void execute(Runnable task) {
        Objects.requireNonNull(task);
        Mode chosen;
        synchronized (this) {
            chosen = isShutDown ? Mode.REFUSED : isMixed ? MIXED.get(random.nextInt(MIXED.size())) : mode;
            if (chosen == Mode.REFUSED) {
                refused++;
                throw new RejectedExecutionException("refused (simulated): task=" + task);
            }
            taken++;
            if (chosen == Mode.LATER) {
                waiting.add(task);
            }
        }
        if (chosen == Mode.IN_CALLER) {
            task.run();
        } else if (chosen == Mode.NESTED) {
            runAll();
            synchronized (this) {
                waiting.add(task);
            }
        }
    }

    /** Runs the task that has waited longest, in this thread; returns whether there was one. */
    public boolean runNext() {
        Runnable task;
        synchronized (this) {
            task = waiting.poll();
        }
        if (task == null) {
            return false;
        }
        task.run();
        return true;
    }

    /** Runs tasks in this thread until none waits, those that come meanwhile included. */
    public void runAll() {
        while (runNext()) {
            // Each call runs one.
        }
    }

    /** Returns how many tasks wait. */
    public synchronized int waiting() {
        return waiting.size();
    }

    /** Returns how many tasks were taken. */
    public synchronized long taken() {
        return taken;
    }

    /** Returns how many tasks were refused. */
    public synchronized long refused() {
        return refused;
    }
}
