/**
 * A client of several servers. A hash of the key chooses among shards; among the servers of a shard, which are equals, a strategy
 * of {@code dev.caskwright.balance} does. {@link dev.caskwright.client.BalancedClient} is where to begin; {@code Shard} knows the
 * servers of a shard, {@code Connections} keeps one Lettuce connection to each, {@code Request} is one command with all its tries.
 */
@NullMarked
package dev.caskwright.client;

import org.jspecify.annotations.NullMarked;
