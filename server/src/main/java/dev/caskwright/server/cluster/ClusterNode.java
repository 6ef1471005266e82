package dev.caskwright.server.cluster;

import java.util.Objects;

/**
 * A server of a cluster.
 *
 * @param id its name, which no other has or had, whatever its form; clients are shown a hash of it, 40 hexadecimal digits as Redis' nodes
 *     have them
 * @param host where clients reach it: a name or an address, without brackets
 * @param port its port for clients, 1 to 65,535
 */
public record ClusterNode(String id, String host, int port) {
    private static final int MAX_PORT = 0xFFFF;

    public ClusterNode {
        Objects.requireNonNull(id, "id");
        if (host.isBlank() || host.startsWith("[")) {
            throw new IllegalArgumentException(
                    "the host of a node is a name or an address without brackets: id=" + id + ", host=" + host);
        }
        if (port < 1 || port > MAX_PORT) {
            throw new IllegalArgumentException("port out of range: id=" + id + ", port=" + port + ", allowed=1..65535");
        }
    }

    /** Returns {@code host:port}, as {@code -MOVED} has it. */
    public String address() {
        return host + ":" + port;
    }
}
