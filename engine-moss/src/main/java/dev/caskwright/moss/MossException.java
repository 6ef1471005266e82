package dev.caskwright.moss;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import org.jspecify.annotations.Nullable;

/** A failure that only this engine has; {@link #reason()} says which. */
public final class MossException extends EngineException {
    private static final long serialVersionUID = 1L;

    /** What happened. */
    public enum Reason {
        /** Memory was full until the deadline of the write. Nothing was changed; the same write may succeed later. */
        OVERLOADED,
        /** The data needs a merge operator that was not given, or another one than was given. */
        OPERATOR_MISSING,
        /** The merge operator threw an exception. */
        OPERATOR_FAILED,
        /** Something else wrote to the lower level, or it belongs to another store. */
        LOWER_LEVEL_CHANGED,
        /** The lower level has no order, and its keys need more memory than may be used to hold them. */
        KEYS_NOT_HELD,
        /** There is no checkpoint of that name. */
        CHECKPOINT_GONE,
        /** Writes are gone: a close could not write them, or a revert took them back. The message says which. */
        DROPPED,
        /** The store cannot give what was asked for, such as durability without a directory. */
        UNSUPPORTED
    }

    private final Reason reason;

    MossException(Reason reason, String message) {
        this(reason, message, null);
    }

    MossException(Reason reason, String message, @Nullable Throwable cause) {
        super(code(reason), Outcome.NOT_APPLIED, message, cause);
        this.reason = reason;
    }

    private static ErrorCode code(Reason reason) {
        return switch (reason) {
            case OVERLOADED, OPERATOR_FAILED, CHECKPOINT_GONE, DROPPED -> ErrorCode.UNAVAILABLE;
            case KEYS_NOT_HELD -> ErrorCode.OUT_OF_MEMORY;
            case OPERATOR_MISSING, LOWER_LEVEL_CHANGED, UNSUPPORTED -> ErrorCode.UNSUPPORTED_FORMAT;
        };
    }

    /** Returns what happened. */
    public Reason reason() {
        return reason;
    }
}
