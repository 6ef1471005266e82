/**
 * What a store tells Java Flight Recorder. Only {@link dev.caskwright.bitcask.events.StoreEvents} may be named where the module
 * {@code jdk.jfr} may be missing; the events themselves come from it, or are null.
 */
@NullMarked
package dev.caskwright.bitcask.events;

import org.jspecify.annotations.NullMarked;
