package dev.caskwright.raft;

import java.util.concurrent.CompletableFuture;
import java.util.concurrent.Executor;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;

/**
 * Makes reads linearizable: after a barrier, this member has applied whatever had been acknowledged anywhere when the barrier was
 * asked for. One is under way at a time; all reads that come meanwhile share the next, since the one under way may have looked at
 * the log before they came. Asking again costs nothing but time, so a barrier that fails is tried again until its time is over.
 */
final class ReadBarrier {
    private static final long PAUSE_MILLIS = 50;

    private final Supplier<CompletableFuture<?>> question;
    private final ScheduledExecutorService timer;
    private final Executor asker;
    private final long timeoutNanos;
    private @Nullable CompletableFuture<Void> running;
    private @Nullable CompletableFuture<Void> waiting;
    private long deadlineNanos;
    private @Nullable Throwable closed;

    /**
     * @param question asks Raft once; its future ends when this member has applied what it must have
     * @param asker where Raft is asked, and those who wait are told: not in Raft's own threads, which hold its locks when they tell
     *     an answer, and wait for each other when they are asked
     */
    ReadBarrier(
            Supplier<CompletableFuture<?>> question,
            Executor asker,
            ScheduledExecutorService timer,
            long timeoutNanos) {
        this.question = question;
        this.asker = asker;
        this.timer = timer;
        this.timeoutNanos = timeoutNanos;
    }

    /** Returns a future that ends when reads of the local store are not stale. */
    CompletableFuture<Void> join() {
        CompletableFuture<Void> mine;
        synchronized (this) {
            if (closed != null) {
                return CompletableFuture.failedFuture(RaftException.notApplied("the node answers no reads", closed));
            }
            if (waiting == null) {
                waiting = new CompletableFuture<>();
            }
            mine = waiting;
            if (running != null) {
                return mine.copy();
            }
            next();
        }
        askSoon();
        return mine.copy();
    }

    /** Ends those who wait, and refuses those who come. */
    void close(Throwable cause) {
        CompletableFuture<Void> first;
        CompletableFuture<Void> second;
        synchronized (this) {
            closed = cause;
            first = running;
            second = waiting;
            running = null;
            waiting = null;
        }
        RaftException failure = RaftException.notApplied("the node answers no reads", cause);
        if (first != null) {
            first.completeExceptionally(failure);
        }
        if (second != null) {
            second.completeExceptionally(failure);
        }
    }

    /** Makes those who wait the ones whose barrier is under way. */
    private void next() {
        running = waiting;
        waiting = null;
        deadlineNanos = System.nanoTime() + timeoutNanos;
    }

    private void askSoon() {
        try {
            asker.execute(this::ask);
        } catch (RejectedExecutionException e) {
            close(e); // the node is being closed
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    private void ask() {
        CompletableFuture<?> answer;
        try {
            answer = question.get();
        } catch (RuntimeException e) {
            answer = CompletableFuture.failedFuture(e);
        }
        answer.whenCompleteAsync((reply, failure) -> answered(failure), asker);
    }

    /** Ends a barrier, or has it tried again, and begins another one for those who came meanwhile. */
    @SuppressWarnings("FutureReturnValueIgnored") // the timer ends with the node, which ends who waits
    private void answered(@Nullable Throwable failure) {
        CompletableFuture<Void> done;
        boolean isAnother;
        synchronized (this) {
            if (failure != null && closed == null && System.nanoTime() - deadlineNanos < 0) {
                try {
                    timer.schedule(this::askSoon, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
                    return;
                } catch (RejectedExecutionException e) {
                    failure.addSuppressed(e); // the node is being closed
                }
            }
            done = running;
            next();
            isAnother = running != null;
        }
        if (done == null) {
            return; // the node was closed meanwhile
        }
        if (isAnother) {
            askSoon(); // first, since who is told now may wait for it
        }
        if (failure == null) {
            done.complete(null);
        } else {
            done.completeExceptionally(RaftException.notApplied(
                    "no leader confirmed the read in time: millis=" + TimeUnit.NANOSECONDS.toMillis(timeoutNanos)
                            + "; a majority of the members must be up and reach each other",
                    failure));
        }
    }
}
