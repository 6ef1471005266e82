/** Sorted layers of entries in memory, how one is searched, and how several are walked as one. Knows no files. */
@NullMarked
package dev.caskwright.moss.memory;

import org.jspecify.annotations.NullMarked;
