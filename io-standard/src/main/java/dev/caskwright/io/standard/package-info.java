/** The IO manager that reads and writes through file channels. */
@NullMarked
package dev.caskwright.io.standard;

import org.jspecify.annotations.NullMarked;
