package dev.caskwright.bitcask.store;

import static org.assertj.core.api.Assertions.assertThat;

import java.util.concurrent.TimeUnit;
import java.util.concurrent.atomic.AtomicBoolean;
import java.util.concurrent.atomic.AtomicLong;
import org.junit.jupiter.api.Tag;
import org.junit.jupiter.api.Test;
import org.junit.jupiter.api.Timeout;

/**
 * Readers race with whoever frees what they may see: after {@link ReadEpochs#awaitReaders} no reader looks at what was
 * taken away before it. In the campaign for {@code -Dcaskwright.race.millis} milliseconds.
 */
final class ReadEpochsRaceTest {
    private static final int READERS = 3;

    /** What is read, and freed in the end. */
    private static final class Thing {
        volatile boolean isFreed;
    }

    private volatile Thing current = new Thing();

    @Test
    @Timeout(value = 3, unit = TimeUnit.MINUTES, threadMode = Timeout.ThreadMode.SEPARATE_THREAD)
    void nobodySeesWhatWasFreed() throws Exception {
        race(500);
    }

    @Test
    @Tag("campaign")
    void nobodySeesWhatWasFreedForLong() throws Exception {
        race(Long.getLong("caskwright.race.millis", 60_000));
    }

    private void race(long millis) throws Exception {
        ReadEpochs epochs = new ReadEpochs(1);
        AtomicBoolean isOver = new AtomicBoolean();
        AtomicLong reads = new AtomicLong();
        AtomicLong freedWhileRead = new AtomicLong();
        Thread[] readers = new Thread[READERS];
        for (int i = 0; i < READERS; i++) {
            // One has a stripe of its own, the others share one.
            int stripe = i == 0 ? 0 : epochs.ownStripes();
            readers[i] = new Thread(() -> {
                while (!isOver.get()) {
                    int entered = epochs.enter(stripe);
                    Thing seen = current;
                    for (int look = 0; look < 8; look++) {
                        if (seen.isFreed) {
                            freedWhileRead.incrementAndGet();
                        }
                    }
                    epochs.exit(entered);
                    reads.incrementAndGet();
                }
            });
            readers[i].start();
        }
        long freed = 0;
        try {
            for (long end = System.nanoTime() + millis * 1_000_000;
                    System.nanoTime() < end || reads.get() == 0;
                    freed++) {
                Thing old = current;
                current = new Thing();
                epochs.awaitReaders();
                old.isFreed = true;
            }
        } finally {
            isOver.set(true);
            for (Thread reader : readers) {
                reader.join();
            }
        }
        System.out.println("epochs: reads=" + reads + ", freed=" + freed);
        assertThat(freedWhileRead).hasValue(0);
    }
}
