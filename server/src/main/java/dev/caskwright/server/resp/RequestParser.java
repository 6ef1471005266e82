package dev.caskwright.server.resp;

import static java.nio.charset.StandardCharsets.ISO_8859_1;

/**
 * Finds requests in the bytes of a connection: arrays of bulk strings ({@code *2\r\n$3\r\nGET\r\n$1\r\na\r\n}), and inline
 * requests, one a line, with quotes as in a shell.
 *
 * <p>Parses in place, allocates by what has come and never by what is announced, and goes on where it stopped: whatever
 * pieces a request comes in, each byte is looked at a bounded number of times. One for each connection; for one thread.
 */
public final class RequestParser {
    /** More bytes are needed. */
    public static final int INCOMPLETE = -1;

    private static final int MAX_LENGTH_LINE = 32;
    private static final int HEADER_UNREAD = -1;

    private RequestLimits limits;

    /** How far the request was looked at, from its start. */
    private int scanned;

    /** Arguments still to come, or {@link #HEADER_UNREAD}. */
    private int argumentsLeft = HEADER_UNREAD;

    /** The length of the argument at hand, or {@link #HEADER_UNREAD}. */
    private int argumentLength = HEADER_UNREAD;

    private long requestBytes;

    /** Makes a parser with these limits. */
    public RequestParser(RequestLimits limits) {
        this.limits = limits;
    }

    /** Goes on with other limits. */
    public void limits(RequestLimits limits) {
        this.limits = limits;
    }

    /** Returns whether part of a request has been read. */
    public boolean isWithinRequest() {
        return scanned > 0;
    }

    /**
     * Parses the request that starts at {@code from}. After {@link #INCOMPLETE} the same bytes, and more, are to be given
     * again, in any array and at any place.
     *
     * @param into receives the request; its slices lie in {@code data}, but for an inline request with quotes
     * @return where the next request starts, or {@link #INCOMPLETE}
     */
    public int parse(byte[] data, int from, int to, Request into) throws ProtocolException {
        if (from + scanned >= to) {
            return INCOMPLETE;
        }
        if (argumentsLeft == HEADER_UNREAD) {
            if (scanned == 0) {
                into.clear();
                requestBytes = 0;
            }
            if (data[from] != '*') {
                return parseInline(data, from, to, into);
            }
            if (!parseHeader(data, from, to)) {
                return INCOMPLETE;
            }
        }
        while (argumentsLeft > 0) {
            if (!parseArgument(data, from, to, into)) {
                return INCOMPLETE;
            }
            argumentsLeft--;
        }
        int end = from + scanned;
        into.complete(data, from);
        reset();
        return end;
    }

    private void reset() {
        scanned = 0;
        argumentsLeft = HEADER_UNREAD;
        argumentLength = HEADER_UNREAD;
    }

    private boolean parseHeader(byte[] data, int from, int to) throws ProtocolException {
        int end = lineEnd(data, from, to, "too big mbulk count string");
        if (end < 0) {
            return false;
        }
        long count = Numbers.isInteger(data, from + 1, end) ? Numbers.integer(data, from + 1, end) : Long.MAX_VALUE;
        if (count > limits.maxArguments()) {
            throw new ProtocolException(
                    limits.equals(RequestLimits.UNAUTHENTICATED)
                            ? "Protocol error: unauthenticated multibulk length"
                            : "Protocol error: invalid multibulk length");
        }
        argumentsLeft = (int) Math.max(count, 0);
        scanned = end + 2 - from;
        return true;
    }

    private boolean parseArgument(byte[] data, int from, int to, Request into) throws ProtocolException {
        if (argumentLength == HEADER_UNREAD) {
            int start = from + scanned;
            if (start >= to) {
                return false;
            }
            if (data[start] != '$') {
                throw new ProtocolException("Protocol error: expected '$', got '" + Printable.of(data, start, 1) + "'");
            }
            int end = lineEnd(data, start, to, "too big bulk count string");
            if (end < 0) {
                return false;
            }
            argumentLength = argumentLength(data, start + 1, end);
            scanned = end + 2 - from;
        }
        // In long: a buffer near 2 GiB must not wrap.
        if ((long) from + scanned + argumentLength + 2 > to) {
            return false;
        }
        int end = from + scanned + argumentLength;
        if (data[end] != '\r' || data[end + 1] != '\n') {
            throw new ProtocolException("Protocol error: expected CRLF after an argument");
        }
        into.add(scanned, argumentLength);
        scanned += argumentLength + 2;
        argumentLength = HEADER_UNREAD;
        return true;
    }

