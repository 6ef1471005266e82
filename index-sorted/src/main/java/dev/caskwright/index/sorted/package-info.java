/** An ordered key index on the heap. */
@NullMarked
package dev.caskwright.index.sorted;

import org.jspecify.annotations.NullMarked;
