/**
 * Makes a sound log of what is left of a damaged one, in another directory.
 */
@NullMarked
package dev.caskwright.bitcask.log.salvage;

import org.jspecify.annotations.NullMarked;
