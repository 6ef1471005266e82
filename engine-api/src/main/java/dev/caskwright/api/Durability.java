package dev.caskwright.api;

/** What an acknowledged write survives. Each level includes those before it. */
public enum Durability {
    /**
     * The write is visible to this process and nothing more is promised: it may be lost when the process ends in any
     * way but {@link StorageEngine#close()}. (Today's engine hands every write to the operating system at once, so NONE
     * costs and survives what WRITE does; only WRITE promises it.)
     */
    NONE,

    /** The write is with the operating system: it survives the death of this process (kill -9), not a power loss. */
    WRITE,

    /** The write is on stable storage: it survives a power loss. Concurrent writers share one force (group commit). */
    SYNC
}
