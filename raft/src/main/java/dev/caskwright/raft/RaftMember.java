package dev.caskwright.raft;

import java.util.Objects;

/**
 * A member of a group.
 *
 * @param id its name within the group: 1 to 64 letters, digits, dots, hyphens and underscores; never given to another member
 * @param host the host at which the others reach it, which it also listens on
 * @param port its TCP port, 1 to 65,535
 */
public record RaftMember(String id, String host, int port) {
    private static final int MAX_ID_LENGTH = 64;

    public RaftMember {
        Objects.requireNonNull(id, "id");
        Objects.requireNonNull(host, "host");
        if (!id.matches("[A-Za-z0-9._-]{1," + MAX_ID_LENGTH + "}")) {
            throw new IllegalArgumentException(
                    "the id of a member is 1 to 64 letters, digits, dots, hyphens and underscores: id=" + id);
        }
        if (host.isBlank()) {
            throw new IllegalArgumentException("a member needs a host: id=" + id);
        }
        if (port < 1 || port > 0xFFFF) {
            throw new IllegalArgumentException("port out of range: id=" + id + ", port=" + port + ", allowed=1..65535");
        }
    }

    /** Returns the address as {@code host:port}. */
    public String address() {
        return host.indexOf(':') < 0 ? host + ":" + port : "[" + host + "]:" + port;
    }

    /**
     * Returns the member that is written as {@code id@host:port}.
     *
     * @throws IllegalArgumentException if it is not of that form
     */
    public static RaftMember parse(String text) {
        int at = text.indexOf('@');
        int colon = text.lastIndexOf(':');
        if (at < 1 || colon < at) {
            throw new IllegalArgumentException("a member is written as id@host:port: " + text);
        }
        String host = text.substring(at + 1, colon);
        if (host.startsWith("[") && host.endsWith("]")) {
            host = host.substring(1, host.length() - 1);
        }
        try {
            return new RaftMember(text.substring(0, at), host, Integer.parseInt(text.substring(colon + 1)));
        } catch (NumberFormatException e) {
            throw new IllegalArgumentException("a member is written as id@host:port: " + text, e);
        }
    }

    @Override
    public String toString() {
        return id + "@" + address();
    }
}
