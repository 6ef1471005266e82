/**
 * The command line: one class for each command, {@link dev.caskwright.cli.Main} to run them, and {@link
 * dev.caskwright.cli.Stores} as their only way to a store.
 */
@NullMarked
package dev.caskwright.cli;

import org.jspecify.annotations.NullMarked;
