package dev.caskwright.mvcc.backend;

import java.time.Duration;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledThreadPoolExecutor;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/** Runs tasks later. A test gives one that runs them when it says so. Safe for any number of threads. */
public interface CommitTimer extends AutoCloseable {
    /** Runs a task once, in a thread of the timer, after a time that may be zero. A task does not throw. */
    void schedule(Duration delay, Runnable task);

    /** Starts no more tasks, and waits for the one that runs, unless it is that one which closes. */
    @Override
    void close();

    /** Returns a timer with a daemon thread of its own. */
    static CommitTimer daemon(String threadName) {
        AtomicReference<@Nullable Thread> own = new AtomicReference<>();
        ScheduledThreadPoolExecutor executor = new ScheduledThreadPoolExecutor(1, task -> {
            Thread thread = new Thread(task, threadName);
            thread.setDaemon(true);
            own.set(thread);
            return thread;
        });
        executor.setExecuteExistingDelayedTasksAfterShutdownPolicy(false);
        return new CommitTimer() {
            @Override
            @SuppressWarnings("FutureReturnValueIgnored") // a task does not throw
            public void schedule(Duration delay, Runnable task) {
                try {
                    executor.schedule(task, delay.toNanos(), TimeUnit.NANOSECONDS);
                } catch (RejectedExecutionException e) {
                    if (!executor.isShutdown()) { // otherwise it is closed, and starts no more tasks
                        throw e;
                    }
                }
            }

            @Override
            public void close() {
                executor.shutdown();
                boolean isInterrupted = false;
                while (own.get() != Thread.currentThread()) {
                    try {
                        if (executor.awaitTermination(1, TimeUnit.DAYS)) {
                            break;
                        }
                    } catch (InterruptedException e) {
                        isInterrupted = true;
                    }
                }
                if (isInterrupted) {
                    Thread.currentThread().interrupt();
                }
            }
        };
    }
}
