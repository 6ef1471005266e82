package dev.caskwright.bitcask;

import org.slf4j.LoggerFactory;

/**
 * Initializes what is used first when there is trouble, or in the background. A class whose initialization ends for want of memory
 * cannot be used any more by this process: merges failed for ever when two records could not be compared.
 */
final class InitializedEarly {
    private InitializedEarly() {}

    /** Has a component of each kind. How records compare and print themselves is made by the JDK when it is first asked. */
    private record Sample(long number, int count, boolean isSet, double share, Object object) {}

    static void now() {
        LoggerFactory.getILoggerFactory();
        Sample sample = new Sample(1, 2, true, 3, "4");
        if (!sample.equals(new Sample(1, 2, true, 3, "4"))
                || sample.hashCode() == 0
                || sample.toString().isEmpty()) {
            throw new IllegalStateException("records do not compare");
        }
    }
}
