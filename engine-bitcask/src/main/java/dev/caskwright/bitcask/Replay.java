package dev.caskwright.bitcask;

import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.RecordLog;
import dev.caskwright.api.spi.RecordLogOpening;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Fills the index from the log when a store is opened. Files may be replayed in any order and by several threads: of two
 * records of a key, the one that is later in the log wins. Tombstones are kept in the index until all files are replayed,
 * so that they also win over what comes after them; then they are removed.
 */
final class Replay {
    @SuppressWarnings("ArrayRecordComponent") // a holder, never compared
    private record Tombstone(byte[] key, long locator) {}

    private final RecordLogOpening opening;
    private final RecordLog log;
    private final KeyIndex index;
    private final boolean concurrent;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Replay(RecordLogOpening opening, KeyIndex index) {
        this.opening = opening;
        this.log = opening.log();
        this.index = index;
        this.concurrent = index.allowsConcurrentWriters();
    }

    /**
     * Fills the index with up to {@code threads} threads; returns how many entries were read.
     *
     * @param isImageLoaded whether the index was filled from an image. What was written while that was saved is replayed
     *     first, and not counted as live or dead: the log has the counts as of the image's end, and they go on from there
     */
    long run(int threads, boolean isImageLoaded) throws IOException {
        long unsettled = isImageLoaded ? replayAll(threads, opening::replayUnsettled, false) : 0;
        return unsettled + replayAll(threads, opening::replay, true);
    }

    /** Replays one file, or a part of it. */
    @FunctionalInterface
    private interface Part {
        void replay(LogSegment file, RecordLogOpening.ReplayVisitor visitor) throws IOException;
    }

    private long replayAll(int threads, Part part, boolean counting) throws IOException {
        List<LogSegment> files = log.segments();
        AtomicInteger next = new AtomicInteger();
        List<Worker> workers = new ArrayList<>();
        int count = concurrent ? Math.max(1, Math.min(threads, files.size())) : 1;
        for (int i = 0; i < count; i++) {
            workers.add(new Worker(files, next, part, counting));
        }
        List<Thread> others = new ArrayList<>();
        for (Worker worker : workers.subList(1, count)) {
            Thread thread = new Thread(worker, "caskwright-replay");
            thread.setDaemon(true);
            thread.start();
            others.add(thread);
        }
        workers.get(0).run();
        join(others);
        throwFailure();
        long entries = 0;
        for (Worker worker : workers) {
            entries += worker.entries;
            for (Tombstone tombstone : worker.tombstones) {
                // While it stood in the index it was counted like a put.
                if (index.remove(tombstone.key(), 0, tombstone.key().length, tombstone.locator()) && counting) {
                    log.markDead(tombstone.locator());
                }
            }
        }
        return entries;
    }

    private static void join(List<Thread> threads) {
        boolean interrupted = false;
        for (Thread thread : threads) {
            while (thread.isAlive()) {
                try {
                    thread.join();
                } catch (InterruptedException e) {
                    interrupted = true; // kept for later: the index must not be left half filled
                }
            }
        }
        if (interrupted) {
            Thread.currentThread().interrupt();
        }
    }

    private void throwFailure() throws IOException {
        Throwable first = failure.get();
        if (first instanceof IOException e) {
            throw e;
        } else if (first instanceof RuntimeException e) {
            throw e;
        } else if (first instanceof Error e) {
            throw e;
        }
    }

    private final class Worker implements Runnable {
        private final List<LogSegment> files;
        private final AtomicInteger next;
        private final Part part;
        private final boolean counting;
        final List<Tombstone> tombstones = new ArrayList<>();
        long entries;

        Worker(List<LogSegment> files, AtomicInteger next, Part part, boolean counting) {
            this.files = files;
            this.next = next;
            this.part = part;
            this.counting = counting;
        }

        @Override
        public void run() {
            try {
                for (int i = next.getAndIncrement(); i < files.size(); i = next.getAndIncrement()) {
                    if (failure.get() != null) {
                        return;
                    }
                    part.replay(files.get(i), this::replay);
                }
            } catch (IOException | RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            }
        }

        private void replay(boolean tombstone, long locator, byte[] source, int offset, int length) throws IOException {
            entries++;
            if (tombstone) {
                tombstones.add(new Tombstone(Arrays.copyOfRange(source, offset, offset + length), locator));
            }
            while (true) {
                long present = index.putIfAbsent(source, offset, length, locator);
                if (present == KeyIndex.ABSENT) {
                    count(locator, KeyIndex.ABSENT);
                    return;
                }
                if (present == locator || !log.isAfter(locator, present)) {
                    return;
                }
                if (index.replace(source, offset, length, present, locator)) {
                    count(locator, present);
                    return;
                }
            }
        }

        private void count(long live, long dead) {
            if (counting) {
                log.markLive(live);
                if (dead != KeyIndex.ABSENT) {
                    log.markDead(dead);
                }
            }
        }
    }
}
