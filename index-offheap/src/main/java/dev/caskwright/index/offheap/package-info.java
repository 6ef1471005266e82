/** A key index outside the Java heap, on Chronicle Map. */
@NullMarked
package dev.caskwright.index.offheap;

import org.jspecify.annotations.NullMarked;
