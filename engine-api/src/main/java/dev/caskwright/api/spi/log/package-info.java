/**
 * Where records are kept: appended, read by locator, scanned, merged and copied. Whoever writes a log implements
 * {@link dev.caskwright.api.spi.log.RecordLog} and the types that it hands out.
 */
@NullMarked
package dev.caskwright.api.spi.log;

import org.jspecify.annotations.NullMarked;
