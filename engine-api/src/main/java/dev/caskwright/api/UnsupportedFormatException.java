package dev.caskwright.api;

/** The directory or a file in it is of a newer format, or is not a store. */
public final class UnsupportedFormatException extends EngineException {
    private static final long serialVersionUID = 1L;

    public UnsupportedFormatException(String message) {
        super(ErrorCode.UNSUPPORTED_FORMAT, Outcome.NOT_APPLIED, message, null);
    }
}
