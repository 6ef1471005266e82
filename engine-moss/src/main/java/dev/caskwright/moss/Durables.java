package dev.caskwright.moss;

import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

/*
 * Futures are completed one by one, outside of this object's lock, and each leaves the queue only once it is completed:
 * so none is forgotten, whatever a call that hangs on one of them throws, and however little memory there is. Two threads
 * may complete the same one. When either returns, all are.
 *
 * A store begins again with another one of these when it goes back to a checkpoint: what was written since then never
 * becomes durable, though versions go on.
 */
/**
 * Futures of writes that are to survive a power loss, completed as the log is forced and layers go below. For any
 * thread.
 */
final class Durables {
    private record Waiting(long version, CompletableFuture<Void> future) {}

    private final PriorityQueue<Waiting> waiting =
            new PriorityQueue<>((one, other) -> Long.compare(one.version, other.version));
    private long durable;
    private @Nullable Throwable failure;

    Durables(long durable) {
        this.durable = durable;
    }

    /** Returns a future that completes when the version is durable, or fails with the reason why it never will be. */
    synchronized CompletableFuture<Void> future(long version) {
        CompletableFuture<Void> future = new CompletableFuture<>();
        if (version <= durable) {
            future.complete(null);
        } else if (failure != null) {
            future.completeExceptionally(failure);
        } else {
            waiting.add(new Waiting(version, future));
        }
        return future;
    }

    synchronized boolean isDurable(long version) {
        return version <= durable;
    }

    /** Returns why versions that are not durable never will be, or null if they still may. */
    synchronized @Nullable Throwable failure() {
        return failure;
    }

    /** Notes that everything up to a version is durable, and completes the futures of that. */
    void advance(long version) {
        synchronized (this) {
            durable = Math.max(durable, version);
        }
        completeAll();
    }

    /** Notes that nothing more becomes durable. Futures are failed by {@link #completeAll}. */
    synchronized void markFailed(Throwable cause) {
        failure = failure == null ? cause : failure;
    }

    /** Lets everything that is not durable fail, now and from now on; the first cause stays. */
    void fail(Throwable cause) {
        markFailed(cause);
        completeAll();
    }

    /** Completes what can be. What hangs on the futures may run within this call, so no lock may be held. */
    void completeAll() {
        while (true) {
            Waiting first;
            Throwable cause = null;
            synchronized (this) {
                first = waiting.peek();
                if (first == null || first.version > durable && failure == null) {
                    return;
                }
                cause = first.version > durable ? failure : null;
            }
            if (cause == null) {
                first.future.complete(null);
            } else {
                first.future.completeExceptionally(cause);
            }
            synchronized (this) {
                Waiting head = waiting.peek();
                if (head != null && head.future == first.future) {
                    waiting.poll();
                }
            }
        }
    }
}
