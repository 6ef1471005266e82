package dev.caskwright.mvcc;

import org.jspecify.annotations.Nullable;

/**
 * What a {@link Put} answers.
 *
 * @param previous what was there before, if that was asked for
 */
public record PutResult(@Nullable KeyValue previous) implements OperationResult {}
