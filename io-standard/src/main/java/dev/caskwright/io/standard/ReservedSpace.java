package dev.caskwright.io.standard;

import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.concurrent.locks.ReentrantLock;

/**
 * How far a file is taken, and by whom: the only word on where zeros may still be written.
 *
 * <pre>
 * 0                  length          end
 * |     written      |  zeros, or    |  nobody's
 * |                  |  a failed     |
 * |                  |  write's      |
 * </pre>
 *
 * <p>Everything up to the end is the writer's, whatever became of the calls that were made there. The end moves forwards
 * in two ways: the writer {@linkplain #claim claims} what it is about to write, and another thread {@linkplain #extend
 * extends} it by zeros. Both take hold of the bytes past the end before they touch them, so zeros never come over
 * anything. It moves back only by a {@linkplain #cut cut}, which is the writer's, and waits for zeros on their way.
 *
 * <p>A writer that stays within the end takes no lock. One that goes beyond waits for at most one piece of zeros.
 */
final class ReservedSpace {
    /** Fills the file with zeros between two offsets, or leaves it as it was. */
    @FunctionalInterface
    interface Zeroing {
        void run(long from, long to) throws IOException;
    }

    /** Shortens the file to a length. */
    @FunctionalInterface
    interface Cutting {
        void run(long length) throws IOException;
    }

    private static final VarHandle STATE;

    static {
        try {
            STATE = MethodHandles.lookup().findVarHandle(ReservedSpace.class, "state", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    // Held while the end moves by more than a claim. Fair, so that a writer comes between two pieces of zeros.
    private final ReentrantLock moving = new ReentrantLock(true);
    private volatile long state; // twice the end, plus 1 while zeros are on their way
    private boolean isClosed; // guarded by moving

    ReservedSpace(long end) {
        state = end << 1;
    }

    long end() {
        return state >> 1;
    }

    /** Takes everything up to {@code newEnd} for a write that follows; returns where the end was. */
    long claim(long newEnd) {
        long before = state;
        if (newEnd << 1 <= before) {
            return before >> 1;
        }
        if ((before & 1) == 0 && STATE.compareAndSet(this, before, newEnd << 1)) {
            return before >> 1;
        }
        moving.lock();
        try {
            long end = end(); // nothing is on its way now, and the only writer is here
            if (newEnd > end) {
                state = newEnd << 1;
            }
            return end;
        } finally {
            moving.unlock();
        }
    }

    /**
     * Moves the end by zeros, to {@code limit} at most and by no more than {@code piece}. Where the zeroing fails it stays.
     *
     * @return whether there may be more to do: not at the limit, nor once the space is closed
     */
    boolean extend(long limit, long piece, Zeroing zeroing) throws IOException {
        moving.lock();
        try {
            if (isClosed) {
                return false;
            }
            long before;
            do {
                before = state;
                if (limit << 1 <= before) {
                    return false;
                }
            } while (!STATE.compareAndSet(this, before, before | 1));
            long end = before >> 1;
            long newEnd = Math.min(limit, end + piece);
            try {
                zeroing.run(end, newEnd);
                end = newEnd;
            } finally {
                state = end << 1;
            }
            return end < limit;
        } finally {
            moving.unlock();
        }
    }

    /** Waits for zeros on their way, lets none follow, and shortens the file to {@code length} if it is longer or may be. */
    void close(long length, boolean mayBeLonger, Cutting cutting) throws IOException {
        moving.lock();
        try {
            isClosed = true;
            if (mayBeLonger || end() > length) {
                cut(length, cutting);
            }
        } finally {
            moving.unlock();
        }
    }

    /** Moves the end back to {@code newEnd} by shortening the file; where that fails it stays. */
    void cut(long newEnd, Cutting cutting) throws IOException {
        moving.lock();
        try {
            cutting.run(newEnd);
            state = newEnd << 1;
        } finally {
            moving.unlock();
        }
    }

    /** Does as {@link #cut}, unless the end has moved from {@code claimed} meanwhile. */
    void giveBack(long claimed, long newEnd, Cutting cutting) throws IOException {
        moving.lock();
        try {
            if (end() == claimed) {
                cutting.run(newEnd);
                state = newEnd << 1;
            }
        } finally {
            moving.unlock();
        }
    }
}
