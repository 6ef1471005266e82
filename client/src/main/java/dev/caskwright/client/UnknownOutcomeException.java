package dev.caskwright.client;

/** A change was sent, and nobody knows whether it was made: the connection ended, or the server did not answer in time. */
public final class UnknownOutcomeException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    UnknownOutcomeException(String server, Throwable cause) {
        super("the change was sent, and whether it was made is unknown: server=" + server, cause);
    }
}
