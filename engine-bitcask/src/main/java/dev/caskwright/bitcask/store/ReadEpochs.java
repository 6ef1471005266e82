package dev.caskwright.bitcask.store;

import java.lang.invoke.VarHandle;
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
 *
 * <p>The first stripes are used by one thread at a time: plain additions with a fence do there. The others are shared and
 * take atomic ones.
 */
public final class ReadEpochs {
    private static final int SHARED_STRIPES = 8;
    private static final int STRIDE = 16; // longs: two cache lines, since they are fetched in pairs

    private final int ownStripes;
    private final int firstShared; // the counter of the first shared stripe
    private final AtomicLongArray counters;
    private final AtomicInteger nextShared = new AtomicInteger();
    private volatile int parity;

    /** Makes epochs with so many stripes that one thread at a time uses. */
    public ReadEpochs(int ownStripes) {
        this.ownStripes = ownStripes;
        this.firstShared = counter(ownStripes, 0);
        this.counters = new AtomicLongArray(counter(ownStripes + SHARED_STRIPES, 0));
    }

    /** Returns how many stripes, from 0 on, are used by one thread at a time. */
    int ownStripes() {
        return ownStripes;
    }

    /** Returns a stripe that several threads may use at once. */
    int sharedStripe() {
        return ownStripes + (nextShared.getAndIncrement() & SHARED_STRIPES - 1);
    }

    private static int counter(int stripe, int parity) {
        return (stripe * 2 + parity) * STRIDE + STRIDE;
    }

    /** Counts a reader in; returns what it must pass to {@link #exit}. */
    int enter(int stripe) {
        int counter = counter(stripe, parity);
        if (counter < firstShared) {
            counters.setOpaque(counter, counters.getPlain(counter) + 1);
            // Whatever is read from here on is read after the count can be seen.
            VarHandle.fullFence();
        } else {
            counters.getAndIncrement(counter);
        }
        return counter;
    }

    void exit(int counter) {
        if (counter < firstShared) {
            counters.setRelease(counter, counters.getPlain(counter) - 1);
        } else {
            counters.getAndDecrement(counter);
        }
    }

    /** Waits until every reader that entered before this call has left. Not for use by a reader. */
    public synchronized void awaitReaders() {
        flipAndDrain();
        flipAndDrain();
    }

    private void flipAndDrain() {
        int old = parity;
        parity = 1 - old;
        VarHandle.fullFence(); // pairs with that of enter: one of the two sees the other
        for (int stripe = 0; stripe < ownStripes + SHARED_STRIPES; stripe++) {
            int counter = counter(stripe, old);
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
