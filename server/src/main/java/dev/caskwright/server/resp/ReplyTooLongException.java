package dev.caskwright.server.resp;

/** A reply is longer than one may be. What was written of it is to be taken back. */
public final class ReplyTooLongException extends RuntimeException {
    private static final long serialVersionUID = 1L;

    ReplyTooLongException() {
        super("the reply is longer than client-output-limit-normal or maxmemory-clients allow", null, false, false);
    }
}
