package dev.caskwright.server.resp;

/**
 * What a request may be, checked when a length is announced and before anything is allocated for it.
 *
 * @param maxArguments arguments of one request
 * @param maxArgumentBytes bytes of one argument
 * @param maxRequestBytes bytes of all arguments of one request
 */
public record RequestLimits(int maxArguments, int maxArgumentBytes, long maxRequestBytes) {
    /** The limits of a client that has not said who it is. */
    public static final RequestLimits UNAUTHENTICATED = new RequestLimits(10, 16 << 10, 10L * (16 << 10));

    /** The greatest length of an inline request, in bytes. */
    public static final int MAX_INLINE_BYTES = 64 << 10;
}
