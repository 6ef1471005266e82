package dev.caskwright.moss.memory;

/** What an entry of a layer says about its key. The numbers are stored in logs and files. */
public final class Kind {
    /** The key has this value. */
    public static final int PUT = 0;

    /** The key is absent, whatever lower layers say. */
    public static final int DELETE = 1;

    /** One operand for the merge operator, on top of what lower layers say. */
    public static final int MERGE = 2;

    /** Several operands, oldest first, as {@link Operands} stores them. */
    public static final int MERGES = 3;

    /**
     * The keys from the entry's key up to the one that is its value, exclusive, are absent. In batches and logs only.
     */
    public static final int DELETE_RANGE = 4;

    private Kind() {}
}
