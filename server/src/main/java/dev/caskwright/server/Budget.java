package dev.caskwright.server;

import java.util.concurrent.atomic.AtomicLong;

/** Memory that all connections share for requests that have not wholly come and replies that have not gone. For any thread. */
final class Budget {
    private static final int MESSAGES_LEAVE = 4;

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

    /** Takes bytes for messages that nobody asked for one by one; these leave a quarter of all to requests and replies. */
    boolean takeForMessages(long bytes) {
        return used.get() + bytes <= limit - limit / MESSAGES_LEAVE && take(bytes);
    }

    void giveBack(long bytes) {
        used.addAndGet(-bytes);
    }

    long limit() {
        return limit;
    }

    long used() {
        return used.get();
    }
}
