package dev.caskwright.api;

/** The directory is owned by another engine, in this process or another; the message names the owner. */
public final class EngineLockedException extends EngineException {
    private static final long serialVersionUID = 1L;

    public EngineLockedException(String message) {
        super(ErrorCode.LOCKED, Outcome.NOT_APPLIED, message, null);
    }
}
