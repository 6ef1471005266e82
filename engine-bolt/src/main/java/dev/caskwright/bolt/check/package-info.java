/** Whether a file is sound. */
@NullMarked
package dev.caskwright.bolt.check;

import org.jspecify.annotations.NullMarked;
