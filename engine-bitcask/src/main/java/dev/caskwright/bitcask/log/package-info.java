/** The segmented record log: data files, hint files, the manifest, and their recovery. docs/format.md has every byte. */
@NullMarked
package dev.caskwright.bitcask.log;

import org.jspecify.annotations.NullMarked;
