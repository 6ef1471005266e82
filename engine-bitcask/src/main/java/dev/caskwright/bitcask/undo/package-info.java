/**
 * What a snapshot needs to see the past: the locators that keys had when it was opened, kept while it is open. It is memory
 * alone, and touches no other package of the engine. {@code store} decides when something is kept and given up.
 */
@NullMarked
package dev.caskwright.bitcask.undo;

import org.jspecify.annotations.NullMarked;
