package dev.caskwright.moss;

import java.util.ArrayList;
import java.util.List;
import java.util.PriorityQueue;
import java.util.concurrent.CompletableFuture;
import org.jspecify.annotations.Nullable;

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

    void advance(long version) {
        List<CompletableFuture<Void>> done = new ArrayList<>();
        synchronized (this) {
            durable = Math.max(durable, version);
            for (Waiting first = waiting.peek(); first != null && first.version <= durable; first = waiting.peek()) {
                done.add(first.future);
                waiting.remove();
            }
        }
        done.forEach(future -> future.complete(null));
    }

    void fail(Throwable cause) {
        List<CompletableFuture<Void>> failed = new ArrayList<>();
        synchronized (this) {
            failure = failure == null ? cause : failure;
            waiting.forEach(each -> failed.add(each.future));
            waiting.clear();
        }
        failed.forEach(future -> future.completeExceptionally(cause));
    }
}
