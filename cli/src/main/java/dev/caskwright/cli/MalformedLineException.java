package dev.caskwright.cli;

import java.io.IOException;

/** A line of the input is not what it should be; the message starts with its number. */
final class MalformedLineException extends IOException {
    private static final long serialVersionUID = 1L;

    private final long lineNumber;
    private final String reason;

    MalformedLineException(long lineNumber, String reason) {
        super("line " + lineNumber + ": " + reason);
        this.lineNumber = lineNumber;
        this.reason = reason;
    }

    /** Returns the number of the line, from 1 on. */
    long lineNumber() {
        return lineNumber;
    }

    /** Returns what is wrong with it. */
    String reason() {
        return reason;
    }
}
