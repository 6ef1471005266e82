/** Time series by ordered keys. */
@NullMarked
package dev.caskwright.examples.series;

import org.jspecify.annotations.NullMarked;
