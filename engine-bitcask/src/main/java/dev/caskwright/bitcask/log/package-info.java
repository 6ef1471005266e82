/**
 * The record log, as the engine opens it. Nothing here but its factory: the log itself lies in the packages below, in the order
 * in which a record lives. {@code format} has the bytes; {@code keys}, {@code file}, {@code coding}, {@code scan} and
 * {@code hint} are what files consist of; {@code append}, {@code merge}, {@code image}, {@code tail}, {@code copy} and
 * {@code read} are what is done with them; {@code segmented} makes a log of that; {@code check} and {@code salvage} take logs
 * that nobody has open. docs/format.md has every byte.
 */
@NullMarked
package dev.caskwright.bitcask.log;

import org.jspecify.annotations.NullMarked;
