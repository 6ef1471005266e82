package dev.caskwright.bitcask.log.append;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.Callable;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.FutureTask;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicLong;
import java.util.concurrent.locks.LockSupport;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

@Timeout(60)
final class GroupCommitTest {
    private static final int MEMBERS = 8;

    private final AtomicLong appended = new AtomicLong();
    private final AtomicInteger forces = new AtomicInteger();
    private final CountDownLatch isForcing = new CountDownLatch(1);
    private final CountDownLatch mayEnd = new CountDownLatch(1);
    private final GroupCommit commit = new GroupCommit(this::force, "store");
    private volatile @Nullable Throwable laterFailure;

    /** The first force takes until it is let go; the later ones may fail. */
    private long force() throws IOException {
        long reached = appended.get();
        if (forces.incrementAndGet() == 1) {
            isForcing.countDown();
            await(mayEnd);
        } else if (laterFailure instanceof IOException failure) {
            throw failure;
        } else if (laterFailure instanceof RuntimeException failure) {
            throw failure;
        }
        return reached;
    }

    private static void await(CountDownLatch latch) {
        try {
            assertThat(latch.await(30, TimeUnit.SECONDS)).isTrue();
        } catch (InterruptedException e) {
            throw new AssertionError(e);
        }
    }

    /** A thread that appends and awaits. */
    private final class Writer {
        final GroupCommit commit;
        final FutureTask<Boolean> task;
        final Thread thread;

        Writer(GroupCommit commit) {
            this.commit = commit;
            Callable<Boolean> call = () -> {
                long position = appended.incrementAndGet();
                commit.await(position);
                assertThat(commit.durable()).isGreaterThanOrEqualTo(position);
                return Thread.currentThread().isInterrupted();
            };
            task = new FutureTask<>(call);
            thread = new Thread(task);
            thread.start();
        }

        /** Returns once the thread waits in the group commit. */
        void awaitParked() {
            while (LockSupport.getBlocker(thread) != commit) {
                assertThat(task.isDone()).as("it waits for a force").isFalse();
                Thread.onSpinWait();
            }
        }

        boolean join() throws Exception {
            return task.get(30, TimeUnit.SECONDS);
        }
    }

    private Writer leader() {
        Writer leader = new Writer(commit);
        await(isForcing);
        return leader;
    }

    private List<Writer> members() {
        List<Writer> members = new ArrayList<>();
        for (int i = 0; i < MEMBERS; i++) {
            members.add(new Writer(commit));
        }
        members.forEach(Writer::awaitParked);
        return members;
    }

    @Test
    void thoseThatComeMeanwhileShareTheNextForce() throws Exception {
        Writer leader = leader();
        List<Writer> members = members();
        assertThat(commit.durable()).isZero();
        mayEnd.countDown();
        leader.join();
        for (Writer member : members) {
            assertThat(member.join()).isFalse();
        }
        assertThat(forces.get()).isEqualTo(2);
        assertThat(commit.durable()).isEqualTo(1 + MEMBERS);
    }

    @Test
    void aFailureReachesEveryMemberOfItsGroup() throws Exception {
        laterFailure = new IOException("no disk");
        Writer leader = leader();
        List<Writer> members = members();
        mayEnd.countDown();
        leader.join();
        for (Writer member : members) {
            assertThatThrownBy(member::join).hasStackTraceContaining("no disk");
        }
        assertThat(forces.get()).isEqualTo(2);
        assertThat(commit.durable()).isEqualTo(1);
    }

    @Test
    void aForceThatEndsAbruptlyReachesEveryMemberToo() throws Exception {
        laterFailure = new IllegalStateException("a bug");
        Writer leader = leader();
        List<Writer> members = members();
        mayEnd.countDown();
        leader.join();
        for (Writer member : members) {
            assertThatThrownBy(member::join).hasStackTraceContaining("a bug");
        }
    }

    @Test
    void anInterruptIsKeptForLater() throws Exception {
        Writer leader = leader();
        List<Writer> members = members();
        Writer interrupted = members.get(3);
        interrupted.thread.interrupt();
        while (interrupted.thread.isInterrupted()) { // it takes note, and waits on
            Thread.onSpinWait();
        }
        assertThat(interrupted.task.isDone()).isFalse();
        mayEnd.countDown();
        leader.join();
        for (Writer member : members) {
            assertThat(member.join()).isEqualTo(member == interrupted);
        }
    }

