/**
 * Copies of whole stores: backups of open ones, and copies of closed ones of which only what is sound is kept. They may touch
 * {@code store} and the log.
 */
@NullMarked
package dev.caskwright.bitcask.copy;

import org.jspecify.annotations.NullMarked;
