package dev.caskwright.bitcask.log;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
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
final class GroupCommit {
    /** Forces the log. */
    @FunctionalInterface
    interface Force {
        /** Forces everything appended so far and returns the position up to which the log is durable now. */
        long force() throws IOException;
    }

    private static final long SHORT_FORCE_NANOS = 300_000;

    private static final class Member {
        final Thread thread = Thread.currentThread();
        volatile boolean leads;
        volatile boolean parks;

        /** Wakes the thread if it has gone to sleep, or is about to. After what it waits for has been set. */
        void wake() {
            if (parks) {
                LockSupport.unpark(thread);
            }
        }
    }

    private static final class Group {
        final List<Member> members = new ArrayList<>();
        volatile long position; // the last that a member awaits
        volatile int size;
        volatile boolean done;

        @Nullable IOException failure; // set before done

        void join(Member member, long awaited) {
            members.add(member);
            position = Math.max(position, awaited);
            size = members.size();
        }
    }

    private final Force force;
    private Group next = new Group(); // guarded by this, like the group's members until it is closed
    private boolean forcing; // guarded by this
    private volatile long durable;
    private volatile int lately; // how many awaited a force when the last one ended, those that it served included
    private volatile long forceNanos; // what the last force took
    private volatile @Nullable Throwable failed;

    GroupCommit(Force force) {
        this.force = force;
    }

    /** Returns the position up to which the log is known to be on stable storage. */
    long durable() {
        return durable;
    }

    /** Notes that the log is durable up to a position, as found while opening. */
    void startAt(long position) {
        durable = position;
    }

    /**
     * Returns when the log is durable up to {@code position}. An interrupt is kept for later: what was appended cannot be
     * taken back, so its writer must learn whether it is durable.
     *
     * @throws IOException if the force failed, or any force before it: the pages of a failed one may look clean without
     *     having reached the disk, so that another force would prove nothing
     */
    void await(long position) throws IOException {
        if (durable >= position) {
            return;
        }
        checkNotFailed();
        Member self = new Member();
        Group group;
        synchronized (this) {
            group = next;
            group.join(self, position);
            if (!forcing) {
                forcing = true;
                self.leads = true;
            }
        }
        boolean interrupted = waitFor(group, self);
        if (self.leads) {
            lead(group, self);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (group.failure != null) {
            throw group.failure;
        }
    }

    /** Forces even if all that was appended is durable: space may have been held ready behind it. */
    void force() throws IOException {
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
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        return interrupted;
    }

    private void lead(Group group, Member self) {
        gather(group);
        synchronized (this) {
            next = new Group();
        }
        try {
            checkNotFailed();
            // The force before may have come to all of these, too, if they appended just before it.
            if (durable < group.position) {
                long start = System.nanoTime();
                durable = force.force();
                forceNanos = System.nanoTime() - start;
            }
        } catch (IOException e) {
            failed = e;
            group.failure = e;
        } catch (RuntimeException | Error e) {
            failed = e;
            group.failure = new IOException("force ended abruptly", e);
            throw e;
        } finally {
            handOver(group.members.size());
            group.done = true;
            for (Member member : group.members) {
                if (member != self) {
                    member.wake();
                }
            }
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
            throw new IOException("an earlier force of the log failed: " + first, first);
        }
    }

    private void handOver(int served) {
        synchronized (this) {
            lately = served + next.members.size();
            if (next.members.isEmpty()) {
                forcing = false;
            } else {
                Member leader = next.members.get(0);
                leader.leads = true;
                leader.wake();
            }
        }
    }
}
