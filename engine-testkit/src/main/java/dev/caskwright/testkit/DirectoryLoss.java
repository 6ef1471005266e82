package dev.caskwright.testkit;

/** What a power loss does to creations, renames and deletions that were not followed by a sync of the directory. */
public enum DirectoryLoss {
    /** None of them arrived. */
    DROP_ALL,
    /** All of them arrived. */
    KEEP_ALL,
    /** The first ones arrived, as on a file system with a journal. */
    PREFIX,
    /** Each arrived or did not, independently of the others; a later one for the same name wins. */
    RANDOM
}
