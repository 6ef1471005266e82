package dev.caskwright.api;

/**
 * A write or force failed, now or earlier, and the engine refuses writes until it is reopened; reads go on. The cause is
 * the first failure.
 */
public final class EngineFailedException extends EngineException {
    private static final long serialVersionUID = 1L;

    public EngineFailedException(Outcome outcome, String message, Throwable cause) {
        super(ErrorCode.FAILED, outcome, message, cause);
    }
}
