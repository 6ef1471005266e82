package dev.caskwright.mvcc;

/**
 * A hash over all revisions up to one, the same as that of an etcd server with the same history.
 *
 * @param hash CRC-32C over what a compaction would leave, and everything after it
 * @param revision up to which it goes
 * @param compactedRevision the revision of the last compaction, or -1 if there was none
 */
public record HashResult(int hash, long revision, long compactedRevision) {}
