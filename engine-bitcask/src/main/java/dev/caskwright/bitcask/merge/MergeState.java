package dev.caskwright.bitcask.merge;

import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.write.WritePace;
import java.util.HashSet;
import java.util.Set;
import java.util.concurrent.atomic.AtomicLong;

/** What the merges of a store share: their pace, their figures, and whether they are to end. */
final class MergeState {
    final RateLimit rateLimit;
    final WritePace pace;

    /** Files whose key filters have no key too few. Of the merge that runs. */
    final Set<LogSegment> compared = new HashSet<>();

    private final AtomicLong merges = new AtomicLong();
    private final AtomicLong mergedBytes = new AtomicLong();
    private volatile boolean cancelled;
    private boolean isCounted; // of the merge that runs

    MergeState(RateLimit rateLimit, WritePace pace) {
        this.rateLimit = rateLimit;
        this.pace = pace;
    }

    /** Makes a running merge end soon without effect, and later ones not start. For any thread. */
    void cancel() {
        cancelled = true;
        rateLimit.cancel();
    }

    boolean isCancelled() {
        return cancelled;
    }

    /** Begins a merge, which is not counted yet. */
    void begin() {
        isCounted = false;
    }

    /** Counts the merge that runs, with the first of its commits. */
    void count() {
        if (!isCounted) {
            isCounted = true;
            merges.incrementAndGet();
        }
    }

    void addBytes(long bytes) {
        mergedBytes.addAndGet(bytes);
    }

    long merges() {
        return merges.get();
    }

    long mergedBytes() {
        return mergedBytes.get();
    }
}
