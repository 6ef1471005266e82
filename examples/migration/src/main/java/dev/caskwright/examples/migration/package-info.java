/** Moves what MapDB or RocksDB holds into a store. */
@NullMarked
package dev.caskwright.examples.migration;

import org.jspecify.annotations.NullMarked;
