package dev.caskwright.api;

/** What is known of a write that ended in an error. */
public enum Outcome {
    /** The write did not happen, now or after a reopen. */
    NOT_APPLIED,

    /** The write happened and is readable; only something after it went wrong. */
    APPLIED,

    /**
     * The write may or may not be there after a reopen: a force failed, or a write ended abruptly, and what reached the disk
     * is not known.
     */
    UNKNOWN
}
