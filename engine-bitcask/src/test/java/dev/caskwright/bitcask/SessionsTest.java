package dev.caskwright.bitcask;

import static dev.caskwright.bitcask.CrashFixture.HOME;
import static org.assertj.core.api.Assertions.assertThat;

import dev.caskwright.api.MemoryStats;
import dev.caskwright.api.Snapshot;
import dev.caskwright.api.WriteBatch;
import dev.caskwright.api.WriteOptions;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.SegmentedLogFactory;
import dev.caskwright.bitcask.store.ReadEpochs;
import dev.caskwright.bitcask.store.Session;
import dev.caskwright.bitcask.store.Sessions;
import dev.caskwright.testkit.CrashableIoManager;
import dev.caskwright.testkit.KeyValues;
import dev.caskwright.testkit.ManualClock;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collections;
import java.util.List;
import java.util.concurrent.CountDownLatch;
import org.junit.jupiter.api.Test;

/** Memory of buffers follows the store, not the threads that use it; what a store keeps is in its figures. */
final class SessionsTest {
    /** Of a reader and of a draft, at most. */
    private static final long SESSION_BYTES = (64 << 10) + (256 << 10);

    private static final long BATCH_BYTES = (1 << 20) + (4 << 10);
    private static final int BATCHES = 4;
    private static final int THREADS = 200;

    private final CrashableIoManager disk = new CrashableIoManager().logging(false);

    private BitcaskEngine open() throws IOException {
        return CrashFixture.builder(disk.factory(HOME), new ManualClock())
                .maxFileBytes(1 << 30)
                .open();
    }

    /** Each thread reads and writes a long value, and stays. */
    @Test
    void buffersAreBoundedForAStoreWhateverThreadsThereAre() throws Exception {
        BitcaskEngine engine = open();
        engine.put(KeyValues.key(0), new byte[1_000_000]);
        engine.put(KeyValues.key(1), new byte[60_000]);
        CountDownLatch used = new CountDownLatch(THREADS);
        CountDownLatch leave = new CountDownLatch(1);
        List<Thread> threads = new ArrayList<>();
        List<Throwable> failures = Collections.synchronizedList(new ArrayList<>());
        for (int i = 0; i < THREADS; i++) {
            Thread thread = new Thread(() -> {
                try {
                    engine.get(KeyValues.key(0));
                    engine.get(KeyValues.key(1));
                    engine.put(KeyValues.key(2), new byte[60_000]);
                    WriteBatch batch = new WriteBatch();
                    for (int each = 0; each < 20; each++) {
                        batch.put(KeyValues.key(10 + each), new byte[60_000]);
                    }
                    engine.write(batch, WriteOptions.DEFAULT);
                    used.countDown();
                    leave.await();
                } catch (Throwable e) {
                    failures.add(e);
                    used.countDown();
                }
            });
            threads.add(thread);
            thread.start();
        }
        used.await();
        assertThat(failures).isEmpty();
        MemoryStats memory = engine.stats().memory();
        assertThat(memory.bufferBytes())
                .isPositive()
                .isLessThanOrEqualTo(Sessions.slots() * SESSION_BYTES + BATCHES * BATCH_BYTES);
        engine.close();
        assertThat(engine.stats().memory().bufferBytes()).as("closed").isZero();
        leave.countDown();
        for (Thread thread : threads) {
            thread.join();
        }
    }

    @Test
    void theFiguresTellWhatSnapshotsHold() throws IOException {
        try (BitcaskEngine engine = open()) {
            for (int i = 0; i < 1_000; i++) {
                engine.put(KeyValues.key(i), new byte[10]);
            }
            try (Snapshot snapshot = engine.snapshot()) {
                assertThat(engine.stats().memory().snapshotBytes()).isZero();
                for (int i = 0; i < 1_000; i++) {
                    engine.put(KeyValues.key(i), new byte[10]);
                }
                assertThat(snapshot.get(KeyValues.key(1))).isNotNull();
                MemoryStats memory = engine.stats().memory();
                assertThat(memory.snapshotBytes()).isBetween(20_000L, 100_000L);
                assertThat(memory.indexBytes())
                        .isEqualTo(engine.stats().memory().indexBytes());
                assertThat(memory.totalBytes())
                        .isEqualTo(memory.indexBytes()
                                + memory.snapshotBytes()
                                + memory.bufferBytes()
                                + memory.logBytes());
            }
            assertThat(engine.stats().memory().snapshotBytes()).isZero();
        }
    }

    /** A session is taken by one thread at a time; beyond the slots there are more, which are dropped. */
    @Test
    void sessionsInUseAreNeverShared() throws IOException {
        ReadEpochs epochs = new ReadEpochs(8);
        try (RecordLog log = emptyLog()) {
            Sessions sessions = new Sessions(log, epochs);
            List<Session> taken = new ArrayList<>();
            for (int i = 0; i < 20; i++) {
                taken.add(sessions.take());
            }
            assertThat(taken).doesNotHaveDuplicates();
            assertThat(taken.stream()
                            .filter(each -> each.slot != Sessions.NO_SLOT)
                            .count())
                    .isEqualTo(8);
            assertThat(taken.stream()
                            .filter(each -> each.stripe < 8)
                            .map(each -> each.stripe)
                            .distinct()
                            .count())
                    .isEqualTo(8);
            taken.forEach(sessions::giveBack);
            assertThat(taken.contains(sessions.take())).isTrue();
            sessions.clear();
            assertThat(sessions.memoryBytes()).isZero();
        }
    }

    private RecordLog emptyLog() throws IOException {
        RecordLogOpening opening = new SegmentedLogFactory()
                .open(
                        disk,
                        disk,
                        new RecordLogOptions(
                                1 << 20, false, true, () -> 1, Runnable::run, () -> {}, () -> {}, cause -> {
                                    throw new AssertionError(cause);
                                }));
        opening.finish();
        return opening.log();
    }
}
