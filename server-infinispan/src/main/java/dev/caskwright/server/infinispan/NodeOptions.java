package dev.caskwright.server.infinispan;

import dev.caskwright.server.config.ServerConfig;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * What a node is told.
 *
 * @param self the node
 * @param peers all nodes that it is told of, itself among them
 * @param cluster the name of the cluster
 * @param owners how many nodes have each key
 * @param segments how many parts the slots are in
 * @param deniesWhenSplit whether a part of the cluster that may not have all keys refuses to serve them
 * @param memoryBytes how much of values is kept in memory
 * @param syncsWrites whether a write is acknowledged only after it survives a power loss of its owners
 * @param timeoutMillis how long another node is waited for
 * @param maxFetchedBytes how much of values commands under way may have read, and change
 * @param tls the certificates for the connections between nodes, or null for connections in plain text
 */
record NodeOptions(
        CachePeer self,
        List<CachePeer> peers,
        String cluster,
        int owners,
        int segments,
        boolean deniesWhenSplit,
        long memoryBytes,
        boolean syncsWrites,
        long timeoutMillis,
        long maxFetchedBytes,
        @Nullable NodeTls tls) {

    /** Of the heap, what commands under way may read if nothing else is configured. */
    private static final int HEAP_SHARE = 4;

    /**
     * Reads the options of a configuration.
     *
     * @throws IllegalArgumentException if they make no sense; the message says which
     */
    static NodeOptions of(ServerConfig config) {
        List<CachePeer> peers = CachePeer.parseAll(config.text("cache-peers"));
        Set<String> ids = new HashSet<>();
        for (CachePeer peer : peers) {
            if (!ids.add(peer.id())) {
                throw new IllegalArgumentException("option 'cache-peers': two nodes have the same id: " + peer.id());
            }
        }
        String id = config.text("cache-id");
        CachePeer self = peers.stream()
                .filter(peer -> peer.id().equals(id))
                .findFirst()
                .orElseThrow(() -> new IllegalArgumentException(
                        "option 'cache-id': must be the id of one of cache-peers, which is this node: cache-id=" + id
                                + ", cache-peers=" + ids));
        if (config.text("cache-cluster").isBlank()) {
            throw new IllegalArgumentException("option 'cache-cluster': the cluster needs a name");
        }
        long limit = config.number("maxmemory-clients");
        return new NodeOptions(
                self,
                peers,
                config.text("cache-cluster"),
                (int) config.number("cache-owners"),
                (int) config.number("cache-segments"),
                config.text("cache-when-split").equals("deny-read-writes"),
                config.number("cache-memory"),
                config.option("cache-sync-writes").isYes(),
                config.number("cache-timeout"),
                limit > 0 ? limit : Runtime.getRuntime().maxMemory() / HEAP_SHARE,
                NodeTls.of(config));
    }
}
