package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineStats;
import dev.caskwright.api.spi.KeyIndexFactory;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.SplittableRandom;
import java.util.TreeMap;
import org.junit.jupiter.params.ParameterizedTest;
import org.junit.jupiter.params.provider.CsvSource;

/** What a replay makes of the log is what writing made of it, live bytes included. */
final class ReplayTest {
    private final ManualClock clock = new ManualClock();
    private final CrashableIoManager disk = new CrashableIoManager();

    /** Names some other key's locator as the candidate whenever it has one. */
    private static final class VagueIndex extends SmallImageIndex {
        private volatile long other;

        VagueIndex() {
            super(() -> {});
        }

        @Override
        public long candidate(byte[] key, int offset, int length) {
            return other == ABSENT ? get(key, offset, length) : other;
        }

        @Override
        public long putIfAbsent(byte[] key, int offset, int length, long locator) {
            other = locator % 3 == 0 ? ABSENT : locator;
            return super.putIfAbsent(key, offset, length, locator);
        }

        @Override
        public boolean allowsConcurrentWriters() {
            return true;
        }
    }

    private EngineBuilder builder(KeyIndexFactory index) {
        return CrashFixture.builder(HOME, disk.factory(HOME), clock)
                .index(index)
                .autoMerge(false)
                .imageEveryBytes(0);
    }

    @ParameterizedTest
    @CsvSource({"1, false", "1, true", "2, false", "2, true"})
    void allIsAsItWasWritten(int threads, boolean vague) throws IOException {
        KeyIndexFactory index = context -> vague ? new VagueIndex() : new SmallImageIndex(() -> {});
        SplittableRandom random = new SplittableRandom(11);
        Map<byte[], byte[]> written = new TreeMap<>(Arrays::compareUnsigned);
        long liveBytes;
        try (BitcaskEngine engine = builder(index).maxFileBytes(256 << 10).open()) {
            for (int i = 0; i < 3_000; i++) {
                // Mostly short keys, again and again, and some that are longer than a batch.
                byte[] key = new byte[i % 100 == 0 ? random.nextInt(15_000, 40_000) : 2];
                key[0] = (byte) random.nextInt(20);
                key[1] = (byte) random.nextInt(20);
                if (random.nextInt(4) == 0) {
                    engine.delete(key);
                    written.remove(key);
                } else {
                    engine.put(key, new byte[] {(byte) i});
                    written.put(key, new byte[] {(byte) i});
                }
            }
            liveBytes = engine.stats().liveBytes();
        }
        try (BitcaskEngine engine = builder(index).replayThreads(threads).open()) {
            EngineStats stats = engine.stats();
            assertThat(stats.openedFromImage()).isFalse();
            assertThat(stats.files()).isGreaterThan(1);
            assertThat(stats.keys()).isEqualTo(written.size());
            assertThat(stats.liveBytes()).isEqualTo(liveBytes);
            for (Map.Entry<byte[], byte[]> entry : written.entrySet()) {
                assertThat(engine.get(entry.getKey())).isEqualTo(entry.getValue());
            }
        }
    }
}
