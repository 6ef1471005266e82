/** A sorted map whose versions share what they have in common. */
@NullMarked
package dev.caskwright.mvcc.map;

import org.jspecify.annotations.NullMarked;
