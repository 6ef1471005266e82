package dev.caskwright.cache.caffeine;

import dev.caskwright.api.CacheStats;
import dev.caskwright.api.StorageEngine;
import dev.caskwright.api.spi.CachedRecord;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.ValueCache;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.index.compact.CompactKeyIndex;
import dev.caskwright.testkit.BackupsContract;
import dev.caskwright.testkit.ChangeFeedContract;
import dev.caskwright.testkit.ConditionalWritesContract;
import dev.caskwright.testkit.ExpiryContract;
import dev.caskwright.testkit.MergingContract;
import dev.caskwright.testkit.StorageEngineContract;
import dev.caskwright.testkit.TransactionsContract;
import dev.caskwright.testkit.VersionsContract;
import java.io.IOException;
import java.nio.file.Path;
import java.time.InstantSource;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Nested;

/**
 * The contract of engines with a cache of values that takes everything at once and forgets nothing, not even the records of
 * files that are gone: the engine must not rely on a cache to forget. Then the same with Caffeine, over an index without keys.
 */
final class CachedEngineTest extends StorageEngineContract
        implements BackupsContract,
                ChangeFeedContract,
                ConditionalWritesContract,
                ExpiryContract,
                MergingContract,
                TransactionsContract,
                VersionsContract {
    @Override
    public StorageEngine open(Path directory, InstantSource clock) throws IOException {
        return BitcaskEngine.builder(directory)
                .clock(clock)
                .maxFileBytes(4096)
                .valueCache(Hoard::new)
                .open();
    }

    @Nested
    final class WithCaffeine extends StorageEngineContract
            implements BackupsContract,
                    ChangeFeedContract,
                    ConditionalWritesContract,
                    ExpiryContract,
                    MergingContract,
                    TransactionsContract,
                    VersionsContract {
        @Override
        public StorageEngine open(Path directory, InstantSource clock) throws IOException {
            return BitcaskEngine.builder(directory)
                    .clock(clock)
                    .maxFileBytes(4096)
                    .index(CompactKeyIndex::new)
                    .valueCache(CaffeineValueCache.withMaxBytes(64 << 10))
                    .open();
        }
    }

    /** The same with a cache each of whose calls throws at times: reads know nothing of it. */
    @Nested
    final class WithACacheThatThrows extends StorageEngineContract
            implements BackupsContract,
                    ChangeFeedContract,
                    ConditionalWritesContract,
                    ExpiryContract,
                    MergingContract,
                    TransactionsContract,
                    VersionsContract {
        @Override
        public StorageEngine open(Path directory, InstantSource clock) throws IOException {
            return BitcaskEngine.builder(directory)
                    .clock(clock)
                    .maxFileBytes(4096)
                    .valueCache(Throwing::new)
                    .open();
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
