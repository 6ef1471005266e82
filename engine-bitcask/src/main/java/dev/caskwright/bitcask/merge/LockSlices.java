package dev.caskwright.bitcask.merge;

import dev.caskwright.bitcask.store.WriteLock;
import java.util.concurrent.locks.LockSupport;

/** Holds the write lock for a few index changes at a time, and lets waiting writers in between. */
final class LockSlices {
    static final int CHANGES_PER_LOCK = 64;

    private final WriteLock lock;
    private int changes;
    private boolean held;

    LockSlices(WriteLock lock) {
        this.lock = lock;
    }

    void next() {
        if (changes++ % CHANGES_PER_LOCK == 0) {
            release();
            letWritersIn();
        }
        hold();
    }

    void letWritersIn() {
        // The lock is not fair: without a pause the merge would take it again before a waiting writer wakes.
        for (int i = 0; i < 20 && lock.hasQueuedThreads(); i++) {
            LockSupport.parkNanos(5_000);
        }
    }

    void hold() {
        if (!held) {
            lock.lock();
            held = true;
        }
    }

    void release() {
        if (held) {
            held = false;
            lock.unlock();
        }
    }
}
