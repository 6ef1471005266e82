package dev.caskwright.server.raft;

import dev.caskwright.raft.RaftMember;
import java.util.ArrayList;
import java.util.List;

/**
 * A member of the group, and where clients reach it.
 *
 * @param member the member, as the others reach it
 * @param clientPort the port for clients, on the same host, or 0 if that is not known
 */
record RaftPeer(RaftMember member, int clientPort) {
    private static final int MAX_PORT = 0xFFFF;

    /**
     * Returns the peer that is written as {@code id@host:port/client-port}.
     *
     * @throws IllegalArgumentException if it is not of that form
     */
    static RaftPeer parse(String text) {
        int slash = text.lastIndexOf('/');
        try {
            int clientPort = slash < 0 ? 0 : Integer.parseInt(text.substring(slash + 1));
            if (clientPort >= 0 && clientPort <= MAX_PORT) {
                return new RaftPeer(RaftMember.parse(slash < 0 ? text : text.substring(0, slash)), clientPort);
            }
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("a member is written as id@host:port/client-port: " + text, e);
        }
        throw new IllegalArgumentException("port out of range: " + text + ", allowed=0..65535");
    }

    /** Returns the peers of an option, which spaces or commas part. */
    static List<RaftPeer> parseAll(String text) {
        List<RaftPeer> peers = new ArrayList<>();
        for (String part : text.strip().split("[\\s,]+", -1)) {
            if (!part.isEmpty()) {
                peers.add(parse(part));
            }
        }
        return peers;
    }

    /** Returns where clients reach the member, {@code host:port}, or an empty text. */
    String clientAddress() {
        return clientPort == 0 ? "" : new RaftMember(member.id(), member.host(), clientPort).address();
    }
}
