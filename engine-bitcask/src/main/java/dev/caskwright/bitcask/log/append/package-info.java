/**
 * The end of the log: how records are encoded, written, and forced together, and how space is taken ahead. All of it but the
 * forces runs under the write lock.
 */
@NullMarked
package dev.caskwright.bitcask.log.append;

import org.jspecify.annotations.NullMarked;
