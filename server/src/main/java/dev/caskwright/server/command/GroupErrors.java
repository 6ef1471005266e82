package dev.caskwright.server.command;

import dev.caskwright.server.cluster.HashSlot;
import dev.caskwright.server.replication.ReplicationException;
import java.nio.charset.StandardCharsets;
import java.util.concurrent.CompletionException;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/** The errors that clients get when the group does not do what they ask for. */
public final class GroupErrors {
    private static final Logger LOG = LoggerFactory.getLogger(GroupErrors.class);

    private GroupErrors() {}

    static Throwable cause(Throwable problem) {
        Throwable cause = problem;
        while (cause instanceof CompletionException && cause.getCause() != null) {
            cause = cause.getCause();
        }
        return cause;
    }

    /** Returns the reply to a change that failed. */
    static String ofChange(Throwable problem, byte @Nullable [] key) {
        Throwable cause = cause(problem);
        if (!(cause instanceof ReplicationException replication)) {
            LOG.error("the group failed in a way that nobody foresaw", cause);
            return "UNKNOWN the change may or may not be made: internal error";
        }
        return switch (replication.kind()) {
            case NOT_LEADER -> moved(replication.leader(), key);
            case NO_QUORUM -> "CLUSTERDOWN no majority of the members answers; nothing was changed";
            case BUSY -> "TRYAGAIN too many changes wait; nothing was changed";
            case REFUSED -> "ERR " + cause.getMessage() + "; nothing was changed";
            case UNKNOWN -> "UNKNOWN the change may or may not be made, now or later: " + cause.getMessage();
        };
    }

    /** Returns the reply to a read that could not be confirmed. */
    public static String ofRead(Throwable problem) {
        Throwable cause = cause(problem);
        if (!(cause instanceof ReplicationException)) {
            LOG.error("a read failed in a way that nobody foresaw", cause);
            return "ERR internal error";
        }
        return "CLUSTERDOWN no majority of the members confirms that this member is up to date: " + cause.getMessage();
    }

    /** Returns the reply that leads a client to the leader. */
    static String moved(@Nullable String leader, byte @Nullable [] key) {
        return leader == null
                ? "CLUSTERDOWN no leader is known; nothing was changed"
                : "MOVED " + (key == null ? 0 : HashSlot.of(key)) + " " + leader;
    }

    /** Returns the text of an error for an administrator. */
    static String ofAdministration(Throwable problem) {
        Throwable cause = cause(problem);
        return "ERR "
                + new String(
                        String.valueOf(cause.getMessage()).getBytes(StandardCharsets.UTF_8),
                        StandardCharsets.ISO_8859_1);
    }
}
