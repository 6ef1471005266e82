/** The engine and its builder. */
@NullMarked
package dev.caskwright.bitcask;

import org.jspecify.annotations.NullMarked;
