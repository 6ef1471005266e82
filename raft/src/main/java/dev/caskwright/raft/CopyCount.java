package dev.caskwright.raft;

import dev.caskwright.api.UnsupportedFormatException;
import java.io.IOException;
import java.util.List;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.RejectedExecutionException;
import java.util.concurrent.ScheduledExecutorService;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.Supplier;

/**
 * Counts the other members that have an entry, and know that it is agreed on, until they are as many as wanted. A majority has it
 * before that.
 */
final class CopyCount {
    private static final long PAUSE_MILLIS = 20;

    private final CompletableFuture<Integer> copies;
    private final int wanted;
    private final long index;
    private final Supplier<List<RaftMember>> others;
    private final Lookout.Group group;
    private final ScheduledExecutorService timer;
    private final AtomicInteger most = new AtomicInteger();

    /** @param copies is completed with the count; once it is done, by whomever, nobody is asked any more */
    CopyCount(
            CompletableFuture<Integer> copies,
            int wanted,
            long index,
            Supplier<List<RaftMember>> others,
            Lookout.Group group,
            ScheduledExecutorService timer) {
        this.copies = copies;
        this.wanted = wanted;
        this.index = index;
        this.others = others;
        this.group = group;
        this.timer = timer;
    }

    /** Begins. A time-out of 0 is none. */
    @SuppressWarnings("FutureReturnValueIgnored") // the timer ends with the node
    void begin(long timeoutNanos) {
        int certain = (others.get().size() + 1) / 2;
        most.set(certain);
        if (certain >= wanted) {
            copies.complete(certain);
            return;
        }
        if (timeoutNanos > 0) {
            timer.schedule(() -> copies.complete(most.get()), timeoutNanos, TimeUnit.NANOSECONDS);
        }
        ask();
    }

    @SuppressWarnings("FutureReturnValueIgnored") // their ends are handled
    private void ask() {
        if (copies.isDone()) {
            return;
        }
        byte[] hello = group.self().toBytes();
        AtomicInteger found = new AtomicInteger();
        CompletableFuture<?>[] answers = others.get().stream()
                .map(member -> group.ask(member, hello).handle((answer, failed) -> {
                    if (failed == null && hasEntry(answer)) {
                        int now = found.incrementAndGet();
                        if (most.accumulateAndGet(now, Math::max) >= wanted) {
                            copies.complete(most.get());
                        }
                    }
                    return null;
                }))
                .toArray(CompletableFuture[]::new);
        CompletableFuture.allOf(answers).thenRun(this::askLater);
    }

    private boolean hasEntry(java.nio.ByteBuffer answer) {
        try {
            return Hello.of(answer).committed() >= index;
        } catch (UnsupportedFormatException e) {
            return false; // of another version: it does not say how far it is
        }
    }

    @SuppressWarnings("FutureReturnValueIgnored") // the timer ends with the node
    private void askLater() {
        try {
            timer.schedule(this::ask, PAUSE_MILLIS, TimeUnit.MILLISECONDS);
        } catch (RejectedExecutionException e) {
            copies.completeExceptionally(
                    RaftException.notApplied("the node answers no reads", new IOException("the node is closed")));
        }
    }
}
