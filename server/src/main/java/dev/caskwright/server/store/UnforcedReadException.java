package dev.caskwright.server.store;

import java.io.IOException;

/** A force has failed, and the key was changed since the last that did not: what a read would show may be lost. */
public final class UnforcedReadException extends IOException {
    private static final long serialVersionUID = 1L;

    UnforcedReadException() {
        super("the last change of this key may be lost, since a force failed; reopen the store");
    }
}
