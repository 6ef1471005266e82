/**
 * Images of the key index: which one counts, how one is written, and how one is read. They are caches: without one, opening
 * reads hint files.
 */
@NullMarked
package dev.caskwright.bitcask.log.image;

import org.jspecify.annotations.NullMarked;
