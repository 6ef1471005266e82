package dev.caskwright.raft;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.BlockingQueue;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.ExecutorService;
import java.util.concurrent.Executors;
import java.util.concurrent.LinkedBlockingQueue;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import org.junit.jupiter.api.AfterEach;
import org.junit.jupiter.api.Test;

/** What a barrier does with the threads of Raft, which hold its locks while they tell an answer. */
final class ReadBarrierTest {
    private final ExecutorService reads = Executors.newCachedThreadPool();
    private final ScheduledExecutorService timer = Executors.newSingleThreadScheduledExecutor();
    private final ExecutorService raft = Executors.newSingleThreadExecutor(task -> new Thread(task, "raft"));

    /** What was asked, and by whom. */
    private final BlockingQueue<CompletableFuture<Object>> questions = new LinkedBlockingQueue<>();

    private final BlockingQueue<String> threads = new LinkedBlockingQueue<>();

    private final ReadBarrier barrier = new ReadBarrier(
            () -> {
                CompletableFuture<Object> question = new CompletableFuture<>();
                threads.add(Thread.currentThread().getName());
                questions.add(question);
                return question;
            },
            reads,
            timer,
            TimeUnit.MINUTES.toNanos(1));

    @AfterEach
    void stop() {
        barrier.close(new AssertionError("the test is over"));
        reads.shutdown();
        timer.shutdown();
        raft.shutdown();
    }

    @Test
    void raftIsAskedAndReadersAreToldInNoThreadOfRaftNorOfTheCaller() throws Exception {
        CompletableFuture<String> first =
                barrier.join().thenApply(unused -> Thread.currentThread().getName());
        CompletableFuture<Object> question = questions.poll(1, TimeUnit.MINUTES);
        CompletableFuture<Void> second = barrier.join(); // shares the next one
        raft.submit(() -> question.complete("applied")).get(1, TimeUnit.MINUTES);
        assertThat(first.get(1, TimeUnit.MINUTES)).isNotEqualTo("raft");
        CompletableFuture<Object> next = questions.poll(1, TimeUnit.MINUTES);
        raft.submit(() -> next.complete("applied")).get(1, TimeUnit.MINUTES);
        second.get(1, TimeUnit.MINUTES);
        assertThat(threads)
                .hasSize(2)
                .doesNotContain("raft", Thread.currentThread().getName());
    }

    @Test
    void whoIsToldOfABarrierMayWaitForAnotherOne() throws Exception {
        CompletableFuture<Void> both =
                barrier.join().thenRun(() -> barrier.join().join());
        for (int i = 0; i < 2; i++) {
            CompletableFuture<Object> question = questions.poll(1, TimeUnit.MINUTES);
            raft.submit(() -> question.complete("applied")).get(1, TimeUnit.MINUTES);
        }
        both.get(1, TimeUnit.MINUTES);
    }
}
