package dev.caskwright.mvcc.backend;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.TimeUnit;
import org.jspecify.annotations.Nullable;

/**
 * Tells when a write is durable. All writes that are committed together have the same one. Safe for any number of threads.
 */
public final class CommitToken {
    private @Nullable Throwable failure; // guarded by this, as all else
    private Outcome outcome = Outcome.APPLIED;
    private boolean isDone;
    private @Nullable List<Runnable> actions;

    CommitToken() {}

    /** Returns a token of what is durable already. */
    static CommitToken done() {
        CommitToken token = new CommitToken();
        token.isDone = true;
        return token;
    }

    /** Returns whether the write is committed, or has failed. */
    public synchronized boolean isDone() {
        return isDone;
    }

    /**
     * Waits until the write survives a power loss.
     *
     * @throws EngineException if the commit failed, with the reason as its cause. Its outcome is {@link Outcome#NOT_APPLIED} if the
     *     write is gone, or {@link Outcome#UNKNOWN} if it may be there after a reopening. Nobody reads it before that, either way.
     * @throws InterruptedException if the thread is interrupted; the write goes on
     */
    public synchronized void await() throws IOException, InterruptedException {
        while (!isDone) {
            wait();
        }
        check();
    }

    /** As {@link #await()}, for a time; returns whether the write is durable. */
    public synchronized boolean await(long timeout, TimeUnit unit) throws IOException, InterruptedException {
        long deadline = System.nanoTime() + unit.toNanos(timeout);
        while (!isDone) {
            long left = deadline - System.nanoTime();
            if (left <= 0) {
                return false;
            }
            TimeUnit.NANOSECONDS.timedWait(this, left);
        }
        check();
        return true;
    }

    private void check() throws EngineException {
        Throwable cause = failure;
        if (cause != null) {
            throw new EngineException(
                    cause instanceof EngineException typed ? typed.code() : ErrorCode.FAILED,
                    outcome,
                    "the commit of the write failed: " + cause,
                    cause);
        }
    }

    /**
     * Lets something be done once the write is committed or has failed, by the thread that commits, or now. It must not wait for
     * other commits. If it throws in a thread that commits, {@link BackendStats#lastFailure} tells, and nobody else is harmed.
     */
    public void whenDone(Runnable action) {
        synchronized (this) {
            if (!isDone) {
                List<Runnable> waiting = actions;
                if (waiting == null) {
                    waiting = new ArrayList<>();
                    actions = waiting;
                }
                waiting.add(action);
                return;
            }
        }
        action.run();
    }

    /** Tells everybody who waits; returns the first failure of an action, or null. */
    @Nullable Throwable complete() {
        return end(null, Outcome.APPLIED);
    }

    /** As {@link #complete}. What is done already stays so. */
    @Nullable Throwable fail(Throwable cause, Outcome known) {
        return end(cause, known);
    }

    private @Nullable Throwable end(@Nullable Throwable cause, Outcome known) {
        List<Runnable> waiting;
        synchronized (this) {
            if (isDone) {
                return null;
            }
            failure = cause;
            outcome = known;
            isDone = true;
            waiting = actions;
            actions = null;
            notifyAll();
        }
        Throwable first = null;
        if (waiting != null) {
            for (Runnable action : waiting) {
                try {
                    action.run();
                } catch (RuntimeException | Error e) { // the others are told all the same
                    first = first == null ? e : first;
                }
            }
        }
        return first;
    }
}
