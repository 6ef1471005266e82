package dev.caskwright.api;

/** The kinds of failure a store reports; stable, for programs to switch on. */
public enum ErrorCode {
    /** The engine, snapshot or cursor was closed before the call. */
    CLOSED,
    /** Another process or engine owns the directory. */
    LOCKED,
    /** Stored bytes are not what was written. */
    CORRUPT,
    /** The directory was written by a newer version, or is not a store. */
    UNSUPPORTED_FORMAT,
    /** The file system is full, a quota is used up, or a file may not become longer. */
    OUT_OF_SPACE,
    /** The key index cannot hold another key in the memory it may use. */
    OUT_OF_MEMORY,
    /**
     * The system refuses what the call needs for now: a file descriptor, memory. Nothing was changed, and the same call may
     * succeed later; writes that ended in this go on without a reopen.
     */
    UNAVAILABLE,
    /** An earlier write or force failed; the engine only reads until it is reopened. */
    FAILED,
    /** The store was opened read-only. */
    READ_ONLY,
    /** Too many snapshots are open. */
    TOO_MANY_SNAPSHOTS,
    /** A majority of the members of a group did not answer in time; the outcome tells what became of a write. */
    NO_QUORUM,
    /** The changes asked for are no longer (or not yet) in the log. */
    CHANGES_GONE,
    /** A value is stored by a codec that is not there, or a codec failed when a value was to be written. */
    CODEC,
    /** What is stored is encrypted by a key that is not there or is another one, or so is the key to write with. */
    ENCRYPTION
}
