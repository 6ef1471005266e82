/**
 * Reading a data file from front to end, and searching it for records after damage. It judges records by themselves; what
 * comes after the last sound one is for {@code tail} and {@code salvage} to say.
 */
@NullMarked
package dev.caskwright.bitcask.log.scan;

import org.jspecify.annotations.NullMarked;
