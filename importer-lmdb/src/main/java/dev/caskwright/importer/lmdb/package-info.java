/** Reads stores of LMDB. */
@NullMarked
package dev.caskwright.importer.lmdb;

import org.jspecify.annotations.NullMarked;
