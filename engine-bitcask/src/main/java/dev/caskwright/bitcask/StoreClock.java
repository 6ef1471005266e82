package dev.caskwright.bitcask;

import dev.caskwright.api.Entry;
import dev.caskwright.api.spi.RecordLog;
import java.io.IOException;
import java.time.InstantSource;
import java.util.concurrent.atomic.AtomicLong;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

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
    private boolean warned; // guarded by this

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
    boolean hasPassed(long expiresAtMillis) {
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

    private synchronized void record(long now) {
        floor.accumulateAndGet(now, Math::max);
        if (now <= recorded) {
            return;
        }
        try {
            if (!readOnly) {
                log.advanceClock(now);
            }
            recorded = now;
        } catch (IOException e) {
            // Reads go on when the disk is full or has failed. The floor holds in memory, and the next expiry seen
            // tries
            // again; only a restart before that, with a clock set back, could show an expired entry once more.
            if (!warned) {
                warned = true;
                logger().warn("the store's time could not be recorded, will try again: {}", e.getMessage());
            }
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(StoreClock.class);
    }
}
