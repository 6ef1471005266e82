/** A key index off the heap that holds no keys. */
@NullMarked
package dev.caskwright.index.compact;

import org.jspecify.annotations.NullMarked;
