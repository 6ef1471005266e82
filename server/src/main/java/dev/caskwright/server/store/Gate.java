package dev.caskwright.server.store;

import dev.caskwright.api.StorageEngine;
import java.io.IOException;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.ReentrantLock;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Knows which changes are durable, and forces those that somebody waits for.
 *
 * <p>Changes are numbered under the keyspace's lock. A thread of the gate forces: each force covers all changes that were
 * numbered before it began, of all connections, and those that come meanwhile share the next one. No event loop ever waits
 * for a force: it holds replies back, asks for a force, and is told when one has ended.
 *
 * <p>With {@link AppendFsync#ALWAYS}, keys changed since the last force are remembered, by a hash. A reply that tells of such a
 * key depends on the next force as much as the reply to the change. After a force has failed, the store refuses changes, and a
 * read of such a key is an error: what it would show may be lost.
 */
public final class Gate implements AutoCloseable {
    private static final Logger LOG = LoggerFactory.getLogger(Gate.class);
    private static final long EVERY_MILLIS = 1_000;
    private static final long NANOS_PER_MICRO = 1_000;

    private final ReentrantLock lock;
    private final Force force;
    private final AtomicLong changes = new AtomicLong();
    private volatile long durable;
    private volatile @Nullable Throwable failure;
    private volatile AppendFsync policy;
    private final CopyOnWriteArrayList<Runnable> listeners = new CopyOnWriteArrayList<>();

    // Under the lock.
    private UnforcedKeys sinceForce = new UnforcedKeys();
    private UnforcedKeys beingForced = new UnforcedKeys();
    private boolean hasChanged;
    private boolean hasReadUnforced;
    private boolean isStrict = true;

    // Under the monitor of "signal".
    private final Object signal = new Object();
    private boolean isAsked;
    private boolean isClosed;
    private @Nullable Throwable untold; // why somebody may not know of the last force

    private final AtomicLong forces = new AtomicLong();
    private volatile long lastForceMicros;
    private final Thread thread;

    /** Makes all that was written before survive a power loss. */
    interface Force {
        void run() throws IOException;
    }

    Gate(StorageEngine engine, ReentrantLock lock, AppendFsync policy) {
        this.lock = lock;
        this.policy = policy;
        force = engine::sync;
        thread = new Thread(this::run, "caskwright-force");
        thread.setDaemon(true);
    }

    void start() {
        thread.start();
    }

    /** Is told, in the gate's thread, whenever a force has ended. */
    public void onForce(Runnable listener) {
        listeners.add(listener);
    }

    /** Returns the number of the last change. Exact under the lock. */
    public long lastChange() {
        return changes.get();
    }

    /** Returns the number of the last change that survives a power loss. */
    public long durable() {
        return durable;
    }

    /** Returns why the last force failed, or null. */
    public @Nullable Throwable failure() {
        return failure;
    }

    /** Returns how many forces there were. */
    public long forces() {
        return forces.get();
    }

    /** Returns how long the last force took, in microseconds. */
    public long lastForceMicros() {
        return lastForceMicros;
    }

    /** Returns when changes are forced. */
    public AppendFsync policy() {
        return policy;
    }

    /** Changes when changes are forced. Under the lock. */
    public void policy(AppendFsync next) {
        if (next == AppendFsync.ALWAYS && policy != next && changes.get() > durable) {
            // Nobody noted which keys these were.
            sinceForce.addEverything();
        }
        policy = next;
        ask();
    }

    /** Chooses whether replies that tell of a key wait for the force of its last change. Under the lock. */
    public void strictReads(boolean strict) {
        isStrict = strict;
    }

    void changedKey(byte[] key) {
        changes.lazySet(changes.get() + 1);
        if (policy == AppendFsync.ALWAYS) {
            sinceForce.add(key);
            hasChanged = true;
        }
    }

    void changedEverything() {
        changes.lazySet(changes.get() + 1);
        if (policy == AppendFsync.ALWAYS) {
            sinceForce.addEverything();
            hasChanged = true;
        }
    }

    void readKey(byte[] key) throws IOException {
        if (isStrict
                && policy == AppendFsync.ALWAYS
                && (!hasReadUnforced || failure != null)
                && (sinceForce.mayHave(key) || beingForced.mayHave(key))) {
            if (failure != null) {
                throw new UnforcedReadException();
            }
            hasReadUnforced = true;
        }
    }

    /** Notes that a command reads keys without naming them. Under the lock. */
    public void readEverything() {
        hasReadUnforced |= isStrict && policy == AppendFsync.ALWAYS && changes.get() > durable;
    }

    /** Returns whether anything since the last call changed a key, or read one that is not durable; forgets it. */
    public boolean takeDependence() {
        boolean taken = hasChanged || hasReadUnforced;
        hasChanged = false;
        hasReadUnforced = false;
        return taken;
    }

    /** Asks for a force of all changes so far. */
    public void ask() {
        synchronized (signal) {
            isAsked = true;
            signal.notifyAll();
        }
    }

    private void run() {
        while (awaitWork()) {
            Throwable problem = null;
            try {
                forceOnce();
            } catch (RuntimeException | Error e) { // for want of memory, say: whoever waits is told a little later
                problem = e;
            }
            synchronized (signal) {
                untold = problem;
            }
        }
    }

    /** Returns false if the gate was closed. */
    private boolean awaitWork() {
        synchronized (signal) {
            try {
                while (!isAsked && !isClosed) {
                    signal.wait(EVERY_MILLIS);
                    isAsked |= untold != null
                            || policy == AppendFsync.EVERYSEC && changes.get() > durable && failure == null;
                }
            } catch (InterruptedException e) {
                return false; // nobody interrupts this thread but to end it
            }
            isAsked = false;
            return !isClosed;
        }
    }

    private void forceOnce() {
        Throwable lateFor;
        synchronized (signal) {
            lateFor = untold;
        }
        long target;
        lock.lock();
        try {
            target = changes.get();
            UnforcedKeys cleared = beingForced;
            beingForced = sinceForce;
            sinceForce = cleared;
        } finally {
            lock.unlock();
        }
        Throwable problem = null;
        long start = System.nanoTime();
        if (target > durable) {
            try {
                force.run();
            } catch (IOException | RuntimeException | Error e) {
                problem = e;
            }
        }
        forces.incrementAndGet();
        lastForceMicros = (System.nanoTime() - start) / NANOS_PER_MICRO;
        lock.lock();
        try {
            failure = problem;
            if (problem == null) {
                durable = target;
                beingForced.clear();
            } else {
                sinceForce.addAll(beingForced);
                beingForced.clear();
            }
        } finally {
            lock.unlock();
        }
        for (Runnable listener : listeners) {
            listener.run();
        }
        if (problem != null) {
            LOG.error("a force failed: changes since the last one are not acknowledged", problem);
        }
        if (lateFor != null) {
            LOG.warn("whoever waited for a force could not be told at once", lateFor);
        }
    }

    /** Ends the gate's thread once the force at hand has ended. */
    @Override
    public void close() {
        synchronized (signal) {
            isClosed = true;
            signal.notifyAll();
        }
        boolean isInterrupted = false;
        while (thread.isAlive()) {
            try {
                thread.join();
            } catch (InterruptedException e) {
                isInterrupted = true;
            }
        }
        if (isInterrupted) {
            Thread.currentThread().interrupt();
        }
    }
}
