/**
 * State stores of Kafka Streams over an ordered Caskwright engine. Records and the offset of the changelog that they
 * stand for are written in one batch, so that a store holds exactly what its offset says, whatever the process dies of.
 */
@NullMarked
package dev.caskwright.kafka;

import org.jspecify.annotations.NullMarked;
