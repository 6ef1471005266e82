package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.CommitTimer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.Deque;

/** A timer that runs what is due when it is told to, in the thread that tells. */
public final class ManualTimer implements CommitTimer {
    private record Task(Duration delay, Runnable work) {}

    private final Deque<Task> tasks = new ArrayDeque<>();

    @Override
    public synchronized void schedule(Duration delay, Runnable task) {
        tasks.add(new Task(delay, task));
    }

    /** Runs all tasks that wait. */
    public void runAll() {
        for (Task task = next(); task != null; task = next()) {
            task.work.run();
        }
    }

    private synchronized Task next() {
        return tasks.poll();
    }

    /** Returns how many tasks wait for a delay. */
    public synchronized long waiting(Duration delay) {
        return tasks.stream().filter(task -> task.delay.equals(delay)).count();
    }

    @Override
    public synchronized void close() {
        tasks.clear();
    }
}
