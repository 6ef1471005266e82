/** The user's side: a durable, embedded key-value store and everything that it hands out. */
@NullMarked
package dev.caskwright.api;

import org.jspecify.annotations.NullMarked;
