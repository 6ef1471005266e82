/** A cache that outlives the application. */
@NullMarked
package dev.caskwright.examples.springcache;

import org.jspecify.annotations.NullMarked;
