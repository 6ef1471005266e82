/** A codec that stores values by Snappy. */
@NullMarked
package dev.caskwright.codec.snappy;

import org.jspecify.annotations.NullMarked;
