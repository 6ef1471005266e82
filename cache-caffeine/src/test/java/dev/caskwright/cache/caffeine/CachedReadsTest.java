package dev.caskwright.cache.caffeine;

import static java.nio.charset.StandardCharsets.UTF_8;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.CacheStats;
import dev.caskwright.api.Cursor;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.ValueView;
import dev.caskwright.api.spi.cache.CachedRecord;
import dev.caskwright.api.spi.cache.ValueCache;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.BitcaskEngine;
import java.io.IOException;
import java.nio.ByteBuffer;
import java.nio.file.Path;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.io.TempDir;

/** Which reads use a cache of values: those of single values, however they are asked for, and no others. */
final class CachedReadsTest {
    private static final byte[] KEY = "key".getBytes(UTF_8);
    private static final byte[] VALUE = "value".getBytes(UTF_8);

    @TempDir
    private Path directory;

    private final Counting cache = new Counting();

    private interface Read {
        byte @Nullable [] of(BitcaskEngine engine, byte[] key) throws IOException;
    }

    private static final List<Read> READS = List.of(
            (engine, key) -> engine.get(key),
            (engine, key) -> engine.get(ByteBuffer.wrap(key)),
            (engine, key) ->
                    engine.get(ByteBuffer.allocateDirect(key.length).put(key).flip()),
            (engine, key) -> {
                ByteBuffer target = ByteBuffer.allocate(16);
                int length = engine.get(key, target);
                return length < 0 ? null : java.util.Arrays.copyOf(target.array(), length);
            },
            (engine, key) -> engine.read(key, ValueView::toBytes),
            (engine, key) -> engine.getAll("absent".getBytes(UTF_8), key)[1],
            (engine, key) -> {
                try (Snapshot snapshot = engine.snapshot()) {
                    return snapshot.get(key);
                }
            });

    private BitcaskEngine open() throws IOException {
        return BitcaskEngine.builder(directory.resolve("store"))
                .valueCache(() -> cache)
                .open();
    }

    @Test
    void everyReadOfASingleValueFillsTheCacheAndUsesIt() throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.put(KEY, VALUE);
            for (Read first : READS) {
                for (Read second : READS) {
                    cache.hoard.close();
                    int hits = cache.hits;
                    assertThat(first.of(engine, KEY)).isEqualTo(VALUE);
                    assertThat(cache.hits).isEqualTo(hits);
                    byte[] found = second.of(engine, KEY);
                    assertThat(found).isEqualTo(VALUE);
                    assertThat(cache.hits)
                            .as("read %s after %s", READS.indexOf(second), READS.indexOf(first))
                            .isEqualTo(hits + 1);
                    found[0] ^= 1; // must not reach the cache
                    assertThat(second.of(engine, KEY)).isEqualTo(VALUE);
                }
            }
            engine.put(KEY, "other".getBytes(UTF_8));
            for (Read read : READS) {
                assertThat(read.of(engine, KEY)).asString(UTF_8).isEqualTo("other");
            }
            engine.delete(KEY);
            for (Read read : READS) {
                assertThat(read.of(engine, KEY)).isNull();
            }
        }
    }

    @Test
    void scansAndCursorsLeaveTheCacheAlone() throws IOException {
        try (BitcaskEngine engine = open()) {
            engine.put(KEY, VALUE);
            engine.visit(entry -> true);
            try (Cursor cursor = engine.cursor()) {
                assertThat(cursor.next()).isNotNull();
            }
            assertThat(engine.contains(KEY)).isTrue();
            assertThat(cache.stats().entries()).isZero();
            assertThat(cache.asked).isZero();
        }
    }

    /** Keeps everything, and counts. */
    private static final class Counting implements ValueCache {
        private final CachedEngineTest.Hoard hoard = new CachedEngineTest.Hoard();
        private int asked;
        private int hits;

        @Override
        public @Nullable CachedRecord get(long locator) {
            asked++;
            CachedRecord found = hoard.get(locator);
            hits += found == null ? 0 : 1;
            return found;
        }

        @Override
        public boolean wants(long locator, long bytes) {
            return true;
        }

        @Override
        public void offer(long locator, CachedRecord record) {
            hoard.offer(locator, record);
        }

        @Override
        public void forget(LogSegment segment) {
            hoard.forget(segment);
        }

        @Override
        public CacheStats stats() {
            return hoard.stats();
        }

        @Override
        public void close() {
            hoard.close();
        }
    }
}
