/** A storage engine whose files are those of bolt: transactions, buckets, cursors. */
@NullMarked
package dev.caskwright.bolt;

import org.jspecify.annotations.NullMarked;
