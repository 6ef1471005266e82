/** B+trees over pages: lookups, cursors, and what a write transaction changes. */
@NullMarked
package dev.caskwright.bolt.tree;

import org.jspecify.annotations.NullMarked;
