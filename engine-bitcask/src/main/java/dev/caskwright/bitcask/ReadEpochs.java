package dev.caskwright.bitcask;

import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.locks.LockSupport;

/**
 * Tells when every reader that could still see something has left, without a lock on the reading side.
 *
 * <p>A reader counts itself in under the current parity, in a stripe of its own cache line, and out of the same counter
 * when done. {@link #awaitReaders} flips the parity and waits for the old one to drain, twice: a reader that read the
 * parity just before a flip may count itself under the old one after it was seen empty; what it reads then is already
 * the new state, but the next call must wait for it, and by flipping twice it does. (The scheme of sleepable RCU.)
 */
final class ReadEpochs {
    private static final int STRIPES = 64;
    private static final int STRIDE = 16; // longs: two cache lines, since they are fetched in pairs

    private final AtomicLongArray counters = new AtomicLongArray(2 * STRIPES * STRIDE + STRIDE);
    private final AtomicInteger nextStripe = new AtomicInteger();
    private volatile int parity;

    /** Returns a stripe for a thread to pass to {@link #enter}. */
    int newStripe() {
        return nextStripe.getAndIncrement() & STRIPES - 1;
    }

    /** Counts a reader in; returns what it must pass to {@link #exit}. */
    int enter(int stripe) {
        int counter = (stripe * 2 + parity) * STRIDE + STRIDE;
        counters.getAndIncrement(counter);
        return counter;
    }

    void exit(int counter) {
        counters.getAndDecrement(counter);
    }

    /** Waits until every reader that entered before this call has left. Not for use by a reader. */
    synchronized void awaitReaders() {
        flipAndDrain();
        flipAndDrain();
    }

    private void flipAndDrain() {
        int old = parity;
        parity = 1 - old;
        for (int stripe = 0; stripe < STRIPES; stripe++) {
            int counter = (stripe * 2 + old) * STRIDE + STRIDE;
            // Reads are short (one record), so this ends soon; the pause keeps the core free for the readers.
            for (int spins = 0; counters.get(counter) != 0; spins++) {
                if (spins < 100) {
                    Thread.onSpinWait();
                } else {
                    LockSupport.parkNanos(20_000);
                }
            }
        }
    }
}
