package dev.caskwright.mvcc;

import java.util.List;

/**
 * What a {@link DeleteRange} answers.
 *
 * @param deleted how many keys were there
 * @param previous what was there before, if that was asked for
 */
public record DeleteResult(long deleted, List<KeyValue> previous) implements OperationResult {}
