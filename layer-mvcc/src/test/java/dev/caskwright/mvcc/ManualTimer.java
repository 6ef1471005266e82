package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.CommitTimer;
import java.time.Duration;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Deque;
import java.util.List;

/** A timer that runs what is due when it is told to, in the thread that tells. */
public final class ManualTimer implements CommitTimer {
    private record Task(Duration delay, Runnable work) {}

    private final Deque<Task> tasks = new ArrayDeque<>();

    @Override
    public synchronized void schedule(Duration delay, Runnable task) {
        tasks.add(new Task(delay, task));
    }

    /** Runs all tasks that wait; those that they schedule wait for the next call. */
    public void runAll() {
        List<Task> due;
        synchronized (this) {
            due = new ArrayList<>(tasks);
            tasks.clear();
        }
        for (Task task : due) {
            task.work.run();
        }
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
