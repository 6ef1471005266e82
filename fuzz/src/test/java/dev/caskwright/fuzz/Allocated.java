package dev.caskwright.fuzz;

import com.sun.management.ThreadMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;

/**
 * Watches what a reader allocates: inputs are some kilobytes long, so one that makes it take many megabytes is believed in
 * what it says about lengths.
 */
public final class Allocated {
    private static final ThreadMXBean THREADS = (ThreadMXBean) ManagementFactory.getThreadMXBean();
    private static final long MOST_BYTES = 24 << 20;

    private Allocated() {}

    /** Reads one input, always alike. */
    @FunctionalInterface
    public interface Reading {
        /** Reads it. */
        void run() throws IOException;
    }

    /** Reads, and fails if that allocates much, also when it is done again: at first it may load classes. */
    public static void requireLittle(Reading reading) throws IOException {
        if (by(reading) > MOST_BYTES) {
            long bytes = by(reading);
            if (bytes > MOST_BYTES) {
                throw new AssertionError("memory for a length that is not there: bytes=" + bytes);
            }
        }
    }

    private static long by(Reading reading) throws IOException {
        long before = THREADS.getCurrentThreadAllocatedBytes();
        reading.run();
        return THREADS.getCurrentThreadAllocatedBytes() - before;
    }
}
