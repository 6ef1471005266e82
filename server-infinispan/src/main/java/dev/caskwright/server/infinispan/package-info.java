/**
 * {@code mode cache} of the server: each node has a part of the keys, as the nodes of a Redis Cluster have, in an Infinispan cache of
 * two owners a key with a store of its own below it. {@link dev.caskwright.server.infinispan.CommandRunner} executes the commands of
 * the node's clients, {@link dev.caskwright.server.infinispan.CacheNode} is a member of the cluster.
 */
@NullMarked
package dev.caskwright.server.infinispan;

import org.jspecify.annotations.NullMarked;
