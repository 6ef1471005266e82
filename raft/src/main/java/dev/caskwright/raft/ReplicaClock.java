package dev.caskwright.raft;

import java.time.Instant;
import java.time.InstantSource;

/**
 * The time of the last entry that is in the store, which the store's expiry goes by. So what has expired is a matter of the log
 * alone, the same on every member and after every restart, whatever their clocks say. It is set once the entry has been written:
 * a merge that removes what has expired by this time forces the log before, so the time itself is never lost behind it.
 */
final class ReplicaClock implements InstantSource {
    private volatile long millis;

    void set(long now) {
        millis = now;
    }

    @Override
    public long millis() {
        return millis;
    }

    @Override
    public Instant instant() {
        return Instant.ofEpochMilli(millis);
    }
}
