package dev.caskwright.bitcask.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Consumer;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/** Who waits for the write lock is served after a bounded number of turns of the others: counted, not timed. */
@Timeout(60)
final class WriteLockTest {
    private final WriteLock lock = new WriteLock("store");

    private Thread start(Runnable work) {
        Thread thread = new Thread(work);
        thread.setDaemon(true);
        thread.start();
        return thread;
    }

    private void awaitQueued(Thread thread) {
        while (!lock.hasQueuedThread(thread)) {
            Thread.onSpinWait();
        }
    }

    /** Counts how often one greedy thread gets the lock before one that is parked does. */
    private int turnsBefore(Consumer<WriteLock> waiting) throws InterruptedException {
        AtomicInteger turns = new AtomicInteger();
        AtomicInteger seen = new AtomicInteger(-1);
        lock.lock();
        Thread waiter = start(() -> {
            waiting.accept(lock);
            try {
                seen.set(turns.get());
            } finally {
                lock.unlock();
            }
        });
        awaitQueued(waiter);
        lock.unlock();
        while (seen.get() < 0) {
            lock.lockForWriting();
            try {
                turns.incrementAndGet();
            } finally {
                lock.unlock();
            }
        }
        waiter.join();
        return seen.get();
    }

    @Test
    void aGreedyWriterOvertakesAParkedOneABoundedNumberOfTimes() throws InterruptedException {
        for (int round = 0; round < 200; round++) {
            assertThat(turnsBefore(WriteLock::lockForWriting)).isLessThanOrEqualTo(WriteLock.MAX_OVERTAKES);
        }
    }

    /** So do snapshots, syncs and merges take it. */
    @Test
    void whoWaitsInTurnIsNotOvertakenMoreOften() throws InterruptedException {
        for (int round = 0; round < 200; round++) {
            assertThat(turnsBefore(WriteLock::lock)).isLessThanOrEqualTo(WriteLock.MAX_OVERTAKES);
        }
    }

    @Test
    void thoseThatWaitAreServedInTheirOrder() throws InterruptedException {
        List<Integer> order = new ArrayList<>(); // guarded by the lock
        List<Thread> threads = new ArrayList<>();
        lock.lock();
        try {
            for (int i = 0; i < 10; i++) {
                int number = i;
                threads.add(start(() -> {
                    lock.lockForWriting();
                    try {
                        order.add(number);
                    } finally {
                        lock.unlock();
                    }
                }));
                awaitQueued(threads.get(i));
            }
        } finally {
            lock.unlock();
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(order).containsExactly(0, 1, 2, 3, 4, 5, 6, 7, 8, 9);
    }

    /**
     * Counts for each writer how many turns the others had between its coming and its turn. A few may be beyond the bound: the system took
     * the processor from a writer that had come and did not wait yet.
     */
    @Test
    void ofManyWritersNoneWaitsForMoreThanSomeRoundsOfTheOthers() throws InterruptedException {
        int count = 50;
        // Each of those before it in the queue may be overtaken as often as the bound allows, by each that spins once
        // more.
        int bound = 2 * count * (WriteLock.MAX_OVERTAKES + count);
        AtomicInteger all = new AtomicInteger();
        AtomicInteger late = new AtomicInteger();
        List<Thread> threads = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            threads.add(start(() -> {
                for (int turn = 0; turn < 500; turn++) {
                    int before = all.get();
                    lock.lockForWriting();
                    try {
                        int now = all.incrementAndGet();
                        if (now - before > bound) {
                            late.incrementAndGet();
                        }
                    } finally {
                        lock.unlock();
                    }
                }
            }));
        }
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(late.get()).isLessThanOrEqualTo(count / 10);
        assertThat(all.get()).isEqualTo(count * 500);
    }
}
