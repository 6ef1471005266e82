/**
 * What every plug-in has in common, in the package of its kind: {@linkplain dev.caskwright.api.spi.io IO managers},
 * {@linkplain dev.caskwright.api.spi.index key indexes}, {@linkplain dev.caskwright.api.spi.log record logs},
 * {@linkplain dev.caskwright.api.spi.codec codecs}, {@linkplain dev.caskwright.api.spi.cache value caches} and
 * {@linkplain dev.caskwright.api.spi.engine engines}.
 *
 * <p>Three ignorances keep them apart. An {@link dev.caskwright.api.spi.io.IoManager} knows files and bytes, not records. A
 * {@link dev.caskwright.api.spi.log.RecordLog} knows records, not how keys are found. A
 * {@link dev.caskwright.api.spi.index.KeyIndex} maps keys to an opaque 64-bit locator, not to files. Order, liveness,
 * tombstones and recovery live in the engine alone.
 */
@NullMarked
package dev.caskwright.api.spi;

import org.jspecify.annotations.NullMarked;
