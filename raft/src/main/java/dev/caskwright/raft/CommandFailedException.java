package dev.caskwright.raft;

/** A command could not be done, on all members alike: its result is this message, and it changed nothing. */
public final class CommandFailedException extends Exception {
    private static final long serialVersionUID = 1L;

    public CommandFailedException(String message) {
        super(message);
    }
}
