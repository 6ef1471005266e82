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
 * meanwhile form the group after it. When the leader is done it first wakes a leader for that group, so that the next
 * force runs while the members of this one are woken.
 */
final class GroupCommit {
    /** Forces the log. */
    @FunctionalInterface
    interface Force {
        /** Forces everything appended so far and returns the position up to which the log is durable now. */
        long force() throws IOException;
    }

    private static final class Member {
        final Thread thread = Thread.currentThread();
        volatile boolean leads;
    }

    private static final class Group {
        final List<Member> members = new ArrayList<>();
        volatile boolean done;

        @Nullable IOException failure; // set before done
    }

    private final Force force;
    private Group next = new Group(); // guarded by this, like the group's members until it is closed
    private boolean forcing; // guarded by this
    private volatile long durable;
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
            group.members.add(self);
            if (!forcing) {
                forcing = true;
                self.leads = true;
            }
        }
        boolean interrupted = false;
        while (!group.done && !self.leads) {
            LockSupport.park(this);
            interrupted |= Thread.interrupted();
        }
        if (self.leads) {
            lead(self);
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
        if (group.failure != null) {
            throw group.failure;
        }
    }

    private void lead(Member self) {
        Group group;
        synchronized (this) {
            group = next;
            next = new Group();
        }
        try {
            checkNotFailed();
            durable = force.force();
        } catch (IOException e) {
            failed = e;
            group.failure = e;
        } catch (RuntimeException | Error e) {
            failed = e;
            group.failure = new IOException("force ended abruptly", e);
            throw e;
        } finally {
            handOver();
            group.done = true;
            for (Member member : group.members) {
                if (member != self) {
                    LockSupport.unpark(member.thread);
                }
            }
        }
    }

    private void checkNotFailed() throws IOException {
        Throwable first = failed;
        if (first != null) {
            throw new IOException("an earlier force of the log failed: " + first, first);
        }
    }

    private void handOver() {
        synchronized (this) {
            if (next.members.isEmpty()) {
                forcing = false;
            } else {
                Member leader = next.members.get(0);
                leader.leads = true;
                LockSupport.unpark(leader.thread);
            }
        }
    }
}
