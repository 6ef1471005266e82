package dev.caskwright.raft;

import java.util.concurrent.CompletableFuture;
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
    private final long timeoutNanos;
    private @Nullable CompletableFuture<Void> running;
    private @Nullable CompletableFuture<Void> waiting;
    private long deadlineNanos;
    private @Nullable Throwable closed;

    /** @param question asks Raft once; its future ends when this member has applied what it must have */
    ReadBarrier(Supplier<CompletableFuture<?>> question, ScheduledExecutorService timer, long timeoutNanos) {
        this.question = question;
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
        ask();
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

    /** Asks until there is nobody left whom an answer that is there already does not serve. */
    @SuppressWarnings("FutureReturnValueIgnored") // its end is handled
    private void ask() {
        while (true) {
            CompletableFuture<?> answer;
            try {
                answer = question.get();
            } catch (RuntimeException e) {
                answer = CompletableFuture.failedFuture(e);
            }
            if (!answer.isDone()) {
                answer.whenComplete((reply, failure) -> {
                    if (answered(failure)) {
                        ask();
                    }
                });
                return;
            }
            if (!answered(answer.handle((reply, failure) -> failure).join())) {
                return;
            }
        }
    }

    /** Ends a barrier, or has it tried again; returns whether another one is to begin now. */
    @SuppressWarnings("FutureReturnValueIgnored") // the timer ends with the node, which ends who waits
    private boolean answered(@Nullable Throwable failure) {
        CompletableFuture<Void> done;
        boolean isAnother;
        synchronized (this) {
            if (failure != null && closed == null && System.nanoTime() - deadlineNanos < 0) {
                try {
                    timer.schedule(this::ask, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
                    return false;
                } catch (java.util.concurrent.RejectedExecutionException e) {
                    failure.addSuppressed(e); // the node is being closed
                }
            }
            done = running;
            next();
            isAnother = running != null;
        }
        if (done == null) {
            return false; // the node was closed meanwhile
        }
        if (failure == null) {
            done.complete(null);
        } else {
            done.completeExceptionally(RaftException.notApplied(
                    "no leader confirmed the read in time: millis=" + TimeUnit.NANOSECONDS.toMillis(timeoutNanos)
                            + "; a majority of the members must be up and reach each other",
                    failure));
        }
        return isAnother;
    }
}
