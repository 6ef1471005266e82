/** A store as a bean. */
@NullMarked
package dev.caskwright.examples.spring;

import org.jspecify.annotations.NullMarked;
