package dev.caskwright.cache.caffeine;

import static org.assertj.core.api.Assertions.assertThat;
import static org.assertj.core.api.Assertions.assertThatThrownBy;

import dev.caskwright.api.CacheStats;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.cache.CachedRecord;
import dev.caskwright.api.spi.cache.ValueCache;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.BitcaskEngine;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import java.util.Random;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

final class CaffeineValueCacheTest {
    private static final byte[] KEY = KeyValues.key(1);

    @TempDir
    private Path directory;

    private final ManualClock clock = new ManualClock();

    private BitcaskEngine open(long bytes) throws IOException {
        return BitcaskEngine.builder(directory)
                .clock(clock)
                .maxFileBytes(8192)
                .executor(Runnable::run)
                .autoMerge(false)
                .valueCache(CaffeineValueCache.withMaxBytes(bytes))
                .open();
    }

    private static void readTwice(BitcaskEngine engine, byte[] key) throws IOException {
        engine.get(key);
        engine.get(key);
    }

    @Test
    void aValueThatIsReadIsCachedWhileThereIsRoom() throws IOException {
        try (BitcaskEngine engine = open(1 << 20)) {
            engine.put(KEY, new byte[] {1, 2, 3});
            engine.get(KEY);
            assertThat(engine.stats().cache()).isEqualTo(new CacheStats(0, 1, 0, 1, 176 + KEY.length + 3));
            byte[] value = engine.get(KEY);
            assertThat(value).containsExactly(1, 2, 3);
            value[0] = 9; // the caller's copy
            ByteBuffer target = ByteBuffer.allocate(5);
            assertThat(engine.get(KEY, target)).isEqualTo(3);
            assertThat(target.flip()).isEqualTo(ByteBuffer.wrap(new byte[] {1, 2, 3}));
            assertThat(engine.get(KEY, ByteBuffer.allocate(2))).isEqualTo(3);
            assertThat(engine.stats().cache().hits()).isEqualTo(3);
        }
    }

    @Test
    void scansAndCursorsLeaveTheCacheAlone() throws IOException {
        try (BitcaskEngine engine = open(1 << 20)) {
            engine.put(KEY, new byte[10]);
            for (int i = 0; i < 3; i++) {
                engine.visit(entry -> true);
                engine.entry(KEY);
            }
            assertThat(engine.stats().cache()).isEqualTo(new CacheStats(0, 0, 0, 0, 0));
        }
    }

    @Test
    void writesExpiryAndMergesMakeNoEntryWrong() throws IOException {
        try (BitcaskEngine engine = open(1 << 20)) {
            engine.put(KEY, new byte[] {1});
            readTwice(engine, KEY);
            try (Snapshot snapshot = engine.snapshot()) {
                engine.put(KEY, new byte[] {2}, WriteOptions.DEFAULT.timeToLive(Duration.ofMinutes(1)));
                readTwice(engine, KEY);
                assertThat(engine.get(KEY)).containsExactly(2);
                assertThat(snapshot.get(KEY)).containsExactly(1);
            }
            engine.merge();
            assertThat(engine.get(KEY)).containsExactly(2);
            readTwice(engine, KEY);
            long hits = engine.stats().cache().hits();
            assertThat(engine.get(KEY)).containsExactly(2);
            assertThat(engine.stats().cache().hits()).isEqualTo(hits + 1);
            clock.advance(Duration.ofMinutes(2));
            assertThat(engine.get(KEY)).isNull();
            engine.put(KEY, new byte[] {3});
            engine.delete(KEY);
            assertThat(engine.get(KEY)).isNull();
        }
    }

    @Test
    void recordsOfFilesThatAreGoneGo() throws IOException {
        try (BitcaskEngine engine = open(1 << 20)) {
            for (int i = 0; i < 100; i++) {
                engine.put(KeyValues.key(i), new byte[200]);
                readTwice(engine, KeyValues.key(i));
            }
            assertThat(engine.stats().cache().entries()).isEqualTo(100);
            engine.merge();
            assertThat(engine.stats().cache().entries()).isZero();
        }
    }

    @Test
    void memoryIsBoundedAndLongValuesStayOut() throws IOException {
        long bytes = 64 << 10;
        try (BitcaskEngine engine = open(bytes)) {
            for (int i = 0; i < 500; i++) {
                engine.put(KeyValues.key(i), new byte[i % 10 == 0 ? 2000 : 400]);
                readTwice(engine, KeyValues.key(i));
            }
            CacheStats stats = engine.stats().cache();
            assertThat(stats.bytes()).isBetween(bytes / 2, bytes);
            assertThat(stats.evictions()).isPositive();
            engine.put(KEY, new byte[2000]);
            for (int i = 0; i < 5; i++) {
                engine.get(KEY);
            }
            assertThat(engine.stats().cache().hits()).isEqualTo(stats.hits());
        }
    }

