/** Values kept in memory for logs that read by system calls: {@link dev.caskwright.api.spi.cache.ValueCache}. */
@NullMarked
package dev.caskwright.api.spi.cache;

import org.jspecify.annotations.NullMarked;
