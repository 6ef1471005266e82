package dev.caskwright.testkit;

/** What a power loss does to the bytes of one file that were written and not forced. */
public enum DataLoss {
    /** None of them arrived, nor did a new length. */
    DROP_ALL,
    /** All of them arrived. */
    KEEP_ALL,
    /** The new length arrived, the bytes did not: an extension reads as zeros. */
    ZERO_FILL,
    /** The first writes arrived in full and one more in part, cut at any byte. */
    TEAR,
    /** Each sector arrived in some version that it had, and the length too, all independently of each other. */
    RANDOM
}
