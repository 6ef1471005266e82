package dev.caskwright.raft;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import org.jspecify.annotations.Nullable;

/**
 * A call that the group did not answer in time, or refused. {@link #outcome()} says whether the command may have been applied:
 * {@link Outcome#NOT_APPLIED} if it never was and never will be, so that it may be tried again; {@link Outcome#UNKNOWN} if nobody
 * can know, since the leader was lost while the command was on its way. Nothing is ever tried again by itself.
 */
public final class RaftException extends EngineException {
    private static final long serialVersionUID = 1L;

    RaftException(Outcome outcome, String message, @Nullable Throwable cause) {
        super(ErrorCode.NO_QUORUM, outcome, message, cause);
    }

    static RaftException notApplied(String message, @Nullable Throwable cause) {
        return new RaftException(Outcome.NOT_APPLIED, message, cause);
    }

    static RaftException unknown(String message, @Nullable Throwable cause) {
        return new RaftException(Outcome.UNKNOWN, message, cause);
    }
}
