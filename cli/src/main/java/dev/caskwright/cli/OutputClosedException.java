package dev.caskwright.cli;

import java.io.IOException;

/** Whoever read our output has closed it, as {@code head} does when it has seen enough. */
final class OutputClosedException extends IOException {
    private static final long serialVersionUID = 1L;

    OutputClosedException(IOException cause) {
        super("standard output was closed", cause);
    }
}
