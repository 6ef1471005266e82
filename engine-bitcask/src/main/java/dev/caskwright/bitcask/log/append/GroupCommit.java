package dev.caskwright.bitcask.log.append;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.bitcask.events.ForceEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import java.io.IOException;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;

/**
 * Lets many threads share one force.
 *
 * <p>A thread that needs a force joins the next group. If no force is under way it leads that group: it closes the group
 * and forces everything appended so far, which includes what every member appended before it joined. Those that come
 * meanwhile form the group after it. When the leader is done it first names a leader for that group, so that the next
 * force runs while the members of this one go on.
 *
 * <p><b>Whole groups.</b> Writers that wait for one force come again at about the same time. A leader that closed its group
 * at once would leave those of the group before to the next force, and each force would serve half of them. So it waits
 * until as many have joined as there were lately, but not for longer than half a force.
 *
 * <p><b>Waiting.</b> To park a thread and to wake it costs as much as a force of a fast disk. So a member first gives way to
 * other threads again and again, for about as long as such a force takes, and parks only then; RocksDB's writers do the
 * same. Where forces take longer, members park at once.
 */
public final class GroupCommit {
    /** Forces the log. */
    @FunctionalInterface
    public interface Force {
        /**
         * Forces everything appended so far and returns the position up to which the log is durable now.
         *
         * @throws EngineException of outcome APPLIED if nothing was forced: another force proves as much as this would have
         */
        long force() throws IOException;
    }

    private static final long SHORT_FORCE_NANOS = 300_000;

    /** After so long a member that sleeps looks whether it was forgotten. */
    private static final long LOOK_NANOS = 1_000_000_000;

    private static final class Member {
        final Thread thread = Thread.currentThread();
        volatile boolean leads;
        volatile boolean parks;
        volatile boolean isGone; // ended abruptly while it waited

        @Nullable Member later; // in its group; changes until that is closed

        /** Wakes the thread if it has gone to sleep, or is about to. After what it waits for has been set. */
        void wake() {
            if (parks) {
                LockSupport.unpark(thread);
            }
        }
    }

    private static final class Group {
        final Member first;
        Member last;
        volatile long position; // the last that a member awaits
        volatile int size = 1;
        volatile boolean done;

        @Nullable Throwable failure; // set before done, like what follows

        boolean hasFailedBefore;

        Group(Member first, long awaited) {
            this.first = first;
            this.last = first;
            this.position = awaited;
        }

        @SuppressWarnings("NonAtomicVolatileUpdate") // under the lock of the whole
        void join(Member member, long awaited) {
            last.later = member;
            last = member;
            position = Math.max(position, awaited);
            size++;
        }
    }

    private final Force force;
    private final String store;

    @GuardedBy("this") private @Nullable Group next;

    @GuardedBy("this") private @Nullable Member leader; // of the force that is under way or about to be

    private volatile long durable;
    private volatile int lately; // how many awaited a force when the last one ended, those that it served included
    private volatile long forceNanos; // what the last force took
    private volatile @Nullable Throwable failed;

    /** @param store what events call the store */
    public GroupCommit(Force force, String store) {
        this.force = force;
        this.store = store;
    }

    /** Returns the position up to which the log is known to be on stable storage. */
    public long durable() {
        return durable;
    }

    /** Notes that the log is durable up to a position, as found while opening. */
    public void startAt(long position) {
        durable = position;
    }

