/**
 * The keys that files are encrypted by. It knows bytes alone; what of a file is encrypted, others decide.
 */
@NullMarked
package dev.caskwright.bitcask.log.keys;

import org.jspecify.annotations.NullMarked;
