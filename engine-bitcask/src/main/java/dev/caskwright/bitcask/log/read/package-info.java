/**
 * Reading records by their locators: one positional read each. No lock is taken, and nothing is written; the caller holds a
 * read epoch or a pin.
 */
@NullMarked
package dev.caskwright.bitcask.log.read;

import org.jspecify.annotations.NullMarked;
