package dev.caskwright.bitcask.background;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.spi.Causes;
import java.security.AccessController;
import java.security.PrivilegedAction;
import java.util.ArrayDeque;
import java.util.Deque;
import java.util.EnumMap;
import java.util.Map;
import java.util.PriorityQueue;
import java.util.Queue;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.locks.Condition;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The threads for background work that all stores of this process share.
 *
 * <p><b>Fairness.</b> Each kind of work has threads of its own, so that no merge holds up sealing or a sync. Within a kind
 * the stores that have work take turns, one task each. Work that mostly waits has no bound of threads.
 *
 * <p><b>Lifetime.</b> A thread starts when there is work and no idle one, and ends after some idle seconds, or at once when
 * the last store is closed. It keeps nothing of whoever needed it first: neither thread group, context class loader,
 * inherited thread locals nor access rights.
 */
public final class BackgroundThreads {
    /** The kinds of work. */
    public enum Work {
        /** Seals, forces, prepares space: writers wait if it does not keep up. */
        SHORT,
        /** Merges, saves and loads indexes. */
        LONG,
        /** Merges within a limit of bytes a second. */
        PACED
    }

    /** How long a thread waits that has no memory to wait with. */
    private static final long SHORTAGE_NANOS = 10_000_000;

    private static final BackgroundThreads SHARED = new BackgroundThreads(
            16, Math.max(4, 2 * Runtime.getRuntime().availableProcessors()), TimeUnit.SECONDS.toNanos(10));

    private final long idleNanos;
    private final ReentrantLock lock = new ReentrantLock();
    private final Map<Work, Lane> lanes = new EnumMap<>(Work.class);

    @GuardedBy("lock") private final PriorityQueue<Delayed> delayed = new PriorityQueue<>();

    private final Condition timerNeeded = lock.newCondition();

    @GuardedBy("lock") private boolean isTimerRunning;

    @GuardedBy("lock") private int shares;

    BackgroundThreads(int mostShort, int mostLong, long idleNanos) {
        this.idleNanos = idleNanos;
        lanes.put(Work.SHORT, new Lane(Work.SHORT, "caskwright-short", mostShort));
        lanes.put(Work.LONG, new Lane(Work.LONG, "caskwright-long", mostLong));
        lanes.put(Work.PACED, new Lane(Work.PACED, "caskwright-paced", Integer.MAX_VALUE));
    }

    /** Returns the threads of this process. */
    static BackgroundThreads shared() {
        return SHARED;
    }

    /** Returns the share of one more store. */
    Share share() {
        lock.lock();
        try {
            shares++;
        } finally {
            lock.unlock();
        }
        return new Share();
    }

    private Lane lane(Work work) {
        Lane lane = lanes.get(work);
        if (lane == null) {
            throw new IllegalStateException("no threads for " + work);
        }
        return lane;
    }

    /** What one store has waiting. Safe for any number of threads. */
    final class Share implements AutoCloseable {
        private final Map<Work, Queue<Runnable>> waiting = new EnumMap<>(Work.class); // guarded by the lock
        private boolean closed; // guarded by the lock

        private Share() {
            for (Work work : Work.values()) {
                waiting.put(work, new ArrayDeque<>());
            }
        }

        /**
         * Has a task run soon; drops it if this share is closed.
         *
         * @throws RejectedExecutionException if there is no thread to run it and none can be started
         */
        void execute(Work work, Runnable task) {
            lock.lock();
            try {
                if (!closed) {
                    lane(work).add(this, queue(work), task);
                }
            } finally {
                lock.unlock();
            }
        }

        /** Has an action, which must be short, run after some time, in a thread for all of them. */
        void after(long nanos, Runnable action) {
            scheduleIfOpen(new Delayed(this, nanos, 0, action));
        }

        /** As {@link #after}, again and again. */
        void every(long nanos, Runnable action) {
            scheduleIfOpen(new Delayed(this, nanos, nanos, action));
        }

        private void scheduleIfOpen(Delayed fresh) {
            lock.lock();
            try {
                if (!closed) {
                    schedule(fresh);
                }
            } finally {
                lock.unlock();
            }
        }

        private Queue<Runnable> queue(Work work) {
            Queue<Runnable> queue = waiting.get(work);
            if (queue == null) {
                throw new IllegalStateException("no queue for " + work);
            }
            return queue;
        }

        /** Drops what waits. What runs is not waited for. */
        @Override
        public void close() {
            lock.lock();
            try {
                if (closed) {
                    return;
                }
                closed = true;
                shares--;
                for (Work work : Work.values()) {
                    lane(work).drop(this, queue(work));
                }
                delayed.removeIf(each -> each.share == this);
                timerNeeded.signalAll();
            } finally {
                lock.unlock();
            }
        }
    }

    /** The threads of one kind of work. All under the lock, but for the tasks themselves. */
    private final class Lane {
        private final Work kind;
        private final String name;
        private final int most;
        private final Condition workNeeded = lock.newCondition();
        private final Deque<Share> turns = new ArrayDeque<>(); // the shares that have work waiting, once each
        private int waiting;
        private int threads;
        private int idle;

        Lane(Work kind, String name, int most) {
            this.kind = kind;
            this.name = name;
            this.most = most;
        }

        void add(Share share, Queue<Runnable> queue, Runnable task) {
            boolean isFirst = queue.isEmpty();
            queue.add(task);
            try {
                if (isFirst) {
                    turns.addLast(share);
                }
            } catch (OutOfMemoryError e) {
                queue.clear();
                throw e;
            }
            waiting++;
            if (waiting <= idle) {
                workNeeded.signal();
            } else if (threads < most) {
                startThread(share, queue, task);
            }
        }

