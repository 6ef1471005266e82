package dev.caskwright.bolt;

/**
 * Figures about a transaction; those of changes are 0 in one that reads, and are final once it is committed.
 *
 * @param state number of the state that it reads, or makes
 * @param nanos how long it has been open, in nanoseconds
 * @param nodes pages that became nodes since something below them was changed, and that are rewritten
 * @param writtenPages pages of these, without the list of free pages and the meta page
 * @param putBytes bytes of keys and values that were put
 */
public record TransactionStats(long state, long nanos, long nodes, long writtenPages, long putBytes) {}
