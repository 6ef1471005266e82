/**
 * Writes: puts, deletes, conditional writes, batches, transactions, and forces in the background. Each takes the write lock of
 * {@code store}, appends to the log, and then changes the index. They may read, since a condition is a read; merges are
 * unknown here.
 */
@NullMarked
package dev.caskwright.bitcask.write;

import org.jspecify.annotations.NullMarked;
