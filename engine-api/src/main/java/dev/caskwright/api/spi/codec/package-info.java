/** What values become on the disk: compressed by a {@link dev.caskwright.api.spi.codec.ValueCodec}, or encrypted. */
@NullMarked
package dev.caskwright.api.spi.codec;

import org.jspecify.annotations.NullMarked;
