/** Reads stores of H2's MVStore. */
@NullMarked
package dev.caskwright.importer.mvstore;

import org.jspecify.annotations.NullMarked;
