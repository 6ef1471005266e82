package dev.caskwright.server.replication;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/** The members of a group could not do what one of them was asked to. Says whether it was done, or nobody knows. */
public final class ReplicationException extends IOException {
    private static final long serialVersionUID = 1L;

    private final Kind kind;
    private final transient @Nullable String leader;

    /** What went wrong. */
    public enum Kind {
        /** Nothing was done, since this member does not lead, and does not ask the leader itself. */
        NOT_LEADER,
        /** Nothing was done, since no majority is known to be there. */
        NO_QUORUM,
        /** Nothing was done, since too much waits. */
        BUSY,
        /** Nothing was done, since the group never does such a thing; the message says why. */
        REFUSED,
        /** Whether it was done, or will be, is not known. */
        UNKNOWN
    }

    /**
     * Makes an exception.
     *
     * @param leader where clients reach the leader, {@code host:port}, or null if that is not known
     */
    public ReplicationException(Kind kind, @Nullable String leader, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.kind = kind;
        this.leader = leader;
    }

    /** Returns what went wrong. */
    public Kind kind() {
        return kind;
    }

    /** Returns where clients reach the leader, {@code host:port}, or null if that is not known. */
    public @Nullable String leader() {
        return leader;
    }
}
