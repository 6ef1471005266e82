package dev.caskwright.mvcc;

/** What an {@link Operation} answers. */
public sealed interface OperationResult permits PutResult, DeleteResult, RangeResult {}
