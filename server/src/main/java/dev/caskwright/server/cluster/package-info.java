/** Who has which part of the keys, for servers that share them as the nodes of a Redis Cluster do. */
@NullMarked
package dev.caskwright.server.cluster;

import org.jspecify.annotations.NullMarked;