    /**
     * Returns when the log is durable up to {@code position}. An interrupt is kept for later: what was appended cannot be
     * taken back, so its writer must learn whether it is durable.
     *
     * @throws IOException if the force failed, or any force before it: the pages of a failed one may look clean without
     *     having reached the disk, so that another force would prove nothing
     */
    public void await(long position) throws IOException {
        if (durable >= position) {
            return;
        }
        checkNotFailed();
        Member self;
        Group group;
        try {
            self = new Member();
            group = join(self, position);
        } catch (OutOfMemoryError e) {
            throw new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.APPLIED, "not synced for want of memory, try again: " + e, e);
        }
        // From here on nothing takes memory: others rely on it that each member does its part.
        boolean interrupted;
        try {
            interrupted = waitFor(group, self);
        } catch (RuntimeException | Error e) {
            // Nothing but assignments: there may be no stack left for calls. Those who wait look for themselves.
            self.isGone = true;
            failed = e;
            throw e;
        }
        if (self.leads) {
            try {
                lead(group, self);
            } catch (RuntimeException | Error e) {
                failed = e; // as above
                group.failure = e;
                group.done = true;
                throw e;
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        checkServed(group);
    }

    private static void checkServed(Group group) throws IOException {
        Throwable failure = group.failure;
        if (failure == null) {
            return;
        }
        if (group.hasFailedBefore) {
            throw failedBefore(failure);
        }
        throw failure instanceof IOException io ? io : new IOException("a force ended abruptly: " + failure, failure);
    }

    private synchronized Group join(Member self, long position) {
        Group group = next;
        if (group == null) {
            group = new Group(self, position);
            next = group;
        } else {
            group.join(self, position);
        }
        if (leader == null) {
            leader = self;
            self.leads = true;
        }
        return group;
    }

    /** Forces even if all that was appended is durable: space may have been held ready after it. */
    public void force() throws IOException {
        await(Long.MAX_VALUE);
    }

    /** Waits until the group has been served or its member is to lead it; returns whether the thread was interrupted. */
    private boolean waitFor(Group group, Member self) {
        if (forceNanos < SHORT_FORCE_NANOS) {
            long start = System.nanoTime();
            while (!group.done && !self.leads && System.nanoTime() - start < SHORT_FORCE_NANOS) {
                giveWay();
            }
        }
        boolean interrupted = false;
        self.parks = true;
        while (!group.done && !self.leads) {
            LockSupport.parkNanos(this, LOOK_NANOS);
            interrupted |= Thread.interrupted();
            if (failed != null && !group.done && !self.leads) {
                takeOver(group, self);
            }
        }
        return interrupted;
    }

    /** After a failure: lets a member of a group that nobody leads lead it, if the last leader could not see to that. */
    private synchronized void takeOver(Group group, Member self) {
        Member last = leader;
        if (next == group && (last == null || !last.leads || last.isGone)) {
            leader = self;
            self.leads = true;
        }
    }

    private void lead(Group group, Member self) {
        gather(group);
        synchronized (this) {
            next = null; // who comes from now on forms another group
        }
        try {
            Throwable first = failed;
            if (first != null) {
                group.hasFailedBefore = true;
                group.failure = first;
            } else if (durable < group.position) {
                // The force before may have come to all of these, too, if they appended just before it.
                long start = System.nanoTime();
                durable = forced(group);
                forceNanos = System.nanoTime() - start;
            }
        } catch (IOException | RuntimeException | Error e) {
            group.failure = e;
            if (!(e instanceof EngineException own && own.outcome() == Outcome.APPLIED)) {
                failed = e;
            }
        } finally {
            self.leads = false;
            handOver(group.size);
            group.done = true;
            for (Member member = group.first; member != null; member = member.later) {
                if (member != self) {
                    member.wake();
                }
            }
        }
    }

    private long forced(Group group) throws IOException {
        ForceEvent event = StoreEvents.force();
        if (event == null) {
            return force.force();
        }
        boolean isForced = false;
        try {
            long reached = force.force();
            isForced = true;
            return reached;
        } finally {
            event.end(store, group.size, isForced);
        }
    }

    private void gather(Group group) {
        long start = System.nanoTime();
        long limit = Math.min(forceNanos, SHORT_FORCE_NANOS) / 2;
        while (group.size < lately && durable < group.position && System.nanoTime() - start < limit) {
            giveWay();
        }
    }

    @SuppressWarnings("ThreadPriorityCheck") // only time depends on what the scheduler makes of it
    private static void giveWay() {
        Thread.yield();
    }

    private void checkNotFailed() throws IOException {
        Throwable first = failed;
        if (first != null) {
            throw failedBefore(first);
        }
    }

    private static IOException failedBefore(Throwable first) {
        return new IOException("an earlier force of the log failed: " + first, first);
    }

    private synchronized void handOver(int served) {
        Group waiting = next;
        lately = served + (waiting == null ? 0 : waiting.size);
        leader = waiting == null ? null : waiting.first;
        if (waiting != null) {
            waiting.first.leads = true;
            waiting.first.wake();
        }
    }
}
