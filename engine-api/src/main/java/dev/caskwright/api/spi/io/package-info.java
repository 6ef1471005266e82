/**
 * Files and bytes. Whoever writes an IO manager implements {@link dev.caskwright.api.spi.io.IoManager},
 * {@link dev.caskwright.api.spi.io.ReadableFile}, {@link dev.caskwright.api.spi.io.WritableFile} and, for engines that write in place,
 * {@link dev.caskwright.api.spi.io.PagedFile}. Here are also the helpers for the small files that lie beside stores.
 */
@NullMarked
package dev.caskwright.api.spi.io;

import org.jspecify.annotations.NullMarked;
