/** The bytes of pages and how they are read. */
@NullMarked
package dev.caskwright.bolt.page;

import org.jspecify.annotations.NullMarked;
