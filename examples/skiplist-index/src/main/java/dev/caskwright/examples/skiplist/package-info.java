/** An ordered key index made of nothing but the JDK. */
@NullMarked
package dev.caskwright.examples.skiplist;

import org.jspecify.annotations.NullMarked;
