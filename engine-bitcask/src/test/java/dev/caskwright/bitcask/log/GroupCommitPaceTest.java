package dev.caskwright.bitcask.log;

import static org.assertj.core.api.Assertions.assertThat;

import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.lang.management.ThreadMXBean;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * How long those in a group commit wait, and how. Any round may be held up by whatever else the machine does, so most
 * rounds of one batch among many must be as they should be; with a wrong way of waiting hardly a round is. On a machine that
 * is busy otherwise even that may fail, so no build asks it: it is for mutation testing, and for whoever changes how to wait.
 */
@Tag("campaign")
@Timeout(60)
final class GroupCommitPaceTest {
    private static final int BATCHES = 100;
    private static final int ROUNDS = 10;
    private static final int MOST = 6;

    /** After it, leaders wait for 150 µs at most. */
    private static final long LONG_FORCE = 300_000;

    private static final long WAKING = 30_000;

    private final ThreadMXBean threads = ManagementFactory.getThreadMXBean();

    /** A round, which counts if it is as it should be. */
    @FunctionalInterface
    private interface Round {
        boolean isGood() throws Exception;
    }

    private static void assertMostAreGood(Round round) throws Exception {
        int best = 0;
        for (int batch = 0; batch < BATCHES && best < MOST; batch++) {
            int good = 0;
            for (int left = ROUNDS; left > 0 && good < MOST && good + left >= MOST; left--) {
                good += round.isGood() ? 1 : 0;
            }
            best = Math.max(best, good);
        }
        assertThat(best).as("good rounds of %s", ROUNDS).isGreaterThanOrEqualTo(MOST);
    }

    private static void spin(long nanos) {
        long start = System.nanoTime();
        while (System.nanoTime() - start < nanos) {
            Thread.onSpinWait();
        }
    }

    private static Thread start(FutureTask<?> task) {
        Thread thread = new Thread(task);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    @Test
    void whereForcesAreShortMembersDoNotPark() throws Exception {
        int writes = 50;
        AtomicLong appended = new AtomicLong();
        AtomicInteger forces = new AtomicInteger();
        GroupCommit commit = new GroupCommit(() -> {
            long reached = appended.get();
            forces.incrementAndGet();
            spin(20_000);
            return reached;
        });
        assertMostAreGood(() -> {
            forces.set(0);
            FutureTask<Long> one = new FutureTask<>(() -> parkedDuring(writes, commit, appended));
            FutureTask<Long> other = new FutureTask<>(() -> parkedDuring(writes, commit, appended));
            start(one);
            start(other);
            long parked = one.get(30, TimeUnit.SECONDS) + other.get(30, TimeUnit.SECONDS);
            // Most forces served both of them, so that one of them waited for it.
            return forces.get() < writes + writes / 2 && parked < writes / 10;
        });
    }

    private long parkedDuring(int writes, GroupCommit commit, AtomicLong appended) throws IOException {
        long thread = Thread.currentThread().getId();
        long before = threads.getThreadInfo(thread).getWaitedCount();
        for (int i = 0; i < writes; i++) {
            commit.await(appended.incrementAndGet());
        }
        return threads.getThreadInfo(thread).getWaitedCount() - before;
    }

    /**
     * One writer forces while another one waits, who is to lead the next group, and comes again some time after that one
     * has woken.
     */
    private static final class Returning {
        final AtomicLong appended = new AtomicLong();
        final GroupCommit commit = new GroupCommit(this::force);
        volatile int forces;
        volatile boolean mayEnd;
        volatile long joined;
        volatile long secondForce;

        private long force() {
            int number = ++forces;
            long reached = appended.get();
            if (number == 1) {
                spin(LONG_FORCE);
                while (!mayEnd) {
                    Thread.onSpinWait();
                }
            } else if (number == 2) {
                secondForce = System.nanoTime();
            }
            return reached;
        }

        /** Returns how many forces there were. */
        int run() throws Exception {
            FutureTask<?> leading = new FutureTask<>(() -> {
                commit.await(appended.incrementAndGet());
                return null;
            });
            Thread[] leader = new Thread[1];
            FutureTask<?> returning = new FutureTask<>(() -> {
                commit.await(appended.incrementAndGet());
                while (LockSupport.getBlocker(leader[0]) == commit) {
                    Thread.onSpinWait();
                }
                spin(WAKING);
                joined = System.nanoTime();
                commit.await(appended.incrementAndGet());
                return null;
            });
            start(returning);
            while (forces == 0) {
                Thread.onSpinWait();
            }
            leader[0] = start(leading);
            while (LockSupport.getBlocker(leader[0]) != commit) {
                Thread.onSpinWait();
            }
            mayEnd = true;
            returning.get(30, TimeUnit.SECONDS);
            leading.get(30, TimeUnit.SECONDS);
            return forces;
        }
    }

    @Test
    void aLeaderWaitsForThoseOfTheForceBeforeAndNoLonger() throws Exception {
        assertMostAreGood(() -> {
            Returning round = new Returning();
            return round.run() == 2 && round.secondForce - round.joined < 2 * WAKING;
        });
    }

    @Test
    void aLeaderWithNothingLeftToForceWaitsForNobody() throws Exception {
        AtomicLong ended = new AtomicLong();
        assertMostAreGood(() -> {
            Thread[] member = new Thread[1];
            GroupCommit[] commit = new GroupCommit[1];
            commit[0] = new GroupCommit(() -> {
                member[0] = start(new FutureTask<>(() -> {
                    commit[0].await(2);
                    ended.set(System.nanoTime());
                    return null;
                }));
                while (LockSupport.getBlocker(member[0]) != commit[0]) {
                    Thread.onSpinWait();
                }
                return 2;
            });
            commit[0].await(1);
            while (LockSupport.getBlocker(member[0]) == commit[0]) {
                Thread.onSpinWait();
            }
            long woken = System.nanoTime();
            member[0].join();
            return ended.get() - woken < 3 * WAKING;
        });
    }
}
