/** A cache of values for engines that read records from files: Caffeine, weighed in bytes. */
@NullMarked
package dev.caskwright.cache.caffeine;

import org.jspecify.annotations.NullMarked;
