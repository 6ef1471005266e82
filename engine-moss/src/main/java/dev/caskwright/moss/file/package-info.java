/** The files of a store: sorted files, the manifest that lists them, and the log. Knows layers, and no engine. */
@NullMarked
package dev.caskwright.moss.file;

import org.jspecify.annotations.NullMarked;
