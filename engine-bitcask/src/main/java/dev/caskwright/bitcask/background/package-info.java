/**
 * Tasks that run beside the callers, and the threads that stores share for them. Nothing here knows what a task does: it
 * touches no other package of the engine.
 */
@NullMarked
package dev.caskwright.bitcask.background;

import org.jspecify.annotations.NullMarked;
