/** A server that speaks the protocol of Redis, over any store. */
@NullMarked
package dev.caskwright.server;

import org.jspecify.annotations.NullMarked;
