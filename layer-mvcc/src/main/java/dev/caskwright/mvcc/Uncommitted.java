package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.CommitToken;
import java.util.ArrayDeque;
import java.util.Deque;
import org.jspecify.annotations.Nullable;

/**
 * What was in memory before the writes that are not committed yet: to go back to when they are lost, without reading the whole store. There
 * are two commits at most whose end is not known. Used within transactions, or while nobody writes.
 */
final class Uncommitted {
    private final Deque<Before> commits = new ArrayDeque<>();

    /**
     * What was in memory before the first write of a commit.
     *
     * @param token of the commit
     * @param leaseChanges how often leases, and what goes with them, had changed by then
     */
    record Before(
            CommitToken token, Contents contents, boolean hasSpaceAlarm, long finishedCompaction, long leaseChanges) {}

    /** Returns whether a commit's first write has been noted. */
    boolean isNoted(CommitToken token) {
        Before last = commits.peekLast();
        return last != null && last.token == token;
    }

    /** Notes what is in memory before the first write of a commit. */
    void note(Before before) {
        forgetCommitted();
        commits.addLast(before);
    }

    private void forgetCommitted() {
        while (!commits.isEmpty() && commits.peekFirst().token.isDone()) {
            commits.removeFirst();
        }
    }

    /** Returns what was in memory before everything that is not committed, and forgets it; null if all is committed. */
    @Nullable Before takeAll() {
        forgetCommitted();
        Before oldest = commits.peekFirst();
        commits.clear();
        return oldest;
    }
}
