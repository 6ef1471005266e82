/** An ordered key index on MapDB's B-tree. */
@NullMarked
package dev.caskwright.index.btree;

import org.jspecify.annotations.NullMarked;
