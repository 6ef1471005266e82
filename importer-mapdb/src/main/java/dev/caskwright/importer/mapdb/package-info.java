/** Reads stores of MapDB. */
@NullMarked
package dev.caskwright.importer.mapdb;

import org.jspecify.annotations.NullMarked;
