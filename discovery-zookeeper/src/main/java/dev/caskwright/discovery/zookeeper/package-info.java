/**
 * Servers in a registry of ZooKeeper. {@link dev.caskwright.discovery.zookeeper.ZooKeeperRegistration} keeps a server there for
 * as long as it lives, {@link dev.caskwright.discovery.zookeeper.ZooKeeperDiscovery} tells a load balancer of all that are
 * there; {@code EndpointNode} is what they agree on.
 */
@NullMarked
package dev.caskwright.discovery.zookeeper;

import org.jspecify.annotations.NullMarked;
