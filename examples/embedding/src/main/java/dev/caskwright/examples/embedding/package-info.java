/** Each engine, and each index of Bitcask, in a small program of its own. */
@NullMarked
package dev.caskwright.examples.embedding;

import org.jspecify.annotations.NullMarked;