    @Test
    void aCacheOfNoUseIsRefused() {
        assertThatThrownBy(() -> CaffeineValueCache.withMaxBytes(65_535))
                .isInstanceOf(IllegalArgumentException.class)
                .hasMessageContaining("at least=65536");
    }

    /** A scan by single reads makes nothing go that is read again and again. */
    @Test
    void aFullCacheTakesWhatIsReadTwice() {
        try (ValueCache cache = CaffeineValueCache.withMaxBytes(1 << 20).open()) {
            int count = 0;
            while (cache.stats().evictions() == 0) {
                count++;
                cache.offer(count, new CachedRecord(new NoSegment(), KEY, new byte[500], 1, 0));
            }
            for (int i = 0; i < 1_000; i++) {
                assertThat(cache.wants(1_000_000 + i, 500)).isFalse();
            }
            assertThat(cache.wants(1_000_999, 500)).isTrue();
        }
    }

    /** Reads keys evenly, or a few of them; returns how many of the reads the cache took part in. */
    private static long read(ValueCache cache, int keys, int reads) {
        CacheStats before = cache.stats();
        for (int i = 0; i < reads; i++) {
            long locator = 1 + i % keys;
            if (cache.get(locator) == null && cache.wants(locator, 600)) {
                cache.offer(locator, new CachedRecord(new NoSegment(), KEY, new byte[400], 1, 0));
            }
        }
        CacheStats after = cache.stats();
        return after.hits() + after.misses() - before.hits() - before.misses();
    }

    @Test
    void aCacheThatIsOfNoUseRestsUntilItIs() {
        try (ValueCache cache = CaffeineValueCache.withMaxBytes(1 << 20).open()) {
            read(cache, 100_000, 400_000);
            assertThat(read(cache, 100_000, 100_000)).isLessThan(20_000);
            read(cache, 500, 2_000_000);
            assertThat(read(cache, 500, 10_000)).isEqualTo(10_000);
            long hits = cache.stats().hits();
            read(cache, 500, 10_000);
            assertThat(cache.stats().hits()).isGreaterThan(hits + 9_000);
        }
    }

    /** What is mixed up would be another key's value, or an older one. */
    @Test
    void threadsThatChangeTheSamePlacesMixNothingUp() throws Exception {
        RecordTable table = new RecordTable(1);
        CachedRecord[] records = new CachedRecord[20_000]; // 40 for each place
        for (int i = 0; i < records.length; i++) {
            records[i] = new CachedRecord(new NoSegment(), KEY, new byte[0], i, 0);
        }
        List<Thread> threads = new ArrayList<>();
        AtomicLong mixed = new AtomicLong();
        for (int t = 0; t < 4; t++) {
            Random random = new Random(t);
            threads.add(new Thread(() -> {
                for (int i = 0; i < 300_000; i++) {
                    int locator = random.nextInt(records.length);
                    CachedRecord found = table.get(locator);
                    if (found != null && found != records[locator]) {
                        mixed.incrementAndGet();
                    }
                    if (i % 2 == 0) {
                        table.set(locator, records[locator]);
                    } else if (i % 64 == 1) {
                        table.remove(locator);
                    }
                }
            }));
        }
        threads.forEach(Thread::start);
        for (Thread thread : threads) {
            thread.join();
        }
        assertThat(mixed).hasValue(0);
        table.removeAll(null);
        for (int i = 0; i < records.length; i++) {
            assertThat(table.get(i)).isNull();
        }
    }

    /** What a record lies in; nothing is asked of it. */
    private static final class NoSegment implements LogSegment {
        @Override
        public long id() {
            return 1;
        }

        @Override
        public int slot() {
            return 0;
        }

        @Override
        public long length() {
            return 0;
        }

        @Override
        public long liveBytes() {
            return 0;
        }

        @Override
        public long deadBytes() {
            return 0;
        }

        @Override
        public boolean isSealed() {
            return true;
        }

        @Override
        public boolean isMerged() {
            return false;
        }

        @Override
        public long lastVersion() {
            return 0;
        }
    }

    @Test
    void aClosedCacheHoldsNothing() {
        ValueCache cache = CaffeineValueCache.withMaxBytes(1 << 20).open();
        assertThat(cache.wants(7, 10)).isTrue();
        cache.offer(7, new CachedRecord(new NoSegment(), KEY, new byte[10], 1, 0));
        assertThat(cache.get(7)).isNotNull();
        assertThat(cache.get(8)).isNull();
        cache.close();
        cache.close();
        assertThat(cache.stats().entries()).isZero();
    }
}
