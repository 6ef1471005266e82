package dev.caskwright.testkit;

/** What a file system does with the unwritten pages of a file whose force failed. */
public enum FailedForce {
    /** They stay dirty: a later force may yet write them. */
    PAGES_STAY_DIRTY,

    /**
     * They are marked clean although they never reached the disk: reads still show them, later forces skip them, and
     * only writing them again helps. That is what Linux does.
     */
    PAGES_MARKED_CLEAN
}
