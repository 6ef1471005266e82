package dev.caskwright.server.command;

import java.util.Locale;

/** What is true of a command, as COMMAND INFO tells it. */
enum Flag {
    WRITE,
    READONLY,
    ADMIN,
    PUBSUB,
    NOSCRIPT,
    BLOCKING,
    LOADING,
    STALE,
    SKIP_MONITOR,
    SKIP_SLOWLOG,
    FAST,
    NO_AUTH,
    NO_MULTI,
    ALLOW_BUSY,
    MOVABLEKEYS;

    /** Returns the name as Redis writes it. */
    String label() {
        return name().toLowerCase(Locale.ROOT);
    }
}
