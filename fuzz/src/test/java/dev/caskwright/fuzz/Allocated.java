package dev.caskwright.fuzz;

import com.sun.management.ThreadMXBean;
import java.lang.management.ManagementFactory;

/**
 * Watches what a reader allocates: inputs are some kilobytes long, so one that makes it take many megabytes is believed in
 * what it says about lengths.
 */
public final class Allocated {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long MOST_BYTES = 24 << 20;

    private Allocated() {}

    /** Returns how many bytes this thread has allocated so far. */
    public static long soFar() {
        return THREADS.getCurrentThreadAllocatedBytes();
    }

    /** Fails if this thread has allocated much since it had {@code before}. */
    public static void requireLittleSince(long before) {
        long allocated = soFar() - before;
        if (allocated > MOST_BYTES) {
            throw new AssertionError("memory for a length that is not there: bytes=" + allocated);
        }
    }
}
