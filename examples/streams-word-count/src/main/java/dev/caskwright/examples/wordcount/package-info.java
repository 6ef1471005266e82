/** Counts words with Kafka Streams, whose state is in Caskwright. */
@NullMarked
package dev.caskwright.examples.wordcount;

import org.jspecify.annotations.NullMarked;
