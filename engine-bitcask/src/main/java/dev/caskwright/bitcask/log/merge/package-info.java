/**
 * The files that a merge writes. What is copied to them, and when they count, the engine decides.
 */
@NullMarked
package dev.caskwright.bitcask.log.merge;

import org.jspecify.annotations.NullMarked;
