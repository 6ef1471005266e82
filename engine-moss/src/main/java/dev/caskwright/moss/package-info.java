/** What users of the moss engine call: the engine, its collections, batches, snapshots and iterators. */
@NullMarked
package dev.caskwright.moss;

import org.jspecify.annotations.NullMarked;
