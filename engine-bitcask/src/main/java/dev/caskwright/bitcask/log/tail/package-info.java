/**
 * Where the log ends after a crash: which files that the manifest does not list belong to it, and which of their records
 * count. It changes files only where recovery must.
 */
@NullMarked
package dev.caskwright.bitcask.log.tail;

import org.jspecify.annotations.NullMarked;
