package dev.caskwright.api.spi.cache;

import dev.caskwright.api.CacheStats;
import dev.caskwright.api.spi.log.LogSegment;
import java.io.Closeable;
import org.jspecify.annotations.Nullable;

/**
 * A cache of records by their locators, on the heap. A locator names one record of one segment, and records do not change;
 * so no write, expiry or merge makes an entry wrong. The engine compares the segment and the key of whatever it is given,
 * and judges expiry itself: a cache may forget anything at any time, but must not mix entries up.
 *
 * <p><b>Threads.</b> Any, without locks that a reader waits for. <b>Errors.</b> None: a cache that has no room forgets.
 */
public interface ValueCache extends Closeable {
    /** Returns what is cached for a locator, or null. */
    @Nullable CachedRecord get(long locator);

    /** Returns whether a record of this size, in {@link CachedRecord#memoryBytes}, would be taken if it were offered now. */
    boolean wants(long locator, long bytes);

    /** Offers a record, which {@link #wants} was asked about. */
    void offer(long locator, CachedRecord record);

    /** Forgets the records of a segment that is about to be removed. */
    void forget(LogSegment segment);

    /** Returns figures since it was made. */
    CacheStats stats();

    /** Forgets everything. Closing twice is fine. */
    @Override
    void close();
}
