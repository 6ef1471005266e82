package dev.caskwright.api;

import java.io.IOException;
import org.jspecify.annotations.Nullable;

/**
 * The root of the typed errors of a store. {@link #code()} says what happened, {@link #outcome()} what became of the
 * write, if the call was one. A plain {@link IOException} from a store is a refusal of the system during a call that
 * changed nothing.
 */
public class EngineException extends IOException {
    private static final long serialVersionUID = 1L;

    private final ErrorCode code;
    private final Outcome outcome;

    public EngineException(ErrorCode code, Outcome outcome, String message, @Nullable Throwable cause) {
        super(message, cause);
        this.code = code;
        this.outcome = outcome;
    }

    /** Returns what happened. */
    public final ErrorCode code() {
        return code;
    }

    /** Returns what became of the write; {@link Outcome#NOT_APPLIED} for calls that do not write. */
    public final Outcome outcome() {
        return outcome;
    }
}
