package dev.caskwright.bitcask.store;

import dev.caskwright.api.spi.log.RecordLog;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * The sessions of a store: a fixed number, each in a slot of its own, made when it is first wanted. A thread takes the one
 * in the slot that its id leads to, or any other that is idle. When all are in use, it gets one that is dropped after use.
 * So memory is bounded for each store, however many threads there are, and nothing of a store stays with a thread.
 *
 * <p><b>Threads.</b> Any, without locks. An idle session is in its slot; whoever takes it out owns it until it is given
 * back. So the stripe that a session has in {@link ReadEpochs} is used by one thread at a time, which is why entering an
 * epoch needs no atomic addition there.
 */
public final class Sessions {
    /** The slot of a session that is dropped after use. */
    public static final int NO_SLOT = -1;

    private static final int MIN_SLOTS = 8;
    private static final int MAX_SLOTS = 64; // one bit each in `made`
    private static final int SLOTS_PER_CORE = 4;
    private static final int STRIDE = 32; // references: 128 bytes, since cache lines are fetched in pairs

    private final RecordLog log;
    private final ReadEpochs epochs;
    private final int mask;
    private final AtomicReferenceArray<Session> idle;
    private final AtomicLong made = new AtomicLong(); // bit i: the session of slot i was made
    private volatile boolean cleared;

    public Sessions(RecordLog log, ReadEpochs epochs) {
        this.log = log;
        this.epochs = epochs;
        this.mask = epochs.ownStripes() - 1;
        this.idle = new AtomicReferenceArray<>((epochs.ownStripes() + 1) * STRIDE);
    }

    /** Returns how many sessions a store keeps: a power of two in proportion to the processors. */
    public static int slots() {
        int wanted = SLOTS_PER_CORE * Runtime.getRuntime().availableProcessors();
        return Math.max(MIN_SLOTS, Math.min(MAX_SLOTS, Integer.highestOneBit(Math.max(1, wanted - 1)) * 2));
    }

    /** Takes a session, which is given back with {@link #giveBack}. */
    @SuppressWarnings("deprecation") // since 19, where threadId() takes its place
    public Session take() {
        int home = (int) Thread.currentThread().getId() & mask;
        Session session = takeFrom(home);
        return session != null ? session : takeAny(home);
    }

    private @Nullable Session takeFrom(int slot) {
        int place = (slot + 1) * STRIDE;
        Session session = idle.getOpaque(place);
        return session != null && idle.compareAndSet(place, session, null) ? session : null;
    }

    private Session takeAny(int home) {
        for (int i = 0; i <= mask; i++) {
            int slot = (home + i) & mask;
            Session session = isMade(slot) ? takeFrom(slot) : make(slot);
            if (session != null) {
                return session;
            }
        }
        return new Session(log, epochs.sharedStripe(), NO_SLOT);
    }

    private boolean isMade(int slot) {
        return (made.get() >>> slot & 1) != 0;
    }

    /** Makes the session of a slot; returns null if another thread makes it. */
    private @Nullable Session make(int slot) {
        Session session = new Session(log, slot, slot); // before the bit is set: this may find no memory
        long bit = 1L << slot;
        long before = made.getAndAccumulate(bit, (bits, added) -> bits | added);
        return (before & bit) == 0 ? session : null;
    }

    /** Gives back a session that was taken. The caller does not use it any more. */
    public void giveBack(Session session) {
        if (session.slot == NO_SLOT) {
            return;
        }
        int place = (session.slot + 1) * STRIDE;
        idle.setRelease(place, session);
        if (cleared) {
            idle.set(place, null);
        }
    }

    /** Returns the memory of the sessions that are idle, in bytes. */
    public long memoryBytes() {
        long bytes = 0;
        for (int slot = 0; slot <= mask; slot++) {
            Session session = idle.get((slot + 1) * STRIDE);
            bytes += session == null ? 0 : session.reader.memoryBytes() + session.draft.memoryBytes();
        }
        return bytes;
    }

    /** Forgets the sessions that are idle, and those that are in use when they are given back. */
    public void clear() {
        cleared = true;
        for (int slot = 0; slot <= mask; slot++) {
            idle.set((slot + 1) * STRIDE, null);
        }
    }

    /** Returns how many sessions were made and are kept. */
    int made() {
        return cleared ? 0 : Long.bitCount(made.get());
    }
}
