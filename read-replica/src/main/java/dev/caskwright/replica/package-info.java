/** A store that follows another one, for reads, by backup and change feed. */
@NullMarked
package dev.caskwright.replica;

import org.jspecify.annotations.NullMarked;
