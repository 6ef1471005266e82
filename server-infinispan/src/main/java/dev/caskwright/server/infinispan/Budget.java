package dev.caskwright.server.infinispan;

/** What all commands under way may keep in memory, in bytes. For the runner's thread. */
final class Budget {
    private final long limit;
    private long taken;

    Budget(long limit) {
        this.limit = limit;
    }

    /** Takes so many bytes; returns false, and takes nothing, if they are not left. */
    boolean take(long bytes) {
        if (bytes > left()) {
            return false;
        }
        taken += bytes;
        return true;
    }

    void give(long bytes) {
        taken -= bytes;
    }

    long left() {
        return limit - taken;
    }
}
