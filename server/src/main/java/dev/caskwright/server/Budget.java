package dev.caskwright.server;

import java.util.concurrent.atomic.AtomicLong;

/** Memory that all connections share for requests that have not wholly come and replies that have not gone. For any thread. */
final class Budget {
    private final AtomicLong used = new AtomicLong();
    private final long limit;

    Budget(long limit) {
        this.limit = limit;
    }

    /** Takes bytes; returns false, and takes none, if there are not so many left. */
    boolean take(long bytes) {
        if (used.addAndGet(bytes) > limit) {
            used.addAndGet(-bytes);
            return false;
        }
        return true;
    }

    void giveBack(long bytes) {
        used.addAndGet(-bytes);
    }

    long used() {
        return used.get();
    }
}
