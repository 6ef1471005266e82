package dev.caskwright.mvcc.backend;

import org.jspecify.annotations.Nullable;

/**
 * Figures about a {@link BatchedBackend}.
 *
 * @param commits how many commits succeeded since it was opened
 * @param gathered how many changes wait for a commit to begin
 * @param committing how many changes are being committed
 * @param lastFailure what failed last: a commit, the timer, or something that was to be done after a commit; or null
 */
public record BackendStats(
        long commits,
        long gathered,
        long committing,
        @Nullable Throwable lastFailure) {}
