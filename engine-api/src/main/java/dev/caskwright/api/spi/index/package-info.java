/**
 * Where keys are found. Whoever writes an index implements {@link dev.caskwright.api.spi.index.KeyIndex}, or
 * {@link dev.caskwright.api.spi.index.OrderedKeyIndex} if it has an order, and
 * {@link dev.caskwright.api.spi.index.PersistentKeyIndex} if it can be saved and loaded.
 */
@NullMarked
package dev.caskwright.api.spi.index;

import org.jspecify.annotations.NullMarked;
