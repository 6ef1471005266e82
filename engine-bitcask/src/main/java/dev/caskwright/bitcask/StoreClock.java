package dev.caskwright.bitcask;

import dev.caskwright.api.Entry;
import dev.caskwright.api.spi.RecordLog;
import java.io.IOException;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;

/**
 * The store's time: the injected clock's, but never before a moment at which some entry was seen to have expired. That
 * moment is on disk before the first reader is told so; a clock that jumps back, or a restart, cannot bring the entry
 * back.
 */
final class StoreClock {
    private final InstantSource source;
    private final RecordLog log;
    private final boolean readOnly;
    private final AtomicLong floor;
    private volatile long recorded;

    StoreClock(InstantSource source, RecordLog log, boolean readOnly) {
        this.source = source;
        this.log = log;
        this.readOnly = readOnly;
        this.recorded = log.clockMillis();
        this.floor = new AtomicLong(recorded);
    }

    long nowMillis() {
        long now = source.millis();
        long least = floor.get();
        return Math.max(now, least);
    }

    /** Returns whether an expiry has passed, now and for ever. */
    boolean hasPassed(long expiresAtMillis) throws IOException {
        if (expiresAtMillis == Entry.NEVER) {
            return false;
        }
        long now = nowMillis();
        if (expiresAtMillis > now) {
            return false;
        }
        if (expiresAtMillis > recorded) {
            record(now);
        }
        return true;
    }

    private synchronized void record(long now) throws IOException {
        floor.accumulateAndGet(now, Math::max);
        if (now > recorded) {
            if (!readOnly) {
                log.advanceClock(now);
            }
            recorded = now;
        }
    }
}
