/** Figures of stores as Micrometer meters. */
@NullMarked
package dev.caskwright.metrics.micrometer;

import org.jspecify.annotations.NullMarked;
