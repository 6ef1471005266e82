/**
 * What all parts of an open store share: the log and the index that are kept in step, the write lock, the version of the last
 * write, the clock, read epochs, buffers of calls, and open snapshots. Begin with {@code Store}. It touches the log (by its
 * interfaces), {@code undo} and {@code events}; reads, writes and merges stand on it, and it knows none of them.
 */
@NullMarked
package dev.caskwright.bitcask.store;

import org.jspecify.annotations.NullMarked;
