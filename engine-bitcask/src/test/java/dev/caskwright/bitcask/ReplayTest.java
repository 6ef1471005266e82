package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.EngineStats;
import dev.caskwright.api.spi.index.KeyIndexFactory;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.Arrays;
import java.util.Map;
import java.util.Set;
import java.util.SplittableRandom;
import java.util.TreeMap;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CountDownLatch;
import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicInteger;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;
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

    /** Notes who fills it; the second thread does not go on before the first one waits for it. */
    private static final class WatchedIndex extends SmallImageIndex {
        final Thread opener = Thread.currentThread();
        final Set<Thread> fillers = ConcurrentHashMap.newKeySet();
        final CountDownLatch bothAreIn = new CountDownLatch(2);
        final AtomicInteger lookups = new AtomicInteger();
        volatile boolean isOpen;
        volatile boolean wasAwaited;
        volatile boolean wasDaemon;

        WatchedIndex() {
            super(() -> {});
        }

        @Override
        public boolean allowsConcurrentWriters() {
            return true;
        }

        @Override
        public void candidates(byte[] source, int[] offsets, int[] lengths, int count, long[] locators)
                throws IOException {
            lookups.addAndGet(count);
            super.candidates(source, offsets, lengths, count, locators);
        }

        @Override
        public long putIfAbsent(byte[] key, int offset, int length, long locator) {
            if (fillers.add(Thread.currentThread())) {
                bothAreIn.countDown();
                try {
                    assertThat(bothAreIn.await(30, TimeUnit.SECONDS)).isTrue();
                } catch (InterruptedException e) {
                    throw new AssertionError(e);
                }
                if (Thread.currentThread() != opener) {
                    while (opener.getState() != Thread.State.WAITING && !isOpen) {
                        Thread.onSpinWait();
                    }
                    wasAwaited = !isOpen;
                    wasDaemon = Thread.currentThread().isDaemon();
                }
            }
            return super.putIfAbsent(key, offset, length, locator);
        }
    }

    @Test
    @Timeout(value = 1, unit = TimeUnit.MINUTES)
    void theThreadsThatWereAskedForFillTheIndexAndAreAwaited() throws IOException {
        int writes = 500;
        try (BitcaskEngine engine = builder(context -> new SmallImageIndex(() -> {}))
                .maxFileBytes(4 << 10)
                .open()) {
            for (int i = 0; i < writes; i++) {
                engine.put(KeyValues.key(i), new byte[10]);
            }
        }
        WatchedIndex index = new WatchedIndex();
        try (BitcaskEngine engine = builder(context -> index).replayThreads(2).open()) {
            index.isOpen = true;
            assertThat(index.fillers).hasSize(2);
            assertThat(index.wasAwaited).isTrue();
            assertThat(index.wasDaemon).isTrue();
            assertThat(index.lookups).hasValue(writes);
            assertThat(index.size()).isEqualTo(writes);
            assertThat(engine.stats().opening().replayedRecords()).isEqualTo(writes);
        }
    }

    @Test
    void anInterruptDoesNotCutAReplayShort() throws IOException {
        try (BitcaskEngine engine = builder(context -> new SmallImageIndex(() -> {}))
                .maxFileBytes(4 << 10)
                .open()) {
            for (int i = 0; i < 500; i++) {
                engine.put(KeyValues.key(i), new byte[10]);
            }
        }
        WatchedIndex index = new WatchedIndex();
        Thread.currentThread().interrupt();
        index.fillers.add(Thread.currentThread()); // this one goes on as it is
        index.bothAreIn.countDown();
        try (BitcaskEngine engine = builder(context -> index).replayThreads(2).open()) {
            index.isOpen = true;
            assertThat(Thread.interrupted()).isTrue();
            assertThat(engine.stats().keys()).isEqualTo(500);
        } finally {
            Thread.interrupted();
        }
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
            liveBytes = engine.stats().space().liveBytes();
        }
        try (BitcaskEngine engine = builder(index).replayThreads(threads).open()) {
            EngineStats stats = engine.stats();
            assertThat(stats.opening().fromImage()).isFalse();
            assertThat(stats.space().files()).isGreaterThan(1);
            assertThat(stats.keys()).isEqualTo(written.size());
            assertThat(stats.space().liveBytes()).isEqualTo(liveBytes);
            for (Map.Entry<byte[], byte[]> entry : written.entrySet()) {
                assertThat(engine.get(entry.getKey())).isEqualTo(entry.getValue());
            }
        }
    }
}
