/** Which pages are free, and which wait for readers. */
@NullMarked
package dev.caskwright.bolt.freelist;

import org.jspecify.annotations.NullMarked;
