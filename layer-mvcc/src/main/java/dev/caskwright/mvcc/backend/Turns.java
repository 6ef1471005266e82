package dev.caskwright.mvcc.backend;

import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.LongConsumer;
import java.util.function.LongSupplier;

/**
 * Lets long reads give way to writers that are at work all the time: these, and what commits for them, keep about two processors busy.
 * So all long reads together get the processors that are left, or a quarter of one. Each of them, after so many keys, waits until its
 * turn comes, but never long. While no writer is at work, or a few times a second only, nobody waits. Safe for any number of threads.
 */
final class Turns {
    static final int KEYS = 256; // between two looks

    private static final int WRITER_PROCESSORS = 2;
    private static final double LEAST_SHARE = 0.25; // of a processor
    private static final long MOST_COUNTED_NANOS = 2_000_000; // at first
    private static final long MOST_WAITED_NANOS = 20_000_000;
    private static final int ALWAYS = 1 << 16;
    private static final int BUSY = ALWAYS / 4;

    private final ReentrantLock writing;
    private final double share; // of the time of one processor
    private final LongSupplier nanoTime;
    private final LongConsumer pause;
    private final AtomicLong next; // when the next turn begins

    Turns(ReentrantLock writing, int processors) {
        this(writing, processors, System::nanoTime, LockSupport::parkNanos);
    }

    /** @param pause waits so many nanoseconds, or less */
    Turns(ReentrantLock writing, int processors, LongSupplier nanoTime, LongConsumer pause) {
        this.writing = writing;
        this.share = Math.max(LEAST_SHARE, processors - WRITER_PROCESSORS);
        this.nanoTime = nanoTime;
        this.pause = pause;
        this.next = new AtomicLong(nanoTime.getAsLong());
    }

    /** The turns of one read. For one thread. */
    final class Turn {
        private long since = nanoTime.getAsLong();
        private int busy; // how often a writer was seen at work, lately
        private long work = MOST_COUNTED_NANOS; // how long it takes to pass so many keys

        /** Is called after some keys. */
        void pass() {
            busy += ((writing.isLocked() ? ALWAYS : 0) - busy) >> 3;
            long now = nanoTime.getAsLong();
            // A longer time than before may be one in which others had the processor; if not, it shows soon.
            work = Math.min(now - since, work + (work >> 2) + 1);
            if (busy > BUSY) {
                long wait = begin(now, (long) (work / share)) - now;
                if (wait > 0) {
                    pause.accept(Math.min(wait, MOST_WAITED_NANOS));
                    now = nanoTime.getAsLong();
                }
            }
            since = now;
        }
    }

    /** Takes the next turn, which lasts so long, or less if many wait; returns when it begins. */
    private long begin(long now, long nanos) {
        while (true) {
            long free = next.get();
            long start = free - now > 0 ? free : now;
            // Bounded, so that readers which have ended are not waited for.
            if (next.compareAndSet(free, Math.min(start + nanos, now + MOST_WAITED_NANOS))) {
                return start;
            }
        }
    }
}
