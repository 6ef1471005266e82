package dev.caskwright.api;

import org.jspecify.annotations.Nullable;

/** The key index needs more memory than it may use; the message names the need. The write was not applied. */
public final class IndexMemoryException extends EngineException {
    private static final long serialVersionUID = 1L;

    public IndexMemoryException(String message, @Nullable Throwable cause) {
        super(ErrorCode.OUT_OF_MEMORY, Outcome.NOT_APPLIED, message, cause);
    }
}
