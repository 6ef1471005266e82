package dev.caskwright.api;

/** A call on an engine, snapshot or cursor that was closed before. */
public final class EngineClosedException extends EngineException {
    private static final long serialVersionUID = 1L;

    public EngineClosedException(String message) {
        super(ErrorCode.CLOSED, Outcome.NOT_APPLIED, message, null);
    }
}
