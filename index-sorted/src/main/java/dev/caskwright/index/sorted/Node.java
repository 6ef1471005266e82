package dev.caskwright.index.sorted;

/** A node of the tree. */
abstract sealed class Node permits Leaf, Inner {
    /** What an array takes beside its content, as HotSpot has it for heaps below 32 GiB. */
    private static final int ARRAY_HEADER_BYTES = 16;

    /** Returns what the node takes on the heap, without the nodes below it. */
    abstract long bytes();

    static long arrayBytes(long content) {
        return ARRAY_HEADER_BYTES + (content + 7 & ~7L);
    }
}
