package dev.caskwright.cache.caffeine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import dev.caskwright.api.CacheStats;
import dev.caskwright.api.spi.CachedRecord;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.ValueCache;
import dev.caskwright.api.spi.ValueCacheFactory;
import java.util.OptionalLong;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A cache of values bounded in bytes of the heap. What goes is decided by Caffeine (W-TinyLFU: Einziger, Friedman and Manes,
 * "TinyLFU: A Highly Efficient Cache Admission Policy"). What comes must have been read twice of late: a value that is read once
 * costs a store to a table and not an entry that makes others go. Another such table tells most misses without asking Caffeine.
 *
 * <p><b>Threads.</b> Any. Caffeine does its own maintenance in the threads that call, so a store with a cache has no thread
 * more. A hit allocates the copy of the value and the boxed locator.
 *
 * <p>Use it for stores on plain file IO, with {@code EngineBuilder.valueCache(CaffeineValueCache.withMaxBytes(…))}. Over mapped
 * memory a read costs about as much as a hit.
 */
public final class CaffeineValueCache implements ValueCache {
    /** Places for each record that has room, so that few lose theirs. */
    private static final int PLACES_PER_RECORD = 4;

    private static final int USUAL_RECORD = 256;

    /** One record takes at most this share of the cache, so that a few long values do not empty it. */
    private static final int LARGEST_SHARE = 64;

    private final Cache<Long, CachedRecord> records;
    private final long largest;
    private final RecentLocators seen;
    private volatile boolean isFull; // something has been evicted
    private final RecentLocators offered;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder evictions = new LongAdder();

    private CaffeineValueCache(long maxBytes) {
        this.records = Caffeine.newBuilder()
                .maximumWeight(maxBytes)
                .weigher((Long locator, CachedRecord record) -> record.memoryBytes())
                .executor(Runnable::run)
                .evictionListener((locator, record, cause) -> evicted())
                .build();
        this.largest = maxBytes / LARGEST_SHARE;
        this.seen = new RecentLocators(maxBytes / USUAL_RECORD);
        this.offered = new RecentLocators(PLACES_PER_RECORD * (maxBytes / USUAL_RECORD));
    }

    /**
     * Returns a factory of caches that take about so many bytes of the heap each, keys and overhead included.
     *
     * @throws IllegalArgumentException if that is less than 64 KiB
     */
    public static ValueCacheFactory withMaxBytes(long maxBytes) {
        if (maxBytes < 64 << 10) {
            throw new IllegalArgumentException("a cache of values is too small: bytes=" + maxBytes + ", at least="
                    + (64 << 10) + "; leave it off instead");
        }
        return () -> new CaffeineValueCache(maxBytes);
    }

    @Override
    public @Nullable CachedRecord get(long locator) {
        CachedRecord record = offered.has(locator) ? records.getIfPresent(locator) : null;
        (record == null ? misses : hits).increment();
        return record;
    }

    /** Wants everything until there is no more room; then what was asked about half as many reads ago as there are records. */
    @Override
    public boolean wants(long locator, long bytes) {
        return bytes <= largest && (!isFull || !seen.add(locator));
    }

    private void evicted() {
        evictions.increment();
        isFull = true;
        if ((evictions.intValue() & 1023) == 1) {
            seen.remember(records.estimatedSize() / 2);
        }
    }

    @Override
    public void offer(long locator, CachedRecord record) {
        if (record.memoryBytes() <= largest) {
            records.put(locator, record);
            offered.add(locator);
        }
    }

    @Override
    public void forget(LogSegment segment) {
        records.asMap().values().removeIf(record -> record.segment() == segment);
    }

    @Override
    public CacheStats stats() {
        OptionalLong weight = records.policy().eviction().stream()
                .mapToLong(eviction -> weight(eviction))
                .findFirst();
        return new CacheStats(hits.sum(), misses.sum(), evictions.sum(), records.estimatedSize(), weight.orElse(0));
    }

    private static long weight(Policy.Eviction<Long, CachedRecord> eviction) {
        return eviction.weightedSize().orElse(0);
    }

    @Override
    public void close() {
        records.invalidateAll();
        records.cleanUp();
    }
}
