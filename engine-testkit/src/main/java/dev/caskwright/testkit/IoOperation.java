package dev.caskwright.testkit;

/** The calls of an IO manager and its files, as they are counted, logged and made to fail. */
public enum IoOperation {
    /** Listing the directory. */
    LIST,
    /** Taking the directory's lock. */
    LOCK,
    /** Asking for the length of a file by its name. */
    LENGTH,
    /** Opening an existing file, for reading or writing. */
    OPEN,
    /** Reading from a file. */
    READ,
    /** Saying that a file has got its last byte. */
    END_ACCESS,
    /** Creating a file. */
    CREATE,
    /** Writing to a file. */
    WRITE,
    /** Making zeros ready past the end of a file. */
    RESERVE,
    /** Making a file's bytes durable. */
    FORCE,
    /** Cutting a file. */
    TRUNCATE,
    /** Renaming a file. */
    RENAME,
    /** Deleting a file. */
    DELETE,
    /** Linking a file into another directory. */
    LINK,
    /** Making creations, renames and deletions durable. */
    SYNC_DIRECTORY;

    /** Returns whether the call changes what is, or will be, on the disk. */
    public boolean isMutating() {
        return compareTo(CREATE) >= 0;
    }
}
