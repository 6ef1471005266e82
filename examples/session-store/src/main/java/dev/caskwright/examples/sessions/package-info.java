/** Sessions that expire. */
@NullMarked
package dev.caskwright.examples.sessions;

import org.jspecify.annotations.NullMarked;
