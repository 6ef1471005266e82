/** The IO manager that maps files into memory. */
@NullMarked
package dev.caskwright.io.mmap;

import org.jspecify.annotations.NullMarked;
