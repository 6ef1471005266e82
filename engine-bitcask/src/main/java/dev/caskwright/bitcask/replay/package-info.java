/**
 * Filling the index when a store is opened, from an image and from the records that the image does not cover, partly after the
 * store is open. It works on a log that is being opened, and may touch the log and {@code background}, but no open store.
 */
@NullMarked
package dev.caskwright.bitcask.replay;

import org.jspecify.annotations.NullMarked;