        private void startThread(Share share, Queue<Runnable> queue, Runnable task) {
            threads++;
            try {
                start(name, this::work);
            } catch (RuntimeException | Error e) {
                threads--;
                if (threads == 0) {
                    queue.remove(task);
                    waiting--;
                    if (queue.isEmpty()) {
                        turns.remove(share);
                    }
                    throw new RejectedExecutionException("no thread for background work can be started: " + e, e);
                }
            }
        }

        void drop(Share share, Queue<Runnable> queue) {
            waiting -= queue.size();
            queue.clear();
            turns.remove(share);
            workNeeded.signalAll();
        }

        private void work() {
            while (true) {
                Runnable task;
                try {
                    task = take();
                } catch (OutOfMemoryError e) {
                    LockSupport.parkNanos(SHORTAGE_NANOS);
                    continue;
                }
                if (task == null) {
                    return;
                }
                run(task);
                Thread.interrupted(); // an interrupt was for the task
            }
        }

        /** Waits for a task; null if this thread is to end, which is not counted any more then. */
        private @Nullable Runnable take() {
            lock.lock();
            try {
                long left = idleNanos;
                while (true) {
                    Share share = turns.pollFirst();
                    if (share != null) {
                        return take(share);
                    }
                    if (shares == 0 || left <= 0) {
                        threads--;
                        return null;
                    }
                    idle++;
                    try {
                        left = workNeeded.awaitNanos(left);
                    } catch (InterruptedException e) {
                        Thread.interrupted(); // nobody interrupts a thread between tasks on purpose
                    } finally {
                        idle--;
                    }
                }
            } finally {
                lock.unlock();
            }
        }

        private @Nullable Runnable take(Share share) {
            Queue<Runnable> queue = share.queue(kind);
            Runnable task = queue.poll();
            waiting--;
            if (!queue.isEmpty()) {
                turns.addLast(share); // needs no memory: the place that it had is free
            }
            return task;
        }
    }

    // ---------------------------------------------------------------- time

    /** An action for later. */
    private static final class Delayed implements Comparable<Delayed> {
        final Share share;
        final long periodNanos; // 0 for once
        final Runnable action;
        private long dueNanos; // does not change while it is in the queue

        Delayed(Share share, long nanos, long periodNanos, Runnable action) {
            this.share = share;
            this.dueNanos = System.nanoTime() + nanos;
            this.periodNanos = periodNanos;
            this.action = action;
        }

        @Override
        public int compareTo(Delayed other) {
            return Long.signum(dueNanos - other.dueNanos); // the clock may wrap
        }
    }

    @GuardedBy("lock") private void schedule(Delayed fresh) {
        delayed.add(fresh);
        if (isTimerRunning) {
            timerNeeded.signal();
            return;
        }
        isTimerRunning = true;
        try {
            start("caskwright-timer", this::runTimer);
        } catch (RuntimeException | Error e) {
            isTimerRunning = false;
            delayed.remove(fresh);
            throw new RejectedExecutionException("no thread for delayed work can be started: " + e, e);
        }
    }

    private void runTimer() {
        while (true) {
            Runnable due;
            try {
                due = awaitDue();
            } catch (OutOfMemoryError e) {
                LockSupport.parkNanos(SHORTAGE_NANOS);
                continue;
            }
            if (due == null) {
                return;
            }
            run(due);
        }
    }

    /** Waits for the next action to be due; null if there is none, and the thread is to end. */
    private @Nullable Runnable awaitDue() {
        lock.lock();
        try {
            long left = idleNanos;
            while (true) {
                Delayed first = delayed.peek();
                long now = System.nanoTime();
                if (first != null && first.dueNanos - now <= 0) {
                    delayed.remove();
                    if (first.periodNanos > 0) {
                        first.dueNanos = now + first.periodNanos;
                        delayed.add(first);
                    }
                    return first.action;
                }
                if (first == null && (shares == 0 || left <= 0)) {
                    isTimerRunning = false;
                    return null;
                }
                try {
                    if (first != null) {
                        timerNeeded.awaitNanos(first.dueNanos - now);
                    } else {
                        left = timerNeeded.awaitNanos(left);
                    }
                } catch (InterruptedException e) {
                    Thread.interrupted(); // nobody interrupts this thread on purpose
                }
            }
        } finally {
            lock.unlock();
        }
    }

    // ---------------------------------------------------------------- threads

    private static void run(Runnable task) {
        try {
            task.run();
        } catch (RuntimeException | Error e) {
            // Tasks report what goes wrong to their store. What comes here could not even do that; the thread goes on.
            tell(e);
        }
    }

    private static void tell(Throwable failure) {
        try {
            logger().error("background work ended abruptly", failure);
        } catch (RuntimeException | Error e) {
            // For want of memory for the log, too, and then it may be the same object; the thread is still counted, and
            // must go on.
            Causes.add(failure, e);
        }
    }

    /** Starts a thread with the rights of this class, not with those of whatever calls are on the stack. */
    @SuppressWarnings("removal")
    private static void start(String name, Runnable work) {
        PrivilegedAction<Thread> make = () -> {
            Thread thread = new Thread(rootGroup(), work, name, 0, false);
            thread.setDaemon(true);
            thread.setContextClassLoader(BackgroundThreads.class.getClassLoader());
            return thread;
        };
        AccessController.doPrivileged(make).start();
    }

    @SuppressWarnings("ThreadGroup") // the caller's group would be kept by the thread
    private static ThreadGroup rootGroup() {
        ThreadGroup group = Thread.currentThread().getThreadGroup();
        for (ThreadGroup parent = group.getParent(); parent != null; parent = group.getParent()) {
            group = parent;
        }
        return group;
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(BackgroundThreads.class);
    }
}