    private int argumentLength(byte[] data, int from, int to) throws ProtocolException {
        long length = Numbers.isInteger(data, from, to) ? Numbers.integer(data, from, to) : -1;
        if (length < 0 || length > limits.maxArgumentBytes()) {
            throw new ProtocolException(
                    limits.equals(RequestLimits.UNAUTHENTICATED) && length >= 0
                            ? "Protocol error: unauthenticated bulk length"
                            : "Protocol error: invalid bulk length");
        }
        requestBytes += length;
        if (requestBytes > limits.maxRequestBytes()) {
            throw new ProtocolException("Protocol error: request exceeds client-query-buffer-limit");
        }
        return (int) length;
    }

    /** Returns where the CR of the line is that starts at {@code start}, or -1 if it, or its LF, has not come. */
    private static int lineEnd(byte[] data, int start, int to, String tooLong) throws ProtocolException {
        int limit = Math.min(to, start + MAX_LENGTH_LINE);
        for (int p = start; p < limit; p++) {
            if (data[p] == '\r') {
                if (p + 1 == to) {
                    return -1;
                }
                if (data[p + 1] != '\n') {
                    throw new ProtocolException("Protocol error: expected LF after CR");
                }
                return p;
            }
        }
        if (limit - start == MAX_LENGTH_LINE) {
            throw new ProtocolException("Protocol error: " + tooLong);
        }
        return -1;
    }

    private int parseInline(byte[] data, int from, int to, Request into) throws ProtocolException {
        int limit = (int) Math.min(to, (long) from + RequestLimits.MAX_INLINE_BYTES);
        for (int p = from + scanned; p < limit; p++) {
            if (data[p] == '\n') {
                int end = p > from && data[p - 1] == '\r' ? p - 1 : p;
                reset();
                split(data, from, end, into);
                return p + 1;
            }
        }
        if (limit - from == RequestLimits.MAX_INLINE_BYTES) {
            throw new ProtocolException("Protocol error: too big inline request");
        }
        scanned = limit - from;
        return INCOMPLETE;
    }

    /** Splits a line at spaces. Its words are no longer than they were with quotes and escapes. */
    private void split(byte[] data, int from, int to, Request into) throws ProtocolException {
        byte[] words = new byte[to - from];
        int length = 0;
        int p = from;
        while (true) {
            while (p < to && isSpace(data[p])) {
                p++;
            }
            if (p == to) {
                break;
            }
            int start = length;
            while (p < to && !isSpace(data[p])) {
                byte b = data[p++];
                if (b == '"' || b == '\'') {
                    int end = closingQuote(data, p, to, b);
                    length = unescape(data, p, end, b, words, length);
                    p = end + 1;
                    if (p < to && !isSpace(data[p])) {
                        throw new ProtocolException("Protocol error: unbalanced quotes in request");
                    }
                } else {
                    words[length++] = b;
                }
            }
            into.add(start, length - start);
        }
        if (into.count() > limits.maxArguments()) {
            throw new ProtocolException("Protocol error: too many inline arguments");
        }
        into.complete(words, 0);
    }

    private static int closingQuote(byte[] data, int from, int to, byte quote) throws ProtocolException {
        for (int p = from; p < to; p++) {
            if (data[p] == quote) {
                return p;
            }
            if (data[p] == '\\' && (quote == '"' || (p + 1 < to && data[p + 1] == '\''))) {
                p++;
            }
        }
        throw new ProtocolException("Protocol error: unbalanced quotes in request");
    }

    private static int unescape(byte[] data, int from, int to, byte quote, byte[] target, int offset) {
        int length = offset;
        for (int p = from; p < to; p++) {
            byte b = data[p];
            if (b == '\\' && p + 1 < to) {
                byte next = data[p + 1];
                if (quote == '\'') {
                    if (next == '\'') {
                        b = next;
                        p++;
                    }
                } else if (next == 'x' && p + 3 < to && hex(data[p + 2]) >= 0 && hex(data[p + 3]) >= 0) {
                    b = (byte) (hex(data[p + 2]) << 4 | hex(data[p + 3]));
                    p += 3;
                } else {
                    b = escaped(next);
                    p++;
                }
            }
            target[length++] = b;
        }
        return length;
    }

    private static byte escaped(byte letter) {
        return switch (letter) {
            case 'n' -> '\n';
            case 'r' -> '\r';
            case 't' -> '\t';
            case 'b' -> '\b';
            case 'a' -> 7;
            default -> letter;
        };
    }

    private static int hex(byte letter) {
        return Character.digit(new String(new byte[] {letter}, ISO_8859_1).charAt(0), 16);
    }

    private static boolean isSpace(byte b) {
        return b == ' ' || (b >= '\t' && b <= '\r') || b == 0;
    }
}
