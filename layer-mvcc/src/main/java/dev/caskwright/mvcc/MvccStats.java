package dev.caskwright.mvcc;

import dev.caskwright.mvcc.backend.BackendStats;
import org.jspecify.annotations.Nullable;

/**
 * Figures about a store, consistent to within the writes that go on.
 *
 * @param revision the latest revision
 * @param compactedRevision the revision of the last compaction, or -1 if there was none
 * @param keys how many keys have a history, deleted ones included until they are compacted
 * @param leases how many leases there are
 * @param watches how many watches are open
 * @param sizeBytes the length of what is stored and of what is free within it; a file may be longer, to grow ahead
 * @param inUseBytes how much of that is in use, with what is not committed yet
 * @param hasSpaceAlarm whether puts are refused because the quota is used up
 * @param lastBackgroundFailure why ending a lease or resuming a compaction failed last, or null; it is tried again
 * @param backend figures about the commits
 */
public record MvccStats(
        long revision,
        long compactedRevision,
        long keys,
        long leases,
        long watches,
        long sizeBytes,
        long inUseBytes,
        boolean hasSpaceAlarm,
        @Nullable Throwable lastBackgroundFailure,
        BackendStats backend) {}
