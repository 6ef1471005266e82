package dev.caskwright.server.store;

import java.io.IOException;

/** A command asks for more than the server does at a time; nothing was changed. The message is for the client. */
public final class RefusedException extends IOException {
    private static final long serialVersionUID = 1L;

    /** Makes an exception; the message says what is too much. */
    public RefusedException(String message) {
        super(message);
    }
}
