/** Counts events by the hour. */
@NullMarked
package dev.caskwright.examples.counter;

import org.jspecify.annotations.NullMarked;
