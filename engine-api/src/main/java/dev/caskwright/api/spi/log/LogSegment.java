package dev.caskwright.api.spi.log;

/** A part of the log, with an identity for as long as the log is open. Safe for any thread. */
public interface LogSegment {
    /** Returns its place in the order of the log. */
    long id();

    /** Returns its name in messages: that of its file, if it has one. */
    default String name() {
        return "segment " + id();
    }

    /** Returns the number that locators name it by. */
    int slot();

    /** Returns the end of its last record, in bytes. */
    long length();

    /** Returns the bytes of records that the index refers to. */
    long liveBytes();

    /** Returns the bytes that a merge would give back. */
    long deadBytes();

    /** Returns whether it is complete, durable, and part of the store for good. */
    boolean isSealed();

    /** Returns whether a merge wrote it, so that versions in it are not in order. */
    boolean isMerged();

    /** Returns the greatest version in it; 0 if it has no records. */
    long lastVersion();
}
