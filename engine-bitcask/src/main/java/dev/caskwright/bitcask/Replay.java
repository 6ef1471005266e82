package dev.caskwright.bitcask;

import dev.caskwright.api.spi.KeyFilter;
import dev.caskwright.api.spi.KeyIndex;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.PersistentKeyIndex;
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
 *
 * <p>Entries are put in batches. An index that is a table in memory looks up all candidates of a batch first: so it
 * overlaps its waits for memory, and compares a key that is there with its record once, when it is replaced.
 */
final class Replay {
    private static final int BATCH = 64;
    private static final int BATCH_KEY_BYTES = 16 << 10;

    @SuppressWarnings("ArrayRecordComponent") // a holder, never compared
    private record Tombstone(byte[] key, long locator) {}

    private final RecordLogOpening opening;
    private final RecordLog log;
    private final KeyIndex index;
    private final KeyFilter wanted;
    private final boolean concurrent;
    private final boolean looksAhead;
    private final AtomicReference<@Nullable Throwable> failure = new AtomicReference<>();

    Replay(RecordLogOpening opening, KeyIndex index) {
        this(opening, index, (key, offset, length) -> true);
    }

    /** Fills the index with those keys only that the filter says yes to. */
    Replay(RecordLogOpening opening, KeyIndex index, KeyFilter wanted) {
        this.opening = opening;
        this.log = opening.log();
        this.index = index;
        this.wanted = wanted;
        this.concurrent = index.allowsConcurrentWriters();
        // Others, trees and maps of libraries, overlap nothing: they would look for each key twice.
        this.looksAhead = index instanceof PersistentKeyIndex;
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

    /** Fills the index with up to {@code threads} threads as the loaded image would. Nothing is counted as live or dead. */
    void runAsImaged(int threads) throws IOException {
        replayAll(threads, opening::replayImaged, false);
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

        private byte[] keys = new byte[BATCH_KEY_BYTES];
        private final int[] offsets = new int[BATCH];
        private final int[] lengths = new int[BATCH];
        private final long[] locators = new long[BATCH];
        /** All absent, unless looked up. */
        private final long[] candidates = new long[BATCH];

        private int batched;
        private int keyBytes;

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
                    part.replay(files.get(i), this::add);
                    putBatch();
                }
            } catch (IOException | RuntimeException | Error e) {
                failure.compareAndSet(null, e);
            }
        }

        private void add(boolean tombstone, long locator, byte[] source, int offset, int length) throws IOException {
            if (!wanted.mayContain(source, offset, length)) {
                return;
            }
            if (batched == BATCH || length > keys.length - keyBytes) {
                putBatch();
            }
            if (length > keys.length) {
                keys = new byte[length];
            }
            if (tombstone) {
                tombstones.add(new Tombstone(Arrays.copyOfRange(source, offset, offset + length), locator));
            }
            System.arraycopy(source, offset, keys, keyBytes, length);
            offsets[batched] = keyBytes;
            lengths[batched] = length;
            locators[batched] = locator;
            keyBytes += length;
            batched++;
        }

        private void putBatch() throws IOException {
            if (looksAhead) {
                index.candidates(keys, offsets, lengths, batched, candidates);
            }
            for (int i = 0; i < batched; i++) {
                long candidate = candidates[i];
                // A candidate that is older is most likely the key's own.
                if (candidate != locators[i]
                        && (candidate == KeyIndex.ABSENT
                                || !log.isAfter(locators[i], candidate)
                                || !replace(i, candidate))) {
                    put(i);
                }
            }
            entries += batched;
            batched = 0;
            keyBytes = 0;
        }

        private void put(int i) throws IOException {
            while (true) {
                long present = index.putIfAbsent(keys, offsets[i], lengths[i], locators[i]);
                if (present == KeyIndex.ABSENT) {
                    count(locators[i], KeyIndex.ABSENT);
                    return;
                }
                if (present == locators[i] || !log.isAfter(locators[i], present) || replace(i, present)) {
                    return;
                }
            }
        }

        private boolean replace(int i, long expected) throws IOException {
            boolean isReplaced = index.replace(keys, offsets[i], lengths[i], expected, locators[i]);
            if (isReplaced) {
                count(locators[i], expected);
            }
            return isReplaced;
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
