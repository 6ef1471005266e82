/** A persistent store of Infinispan over an ordered Caskwright engine, private to each node. */
@NullMarked
package dev.caskwright.infinispan;

import org.jspecify.annotations.NullMarked;
