/** Writes that are batched and yet readable at once, over any ordered engine with snapshots. */
@NullMarked
package dev.caskwright.mvcc.backend;

import org.jspecify.annotations.NullMarked;
