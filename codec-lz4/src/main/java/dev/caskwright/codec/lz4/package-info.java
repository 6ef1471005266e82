/** A codec that stores values by LZ4. */
@NullMarked
package dev.caskwright.codec.lz4;

import org.jspecify.annotations.NullMarked;
