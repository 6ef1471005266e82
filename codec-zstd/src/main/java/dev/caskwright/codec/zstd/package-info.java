/** A codec that stores values by Zstandard. */
@NullMarked
package dev.caskwright.codec.zstd;

import org.jspecify.annotations.NullMarked;
