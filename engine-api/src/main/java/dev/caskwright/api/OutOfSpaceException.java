package dev.caskwright.api;

import org.jspecify.annotations.Nullable;

/**
 * The file system is full, a quota is used up, or a file would become longer than the process or the file system allows. The write
 * was not applied; reads go on, and writes resume once there is room.
 */
public final class OutOfSpaceException extends EngineException {
    private static final long serialVersionUID = 1L;

    public OutOfSpaceException(String message, @Nullable Throwable cause) {
        super(ErrorCode.OUT_OF_SPACE, Outcome.NOT_APPLIED, message, cause);
    }
}
