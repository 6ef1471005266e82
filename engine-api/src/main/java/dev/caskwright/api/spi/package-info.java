/**
 * The maker's side: the record log, the key index and the IO manager that an engine joins.
 *
 * <p>Three ignorances keep them apart. An {@link dev.caskwright.api.spi.IoManager} knows files and bytes, not records. A
 * {@link dev.caskwright.api.spi.RecordLog} knows records, not how keys are found. A
 * {@link dev.caskwright.api.spi.KeyIndex} maps keys to an opaque 64-bit locator, not to files. Order, liveness,
 * tombstones and recovery live in the engine alone.
 */
@NullMarked
package dev.caskwright.api.spi;

import org.jspecify.annotations.NullMarked;
