package dev.caskwright.server.resp;

/** What a client sent is no request, or exceeds a limit. The connection cannot go on: where the next request begins is unknown. */
public final class ProtocolException extends Exception {
    private static final long serialVersionUID = 1L;

    /** Makes one with a message for the client. It has nothing of the input but single escaped characters. */
    public ProtocolException(String message) {
        super(message, null, false, false);
    }
}
