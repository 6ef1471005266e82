/** A key index in arrays on the heap. */
@NullMarked
package dev.caskwright.index.hashmap;

import org.jspecify.annotations.NullMarked;
