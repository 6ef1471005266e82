package dev.caskwright.bitcask.log.append;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.FutureTask;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Who gives way to others in a group commit, and for whom, as the threads' stacks show it. A thread that does so for some
 * 100 µs may be missed, so there are rounds until it is seen once. A machine that is busy all the time may never show it, so
 * no build asks: it is for mutation testing, and for whoever changes how to wait.
 */
@Tag("campaign")
@Timeout(60)
final class GroupCommitPaceTest {
    private static final int ROUNDS = 200;
    private static final int SHORT_FORCES = 20;

    /** A round, which returns whether it was seen. */
    @FunctionalInterface
    private interface Round {
        boolean isSeen() throws Exception;
    }

    private static void assertIsSeen(Round round) throws Exception {
        for (int i = 0; i < ROUNDS; i++) {
            if (round.isSeen()) {
                return;
            }
        }
        throw new AssertionError("not seen in any round");
    }

    private static Thread start(FutureTask<?> task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private static FutureTask<?> awaiting(GroupCommit commit, long position) {
        return new FutureTask<>(() -> {
            commit.await(position);
            return null;
        });
    }

    private static boolean isGivingWay(Thread thread) {
        for (StackTraceElement frame : thread.getStackTrace()) {
            if (frame.getMethodName().equals("giveWay")) {
                return true;
            }
        }
        return false;
    }

    private static boolean isParked(Thread thread, GroupCommit commit) {
        return LockSupport.getBlocker(thread) == commit;
    }

    private static void awaitParked(Thread thread, GroupCommit commit) {
        while (!isParked(thread, commit)) {
            Thread.onSpinWait();
        }
    }

    @Test
    void whereForcesAreShortAMemberGivesWayBeforeItParks() throws Exception {
        assertIsSeen(() -> {
            GroupCommit[] commit = new GroupCommit[1];
            AtomicInteger forces = new AtomicInteger();
            AtomicBoolean isSeen = new AtomicBoolean();
            Thread[] member = new Thread[1];
            commit[0] = new GroupCommit(
                    () -> {
                        if (forces.incrementAndGet() == SHORT_FORCES + 1) {
                            member[0] = start(awaiting(commit[0], SHORT_FORCES + 2));
                            while (!isSeen.get() && !isParked(member[0], commit[0])) {
                                isSeen.set(isGivingWay(member[0]));
                            }
                        }
                        return forces.get();
                    },
                    "store");
            for (int position = 1; position <= SHORT_FORCES + 1; position++) {
                commit[0].await(position);
            }
            member[0].join();
            return isSeen.get();
        });
    }

    /** One of them comes back when it sees the leader of the next group wait, and needs no third force. */
    @Test
    void aLeaderWaitsForThoseOfTheForceBefore() throws Exception {
        assertIsSeen(() -> {
            AtomicLong appended = new AtomicLong();
            AtomicInteger forces = new AtomicInteger();
            GroupCommit[] commit = new GroupCommit[1];
            Thread[] leader = new Thread[1];
            commit[0] = new GroupCommit(
                    () -> {
                        long reached = appended.get();
                        if (forces.incrementAndGet() == 1) {
                            leader[0] = start(awaiting(commit[0], appended.incrementAndGet()));
                            awaitParked(leader[0], commit[0]); // so long a force lets leaders wait
                        }
                        return reached;
                    },
                    "store");
            commit[0].await(appended.incrementAndGet());
            while (leader[0].isAlive() && !isGivingWay(leader[0])) {
                Thread.onSpinWait();
            }
            commit[0].await(appended.incrementAndGet());
            leader[0].join();
            return forces.get() == 2;
        });
    }

    @Test
    void aLeaderWithNothingLeftToForceWaitsForNobody() throws Exception {
        for (int i = 0; i < 100; i++) {
            GroupCommit[] commit = new GroupCommit[1];
            Thread[] leader = new Thread[1];
            commit[0] = new GroupCommit(
                    () -> {
                        leader[0] = start(awaiting(commit[0], 2));
                        awaitParked(leader[0], commit[0]);
                        return 2;
                    },
                    "store");
            commit[0].await(1);
            while (leader[0].isAlive()) {
                assertThat(isGivingWay(leader[0])).isFalse();
            }
        }
    }
}
