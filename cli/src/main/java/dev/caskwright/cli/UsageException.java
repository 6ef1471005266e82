package dev.caskwright.cli;

/** The command line asks for something that cannot be. Its message is all that the user sees. */
final class UsageException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UsageException(String message) {
        super(message);
    }
}
