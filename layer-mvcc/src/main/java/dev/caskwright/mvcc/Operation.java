package dev.caskwright.mvcc;

/** What a transaction does when its comparisons hold, or when they do not. */
public sealed interface Operation permits Put, DeleteRange, RangeRequest {}
