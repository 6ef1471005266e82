package dev.caskwright.server.infinispan;

import java.util.ArrayList;
import java.util.List;

/**
 * A node of the cluster.
 *
 * @param id its name
 * @param host where other nodes and clients reach it, without brackets
 * @param port its port for other nodes, 1 to 65,535
 * @param clientPort its port for clients, 1 to 65,535
 */
record CachePeer(String id, String host, int port, int clientPort) {
    private static final int MAX_PORT = 0xFFFF;
    private static final String FORM = "a node is written as id@host:port/client-port: ";

    /**
     * Returns the peer that is written as {@code id@host:port/client-port}.
     *
     * @throws IllegalArgumentException if it is not of that form
     */
    static CachePeer parse(String text) {
        int at = text.indexOf('@');
        int slash = text.lastIndexOf('/');
        int colon = slash < 0 ? -1 : text.lastIndexOf(':', slash);
        if (at < 1 || colon < at + 2) {
            throw new IllegalArgumentException(FORM + text);
        }
        String host = text.substring(at + 1, colon);
        boolean isBracketed = host.startsWith("[") && host.endsWith("]");
        String bare = isBracketed ? host.substring(1, host.length() - 1) : host;
        String id = text.substring(0, at);
        if (!id.matches("[A-Za-z0-9._-]+") || !bare.matches(isBracketed ? "[0-9A-Fa-f:.%]+" : "[A-Za-z0-9._-]+")) {
            throw new IllegalArgumentException(FORM + text);
        }
        return new CachePeer(id, bare, port(text, colon + 1, slash), port(text, slash + 1, text.length()));
    }

    private static int port(String text, int from, int to) {
        try {
            int port = Integer.parseInt(text.substring(from, to));
            if (port >= 1 && port <= MAX_PORT) {
                return port;
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException(FORM + text, e);
        }
        throw new IllegalArgumentException("port out of range: " + text + ", allowed=1.." + MAX_PORT);
    }

    /** Returns the peers of an option, which spaces or commas part. */
    static List<CachePeer> parseAll(String text) {
        List<CachePeer> peers = new ArrayList<>();
        for (String part : text.strip().split("[\\s,]+", -1)) {
            if (!part.isEmpty()) {
                peers.add(parse(part));
            }
        }
        return peers;
    }
}
