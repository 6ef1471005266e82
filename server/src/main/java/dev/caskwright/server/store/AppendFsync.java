package dev.caskwright.server.store;

/** When changes are forced to stable storage. All survive the death of the process whatever the choice. */
public enum AppendFsync {
    /** Before a change is acknowledged, and before a reader is told of it. */
    ALWAYS,
    /** Once a second. */
    EVERYSEC,
    /** When the store closes, or a client asks with WAITAOF. */
    NO
}
