package dev.caskwright.mvcc;

import java.util.List;

/**
 * What a {@link RangeRequest} answers.
 *
 * @param revision the latest revision of the store when it was answered
 * @param entries the keys, as they were asked for
 * @param hasMore whether the limit left some out
 * @param count how many keys there are in the range at that revision, whatever the limit
 */
public record RangeResult(long revision, List<KeyValue> entries, boolean hasMore, long count)
        implements OperationResult {}
