/** Counts words with Kafka Streams, whose state is in Caskwright. */
package dev.caskwright.examples.wordcount;
