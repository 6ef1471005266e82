/**
 * Merges: which files, at what pace, which records may go, and the switch of the index to the new files; and images of the
 * index, which are saved after merges and from time to time. {@code Merger} has the order that a crash may interrupt. They
 * work on {@code store}, and know neither reads nor writes.
 */
@NullMarked
package dev.caskwright.bitcask.merge;

import org.jspecify.annotations.NullMarked;
