package dev.caskwright.bitcask.background;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.Retry;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.bitcask.background.BackgroundThreads.Work;
import java.io.Closeable;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.Executor;
import java.util.concurrent.TimeUnit;
import java.util.function.BooleanSupplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The background work of one store, and who runs it: the threads of this process, or an executor of the user's.
 *
 * <p><b>Asking and handing over.</b> A task is asked for anywhere, also under locks: that only leaves a note. It is handed to
 * the executor by {@link #handOver}, which the engine calls where it holds nothing: at the end of a write, of a merge, and
 * of a task. So an executor that runs tasks in the caller, blocks or throws does so where it does no harm, and a task never
 * runs within another, a merge or a write.
 *
 * <p><b>Trouble.</b> A task that throws has changed nothing that matters, or has made the store fail. In the first case it is
 * run again, after pauses that grow, and so is a task that the executor refused. {@link #retries} tells of both.
 *
 * <p>A task that is asked for again before it has begun runs once, and never beside itself.
 */
public final class Background implements Executor, Closeable {
    private static final long FIRST_PAUSE_MILLIS = 100;
    private static final long LONGEST_PAUSE_MILLIS = 600_000;

    /** After so long an executor that has not begun a task is handed it again: it may have dropped it. */
    private static final long FORGOTTEN_NANOS = TimeUnit.MINUTES.toNanos(1);

    /** What a task does. */
    @FunctionalInterface
    public interface Body {
        void run() throws IOException;
    }

    /** Runs actions after a number of milliseconds. */
    @FunctionalInterface
    public interface Timer {
        void after(long millis, Runnable action);
    }

    private final @Nullable Executor executor;
    private final Timer retryTimer;
    private final BooleanSupplier isSound;
    private final BackgroundThreads.Share threads = BackgroundThreads.shared().share();
    private final Set<Thread> inside = ConcurrentHashMap.newKeySet();

    @GuardedBy("this") private final List<Task> tasks = new ArrayList<>();

    @GuardedBy("this") private final Map<Runnable, Task> ofTheLog = new HashMap<>();

    @GuardedBy("this") private boolean closed;

    private volatile boolean isAnyDue;

    /**
     * @param executor the user's, or null
     * @param retryTimer runs what is to be tried again, or null for one of the process
     * @param isSound whether the store has not failed: then nothing is tried again
     */
    public Background(@Nullable Executor executor, @Nullable Timer retryTimer, BooleanSupplier isSound) {
        this.executor = executor;
        this.retryTimer = retryTimer == null ? this::after : retryTimer;
        this.isSound = isSound;
    }

    /** Runs a short action after some time, in a thread of the process; not after {@link #close}. */
    void after(long millis, Runnable action) {
        threads.after(TimeUnit.MILLISECONDS.toNanos(millis), action);
    }

    /** Runs a short action again and again, as {@link #after} runs it once. */
    public void every(long millis, Runnable action) {
        threads.every(TimeUnit.MILLISECONDS.toNanos(millis), action);
    }

    /** Asks for a task again and again. */
    public void requestEvery(long millis, Task task) {
        every(millis, () -> {
            task.request();
            handOverFromTimer();
        });
    }

    private void handOverFromTimer() {
        if (executor == null) {
            handOver();
        } else {
            threads.execute(Work.LONG, this::handOver); // the executor may run it in the caller
        }
    }

    /** Makes a task of this store. */
    public Task task(String name, Work work, Body body) {
        return add(new Task(name, work, false, body));
    }

    /** Makes a task that runs in a thread of the process if the executor refuses it. */
    public Task vitalTask(String name, Work work, Body body) {
        return add(new Task(name, work, true, body));
    }

    /**
     * Has a task run in a thread of the process, whatever the executor is. Throws nothing but what the system does that has
     * no thread.
     */
    public void executeOnProcess(Task task) {
        task.request();
        synchronized (this) {
            if (closed) {
                return;
            }
            task.isHandedOver = true;
            task.handedOverNanos = System.nanoTime();
        }
        threads.execute(task.work, task);
    }

    /**
     * Has something run in a thread of the process, whatever the executor is, unless the store closes before.
     *
     * @throws java.util.concurrent.RejectedExecutionException if there is no thread to run it and none can be started
     */
    public void executeOnProcess(Runnable action) {
        threads.execute(Work.SHORT, action);
    }

    private synchronized Task add(Task task) {
        tasks.add(task);
        return task;
    }

    /** Asks for a task of the log. One that throws is run again later. */
    @Override
    public void execute(Runnable work) {
        Task task;
        synchronized (this) {
            task = ofTheLog.get(work);
            if (task == null) {
                task = new Task(work.toString(), Work.SHORT, false, work::run);
                ofTheLog.put(work, task);
                add(task);
            }
        }
        task.request();
    }

    /** Notes that this thread is in the middle of something within which no task may run; returns whether that is new. */
    public boolean enter() {
        return inside.add(Thread.currentThread());
    }

    /** Ends what {@link #enter} began, if that was new, and hands over what was asked for meanwhile. */
    public void exit(boolean wasEntered) {
        if (wasEntered) {
            inside.remove(Thread.currentThread());
            handOver();
        }
    }

    /** Returns whether this thread is in a task, a merge or the like of this store. */
    public boolean isInside() {
        return inside.contains(Thread.currentThread());
    }

    /** Hands over what was asked for. Throws nothing. The caller holds no lock and is in no read epoch. */
    public void handOver() {
        if (isAnyDue) {
            handOverDue();
        }
    }

    private void handOverDue() {
        boolean wasEntered = false;
        try {
            wasEntered = enter();
            if (wasEntered) {
                boolean goesOn = true;
                for (Task task = nextDue(); task != null && goesOn; task = goesOn ? nextDue() : null) {
                    goesOn = isHandedOver(task);
                }
            }
        } catch (RuntimeException | Error e) {
            // What is due stays so, and is handed over at the next occasion.
            warn("background work", "could not be handed over, will try again", e);
        } finally {
            if (wasEntered) {
                inside.remove(Thread.currentThread());
            }
        }
    }

    private synchronized @Nullable Task nextDue() {
        long now = System.nanoTime();
        for (int i = 0; i < tasks.size(); i++) {
            Task task = tasks.get(i);
            if (task.isDue(now)) {
                task.isHandedOver = true;
                task.handedOverNanos = now;
                return task;
            }
        }
        isAnyDue = false;
        return null;
    }

    /** Hands a task over, or leaves it for later; returns false if there is no memory even for that. */
    private boolean isHandedOver(Task task) {
        Executor given = executor;
        try {
            if (given == null) {
                threads.execute(task.work, task);
            } else {
                given.execute(task);
            }
        } catch (RuntimeException | Error e) {
            if (given == null || !task.isVital || !isTakenByProcess(task, e)) {
                return isRetriedLater(task, e, "was refused by the executor, will be tried again");
            }
        }
        return true;
    }

    private boolean isTakenByProcess(Task task, Throwable refusal) {
        try {
            threads.execute(task.work, task);
        } catch (RuntimeException | Error e) {
            Causes.add(refusal, e);
            return false;
        }
        if (!task.isRefusalTold) {
            task.isRefusalTold = true;
            warn(task.name, "is run by a thread of the process, the executor refuses it", refusal);
        }
        return true;
    }

    /** Has a task tried again after a pause, or if there is no memory for a timer, at the next occasion, and returns false. */
    private boolean isRetriedLater(Task task, Throwable cause, String what) {
        long pause;
        synchronized (this) {
            if (closed) {
                return true;
            }
            pause = task.fail(cause);
        }
        boolean isTimed = true;
        try {
            retryTimer.after(pause, task.again);
        } catch (RuntimeException | Error e) {
            isTimed = false;
            task.request();
        }
        if (Integer.bitCount(task.failures) == 1) {
            warn(task.name, what, cause);
        }
        return isTimed;
    }

    /** Logs, unless there is no memory for that: the work must go on. */
    private static void warn(String task, String what, Throwable cause) {
        try {
            logger().warn("{} {}: {}", task, what, cause.toString());
        } catch (RuntimeException | Error e) {
            Causes.add(cause, e);
        }
    }

    /** Returns what is being tried again. */
    public synchronized List<Retry> retries() {
        List<Retry> retries = new ArrayList<>();
        for (Task task : tasks) {
            Throwable cause = task.cause;
            if (cause != null) {
                long millis = TimeUnit.NANOSECONDS.toMillis(System.nanoTime() - task.failingSinceNanos);
                retries.add(new Retry(task.name, millis, task.failures, cause));
            }
        }
        return retries;
    }

    /**
     * Forgets what has not begun, lets nothing begin any more, and waits for what runs. Does not end for an interrupt, which
     * is kept: files must not be closed under a running task.
     */
    @Override
    public void close() {
        boolean isInterrupted = false;
        synchronized (this) {
            closed = true;
            isAnyDue = false;
            ofTheLog.clear();
        }
        threads.close();
        synchronized (this) {
            for (String running = running(); running != null; running = running()) {
                try {
                    wait(TimeUnit.MINUTES.toMillis(1));
                    logger().debug("waiting for the end of {}", running);
                } catch (InterruptedException e) {
                    isInterrupted = true;
                }
            }
            tasks.clear();
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }

    @GuardedBy("this") private @Nullable String running() {
        for (Task task : tasks) {
            if (task.isRunning) {
                return task.name;
            }
        }
        return null;
    }

    /** A piece of background work. */
    public final class Task implements Runnable {
        private final String name;
        private final Work work;
        private final boolean isVital;
        private final Body body;
        private volatile boolean isRequested; // changes under Background.this, which guards what follows
        private boolean isHandedOver;
        private boolean isRunning;
        private boolean isPausing;
        private volatile boolean isRefusalTold;
        private long handedOverNanos;
        private int failures;
        private long failingSinceNanos;
        private @Nullable Throwable cause;

        /** Made in time, for when there is no memory. */
        private final Runnable again = this::requestAgain;

        private Task(String name, Work work, boolean isVital, Body body) {
            this.name = name;
            this.work = work;
            this.isVital = isVital;
            this.body = body;
        }

        /** Asks for a run that begins after this. Throws nothing, and takes no memory. */
        public void request() {
            synchronized (Background.this) {
                if (!closed) {
                    isRequested = true;
                    isPausing = false;
                    isAnyDue |= !isRunning;
                }
            }
        }

        private void requestAgain() {
            request();
            handOverFromTimer();
        }

        /** As {@link #request}, for what is asked for at every write: does not cut a pause short. */
        public void requestOften() {
            if (!isRequested) {
                request();
            }
        }

        private boolean isDue(long now) {
            boolean isWithExecutor = isHandedOver && now - handedOverNanos < FORGOTTEN_NANOS;
            return isRequested && !isPausing && !isRunning && !isWithExecutor;
        }

        private long fail(Throwable failure) {
            isHandedOver = false;
            isRequested = true;
            isPausing = true;
            if (cause == null) {
                failingSinceNanos = System.nanoTime();
            }
            cause = failure;
            failures = Math.min(failures + 1, Integer.MAX_VALUE - 1);
            return Math.min(LONGEST_PAUSE_MILLIS, FIRST_PAUSE_MILLIS << Math.min(failures - 1, 20));
        }

        @Override
        public void run() {
            if (!begin()) {
                return;
            }
            boolean wasEntered = false;
            Throwable failure = null;
            try {
                wasEntered = enter();
                body.run();
            } catch (UncheckedIOException e) {
                failure = e.getCause();
            } catch (IOException | RuntimeException | Error e) {
                failure = e;
            } finally {
                try {
                    end(failure);
                } finally {
                    exit(wasEntered);
                }
            }
        }

        private boolean begin() {
            synchronized (Background.this) {
                isHandedOver = false;
                if (closed || !isRequested || isRunning) {
                    return false;
                }
                isRequested = false;
                isRunning = true;
                return true;
            }
        }

        private void end(@Nullable Throwable failure) {
            boolean hasRecovered = false;
            synchronized (Background.this) {
                isRunning = false;
                isAnyDue |= isRequested;
                if (failure == null && cause != null) {
                    hasRecovered = true;
                    cause = null;
                    failures = 0;
                }
                if (failure == null && !isRequested && ofTheLog.values().remove(this)) {
                    tasks.remove(this); // it is made again when it is asked for again
                }
                Background.this.notifyAll();
            }
            if (failure != null && isSound.getAsBoolean()) {
                isRetriedLater(this, failure, "failed before it changed anything, will be tried again");
            }
            if (hasRecovered) {
                logger().info("{} went well again", name);
            }
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(Background.class);
    }
}
