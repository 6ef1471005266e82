/** Three servers that share their keys. */
@NullMarked
package dev.caskwright.examples.nodes;

import org.jspecify.annotations.NullMarked;
