package dev.caskwright.bitcask.store;

import dev.caskwright.bitcask.events.StallEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import java.util.concurrent.locks.ReentrantLock;

/**
 * The lock of the writers. It is held for less time than parking and waking a thread takes, so a thread that finds it taken
 * first tries again for about as long, and may overtake those that are parked: handing the lock to a parked thread at each
 * put would make all of them wait for the scheduler.
 *
 * <p><b>Fairness.</b> At most {@link #MAX_OVERTAKES} threads in a row overtake the queue, and as many more as were past the
 * check when the bound was reached. Then the thread that has waited longest gets the lock. {@link #lock} does not overtake.
 * So between two turns of a thread every other thread has about that many at most, however many there are.
 */
public final class WriteLock extends ReentrantLock {
    private static final long serialVersionUID = 1L;

    static final int MAX_OVERTAKES = 16;

    private static final int SPINS = 200; // some microseconds

    private final String store;

    /** How often in a row the queue was overtaken. Written under the lock, and only when it changes. */
    private volatile int overtakes;

    /** @param store what events call the store */
    public WriteLock(String store) {
        super(true);
        this.store = store;
    }

    /** Waits in turn. */
    @Override
    public void lock() {
        super.lock();
        if (overtakes != 0) {
            overtakes = 0;
        }
    }

    /** Takes the lock for a short write: by overtaking as long as that is allowed, or else in turn. */
    public void lockForWriting() {
        for (int i = 0; i < SPINS; i++) {
            if (mayOvertake() && tryLock()) {
                countOvertake();
                return;
            }
            Thread.onSpinWait();
        }
        StallEvent stall = StoreEvents.stall();
        lock();
        if (stall != null) {
            stall.end(store, StallEvent.LOCK);
        }
    }

    private boolean mayOvertake() {
        return overtakes < MAX_OVERTAKES || !hasQueuedThreads();
    }

    @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock
    private void countOvertake() {
        if (hasQueuedThreads()) {
            overtakes++;
        } else if (overtakes != 0) {
            overtakes = 0;
        }
    }
}
