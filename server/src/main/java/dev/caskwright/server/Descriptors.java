package dev.caskwright.server;

import com.sun.management.UnixOperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.util.concurrent.atomic.AtomicLong;

/**
 * How many more connections the process has file descriptors for. Some are kept for the store: one that cannot roll to another
 * file refuses changes from then on, and connections alone must not bring that about. For any number of threads.
 */
final class Descriptors {
    private static final long MOST_KEPT = 256;
    private static final int KEPT_SHARE = 4;

    private final AtomicLong room = new AtomicLong(Integer.MAX_VALUE);

    Descriptors() {
        look();
    }

    /** Counts anew, which takes the longer the more are open. */
    void look() {
        if (ManagementFactory.getOperatingSystemMXBean() instanceof UnixOperatingSystemMXBean unix) {
            long max = unix.getMaxFileDescriptorCount();
            long open = unix.getOpenFileDescriptorCount();
            if (max > 0 && open >= 0) {
                room.set(room(max, open));
            }
        }
    }

    /** Returns how many may be opened if there may be {@code max} and are {@code open}. */
    static long room(long max, long open) {
        return max - open - Math.min(MOST_KEPT, max / KEPT_SHARE);
    }

    /** Notes a connection, whose descriptor there is already; returns whether there was room for it. */
    boolean take() {
        return room.getAndDecrement() > 0;
    }

    /** Notes that a connection has ended. */
    void giveBack() {
        room.incrementAndGet();
    }
}
