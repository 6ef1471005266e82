/**
 * Hint files: what a data file's records are, without their values. They are caches: a data file counts without one.
 */
@NullMarked
package dev.caskwright.bitcask.log.hint;

import org.jspecify.annotations.NullMarked;
