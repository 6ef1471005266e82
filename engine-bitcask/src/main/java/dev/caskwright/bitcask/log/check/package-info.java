/**
 * Checks of logs that nobody has open for writing. They read every byte, go on after damage, and change nothing.
 */
@NullMarked
package dev.caskwright.bitcask.log.check;

import org.jspecify.annotations.NullMarked;
