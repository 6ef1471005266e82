package dev.caskwright.cache.caffeine;

import com.github.benmanes.caffeine.cache.Cache;
import com.github.benmanes.caffeine.cache.Caffeine;
import com.github.benmanes.caffeine.cache.Policy;
import dev.caskwright.api.CacheStats;
import dev.caskwright.api.spi.cache.CachedRecord;
import dev.caskwright.api.spi.cache.ValueCache;
import dev.caskwright.api.spi.cache.ValueCacheFactory;
import dev.caskwright.api.spi.log.LogSegment;
import java.util.Objects;
import java.util.OptionalLong;
import java.util.concurrent.ThreadLocalRandom;
import java.util.concurrent.atomic.LongAdder;
import org.jspecify.annotations.Nullable;

/**
 * A cache of values bounded in bytes of the heap. What goes is decided by Caffeine (W-TinyLFU: Einziger, Friedman and Manes,
 * "TinyLFU: A Highly Efficient Cache Admission Policy"). What comes must have been read twice of late: a value that is read once
 * costs a store to a table and not an entry that makes others go. Hits and misses are told by a table of our own before Caffeine, which
 * hears of some hits only: that is enough for it to know what is read often.
 *
 * <p>A cache that is full and is hit by less than a fifth of the reads costs more than it spares. Then it rests: it takes part in one read
 * of eight, to see whether that changes.
 *
 * <p><b>Threads.</b> Any. Caffeine does its own maintenance in the threads that call, so a store with a cache has no thread
 * more. A hit allocates the copy of the value.
 *
 * <p>Use it for stores on plain file IO, with {@code EngineBuilder.valueCache(CaffeineValueCache.withMaxBytes(…))}. Over mapped
 * memory a read costs about as much as a hit.
 */
public final class CaffeineValueCache implements ValueCache {
    /** Places for each record that has room, so that few lose theirs. */
    private static final int PLACES_PER_RECORD = 2;

    private static final int USUAL_RECORD = 256;

    /** One record takes at most this share of the cache, so that a few long values do not empty it. */
    private static final int LARGEST_SHARE = 64;

    /** Caffeine hears of one hit in so many; a power of two. */
    private static final int HEARD_OF = 16;

    /** A cache that rests takes part in one read of so many; a power of two. */
    private static final int AWAKE_OF = 8;

    /** Whether it rests is decided about each so many reads; a power of two, and so many reads at least. */
    private static final int JUDGED_OF = 1024;

    private static final int LEAST_JUDGED = 8192;

    /** Below this hit rate it rests. */
    private static final double LEAST_RATE = 0.2;

    private final Cache<Long, CachedRecord> records;
    private final long largest;
    private final RecentLocators seen;
    private volatile boolean isFull; // something has been evicted
    private volatile boolean isResting;
    private final RecordTable table;
    private final LongAdder hits = new LongAdder();
    private final LongAdder misses = new LongAdder();
    private final LongAdder evictions = new LongAdder();

    /** What had been counted when it was last judged; guarded by this. */
    private long judgedHits;

    private long judgedMisses;

    private CaffeineValueCache(long maxBytes) {
        this.table = new RecordTable(PLACES_PER_RECORD * (maxBytes / USUAL_RECORD));
        this.records = Caffeine.newBuilder()
                .maximumWeight(maxBytes - table.bytes())
                .weigher((Long locator, CachedRecord record) -> record.memoryBytes())
                .executor(Runnable::run)
                .evictionListener((locator, record, cause) -> evicted(Objects.requireNonNull(locator)))
                .build();
        this.largest = maxBytes / LARGEST_SHARE;
        this.seen = new RecentLocators(maxBytes / USUAL_RECORD);
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
        int random = ThreadLocalRandom.current().nextInt();
        if (isResting && (random & AWAKE_OF - 1) != 0) {
            return null;
        }
        CachedRecord record = table.get(locator);
        if (record == null) {
            misses.increment();
        } else {
            hits.increment();
            if ((random & (HEARD_OF - 1) * AWAKE_OF) == 0 && records.getIfPresent(locator) == null) {
                table.remove(locator); // another thread was between the two
            }
        }
        if ((random >>> Integer.SIZE - Integer.numberOfTrailingZeros(JUDGED_OF)) == 0) {
            judge();
        }
        return record;
    }

    private synchronized void judge() {
        long newHits = hits.sum() - judgedHits;
        long newMisses = misses.sum() - judgedMisses;
        if (newHits + newMisses >= LEAST_JUDGED) {
            isResting = isFull && newHits < LEAST_RATE * (newHits + newMisses);
            judgedHits += newHits;
            judgedMisses += newMisses;
        }
    }

    /** Wants everything until there is no more room; then what was asked about half as many reads ago as there are records. */
    @Override
    public boolean wants(long locator, long bytes) {
        if (isResting && (ThreadLocalRandom.current().nextInt() & AWAKE_OF - 1) != 0) {
            return false;
        }
        return bytes <= largest && (!isFull || !seen.add(locator));
    }

    private void evicted(long locator) {
        table.remove(locator);
        evictions.increment();
        isFull = true;
        if ((evictions.intValue() & 1023) == 1) {
            seen.remember(records.estimatedSize() / 2);
        }
    }

    @Override
    public void offer(long locator, CachedRecord record) {
        if (record.memoryBytes() <= largest) {
            long gone = table.set(locator, record); // first: it may be evicted at once
            if (gone != locator) {
                records.invalidate(gone);
            }
            records.put(locator, record);
        }
    }

    @Override
    public void forget(LogSegment segment) {
        records.asMap().values().removeIf(record -> record.segment() == segment);
        table.removeAll(segment);
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
        table.removeAll(null);
        records.invalidateAll();
        records.cleanUp();
    }
}