    @Test
    void whatIsDurableNeedsNoForce() throws Exception {
        commit.startAt(100);
        commit.await(100);
        assertThat(forces.get()).isZero();
        mayEnd.countDown();
        appended.set(101);
        commit.await(101);
        assertThat(forces.get()).isEqualTo(1);
        assertThat(commit.durable()).isEqualTo(101);
    }

    @Test
    void whatTheForceBeforeCameToIsNotForcedAgain() throws Exception {
        GroupCommit late = new GroupCommit(
                () -> {
                    forces.incrementAndGet();
                    isForcing.countDown();
                    await(mayEnd);
                    return appended.get();
                },
                "store");
        Writer leader = new Writer(late);
        await(isForcing);
        Writer member = new Writer(late);
        Writer other = new Writer(late);
        member.awaitParked();
        other.awaitParked();
        mayEnd.countDown();
        leader.join();
        member.join();
        other.join();
        assertThat(forces.get()).isEqualTo(1);
    }

    @Test
    void aForceIsMadeThoughAllIsDurable() throws Exception {
        mayEnd.countDown();
        commit.force();
        commit.force();
        assertThat(forces.get()).isEqualTo(2);
    }

    @Test
    void afterAFailureNothingIsForcedAgain() throws Exception {
        mayEnd.countDown();
        appended.set(1);
        commit.await(1);
        IOException failure = new IOException("no disk");
        laterFailure = failure;
        appended.set(2);
        assertThatThrownBy(() -> commit.await(2)).isSameAs(failure);
        laterFailure = null;
        for (int i = 0; i < 2; i++) {
            assertThatThrownBy(() -> commit.await(2))
                    .isInstanceOf(IOException.class)
                    .hasMessageContaining("an earlier force of the log failed")
                    .hasCause(failure);
        }
        assertThatThrownBy(commit::force).hasCause(failure);
        commit.await(1); // is durable as it was
        assertThat(commit.durable()).isEqualTo(1);
        assertThat(forces.get()).isEqualTo(2);
    }

    /** They joined before the force failed that they waited behind, and are not told by a check before. */
    @Test
    void thoseWhoWaitBehindAForceThatFailsAreNotForced() throws Exception {
        IllegalStateException failure = new IllegalStateException("a bug");
        GroupCommit failing = new GroupCommit(
                () -> {
                    if (forces.incrementAndGet() == 1) {
                        isForcing.countDown();
                        await(mayEnd);
                        throw failure;
                    }
                    return appended.get();
                },
                "store");
        Writer leader = new Writer(failing);
        await(isForcing);
        Writer member = new Writer(failing);
        Writer other = new Writer(failing);
        member.awaitParked();
        other.awaitParked();
        mayEnd.countDown();
        assertThatThrownBy(leader::join).cause().isInstanceOf(IOException.class).hasCause(failure);
        for (Writer each : List.of(member, other)) {
            assertThatThrownBy(each::join)
                    .cause()
                    .isInstanceOf(IOException.class)
                    .hasCause(failure)
                    .hasMessageContaining("an earlier force of the log failed");
        }
        assertThat(forces.get()).isEqualTo(1);
        assertThat(failing.durable()).isZero();
    }

    @Test
    void nobodyReturnsBeforeItsPositionIsDurable() throws Exception {
        mayEnd.countDown();
        List<FutureTask<Boolean>> tasks = new ArrayList<>();
        for (int i = 0; i < 4; i++) {
            tasks.add(new FutureTask<>(() -> {
                for (int write = 0; write < 2_000; write++) {
                    long position = appended.incrementAndGet();
                    commit.await(position);
                    assertThat(commit.durable()).isGreaterThanOrEqualTo(position);
                }
                return true;
            }));
            new Thread(tasks.get(i)).start();
        }
        for (FutureTask<Boolean> task : tasks) {
            assertThat(task.get(30, TimeUnit.SECONDS)).isTrue();
        }
        assertThat(forces.get()).isLessThanOrEqualTo(8_000);
    }
}
