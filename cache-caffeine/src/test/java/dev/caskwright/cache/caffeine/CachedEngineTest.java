package dev.caskwright.cache.caffeine;

import dev.caskwright.api.CacheStats;
import dev.caskwright.api.spi.cache.CachedRecord;
import dev.caskwright.api.spi.cache.ValueCache;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.EngineBuilder;
import dev.caskwright.index.compact.CompactKeyIndex;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;

/**
 * The contract of engines with a cache of values that takes everything at once and forgets nothing, not even the records of
 * files that are gone: the engine must not rely on a cache to forget. Then the same with Caffeine, over an index without keys.
 */
final class CachedEngineTest extends CachedContract {
    @Override
    EngineBuilder withCache(EngineBuilder builder) {
        return builder.valueCache(Hoard::new);
    }

    @Nested
    final class WithCaffeine extends CachedContract {
        @Override
        EngineBuilder withCache(EngineBuilder builder) {
            return builder.index(CompactKeyIndex::new).valueCache(CaffeineValueCache.withMaxBytes(64 << 10));
        }
    }

    /** The same with a cache each of whose calls throws at times: reads know nothing of it. */
    @Nested
    final class WithACacheThatThrows extends CachedContract {
        @Override
        EngineBuilder withCache(EngineBuilder builder) {
            return builder.valueCache(Throwing::new);
        }
    }

    /** Keeps everything, and throws at two of three calls. */
    static final class Throwing implements ValueCache {
        private final Hoard hoard = new Hoard();
        private final AtomicLong calls = new AtomicLong();

        private void perhapsThrow() {
            long call = calls.incrementAndGet() % 3;
            if (call == 1) {
                throw new OutOfMemoryError("simulated");
            }
            if (call == 2) {
                throw new IllegalStateException("a plug-in's bug (simulated)");
            }
        }

        @Override
        public @Nullable CachedRecord get(long locator) {
            perhapsThrow();
            return hoard.get(locator);
        }

        @Override
        public boolean wants(long locator, long bytes) {
            perhapsThrow();
            return true;
        }

        @Override
        public void offer(long locator, CachedRecord cached) {
            hoard.offer(locator, cached);
            perhapsThrow();
        }

        @Override
        public void forget(LogSegment segment) {
            perhapsThrow();
        }

        @Override
        public CacheStats stats() {
            return hoard.stats();
        }

        @Override
        public void close() {
            perhapsThrow();
        }
    }

    /** Keeps everything. */
    static final class Hoard implements ValueCache {
        private final Map<Long, CachedRecord> records = new ConcurrentHashMap<>();

        @Override
        public @Nullable CachedRecord get(long locator) {
            return records.get(locator);
        }

        @Override
        public boolean wants(long locator, long bytes) {
            return true;
        }

        @Override
        public void offer(long locator, CachedRecord cached) {
            records.put(locator, cached);
        }

        @Override
        public void forget(LogSegment segment) {
            // Keeps it.
        }

        @Override
        public CacheStats stats() {
            return new CacheStats(0, 0, 0, records.size(), 0);
        }

        @Override
        public void close() {
            records.clear();
        }
    }
}
