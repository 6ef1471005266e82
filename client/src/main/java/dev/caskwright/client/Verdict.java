package dev.caskwright.client;

import io.lettuce.core.RedisCommandExecutionException;
import java.util.Locale;
import java.util.Set;

/**
 * What an error says of a command and of the server.
 *
 * @param isRequestsOwn the command was answered, and another server would answer the same
 * @param isNotRun the command was certainly not run
 * @param isServersFault the server cannot do its work now
 */
record Verdict(boolean isRequestsOwn, boolean isNotRun, boolean isServersFault) {
    private static final Verdict OWN = new Verdict(true, false, false);

    /** What Netty throws, which only Lettuce needs, if a codec of the caller does not take a key or a value: nothing was sent. */
    private static final String NOT_ENCODED = "io.netty.handler.codec.EncoderException";

    /** The connection ended or nothing was answered. */
    static final Verdict SILENCE = new Verdict(false, false, true);

    /** There was no connection that the command could have been sent on. */
    static final Verdict NOT_SENT = new Verdict(false, true, true);

    /** The server does not run such commands now, and another one may. */
    private static final Set<String> ELSEWHERE = Set.of("MOVED", "READONLY");

    /** The server runs nothing of the kind now. */
    private static final Set<String> NOT_NOW = Set.of("LOADING", "CLUSTERDOWN", "MASTERDOWN", "TRYAGAIN", "BUSY");

    /** The server ran it, or did not, and cannot tell; or its store has failed. */
    private static final Set<String> NOBODY_KNOWS = Set.of("UNKNOWN", "IOERR", "OOM");

    static Verdict of(Throwable error) {
        if (error.getClass().getName().equals(NOT_ENCODED)) {
            return OWN;
        }
        if (!(error instanceof RedisCommandExecutionException)) {
            return SILENCE;
        }
        String code = code(error);
        if (ELSEWHERE.contains(code)) {
            return new Verdict(false, true, false);
        }
        if (NOT_NOW.contains(code)) {
            return new Verdict(false, true, true);
        }
        return NOBODY_KNOWS.contains(code) ? SILENCE : OWN;
    }

    static String code(Throwable error) {
        String message = String.valueOf(error.getMessage());
        int space = message.indexOf(' ');
        return (space < 0 ? message : message.substring(0, space)).toUpperCase(Locale.ROOT);
    }
}
