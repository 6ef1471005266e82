package dev.caskwright.bitcask.replay;

import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.index.KeyIndex;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.concurrent.atomic.AtomicReference;
import org.jspecify.annotations.Nullable;

/**
 * Fills the index from the log when a store is opened. Files may be replayed in any order and by several threads; see {@link
 * ReplayBatch}. Tombstones are kept in the index until all files are replayed; then they are removed.
 */
final class Replay {
    private final RecordLogOpening opening;
    private final RecordLog log;
    private final KeyIndex index;
    private final KeyFilter wanted;
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
    }

    /**
     * Fills the index with up to {@code threads} threads; returns how many entries were read.
     *
     * @param isImageLoaded whether the index was filled from an image. What was written while that was saved is replayed
     *     first, and not counted as live or dead: the log has the counts as of the image's end, and they go on from there
     */
    long run(int threads, boolean isImageLoaded) throws IOException {
        long unsettled = isImageLoaded ? replayAll(threads, opening::replayUnsettled, ReplayBatch.Counter.NONE) : 0;
        return unsettled + replayAll(threads, opening::replay, ReplayBatch.Counter.of(log));
    }

    /** Brings the index to the moment at which the loaded image ended. Nothing is counted as live or dead. */
    void runUnsettled() throws IOException {
        replayAll(1, opening::replayUnsettled, ReplayBatch.Counter.NONE);
    }

    /** Fills the index with up to {@code threads} threads as the loaded image would. Nothing is counted as live or dead. */
    void runAsImaged(int threads) throws IOException {
        replayAll(threads, opening::replayImaged, ReplayBatch.Counter.NONE);
    }

    /**
     * Reads with up to {@code threads} threads what is after the image, and leaves it to an index to put it, part by part,
     * when it loads the parts that it has left. Returns false, and does nothing, if that is too much to be kept.
     */
    boolean collect(ReplayLater target, int threads) throws IOException {
        List<FileReader> readers = new ArrayList<>();
        for (int i = 0; i < Math.max(1, Math.min(threads, log.segments().size())); i++) {
            ReplayLater.Collector collector = target.collector();
            readers.add(file -> {
                if (!target.isTooMuch()) {
                    opening.replayUnsettled(
                            file,
                            (tombstone, locator, source, offset, length) ->
                                    collector.add(true, tombstone, locator, source, offset, length));
                    opening.replay(
                            file,
                            (tombstone, locator, source, offset, length) ->
                                    collector.add(false, tombstone, locator, source, offset, length));
                }
            });
        }
        readAll(readers);
        return !target.isTooMuch();
    }

    /** Replays one file, or a part of it. */
    @FunctionalInterface
    private interface Part {
        void replay(LogSegment file, RecordLogOpening.ReplayVisitor visitor) throws IOException;
    }

    private long replayAll(int threads, Part part, ReplayBatch.Counter counter) throws IOException {
        int count = index.allowsConcurrentWriters()
                ? Math.max(1, Math.min(threads, log.segments().size()))
                : 1;
        List<ReplayBatch> batches = new ArrayList<>();
        List<FileReader> readers = new ArrayList<>();
        for (int i = 0; i < count; i++) {
            ReplayBatch batch = new ReplayBatch(log, index, counter);
            batches.add(batch);
            readers.add(file -> {
                part.replay(file, (tombstone, locator, source, offset, length) -> {
                    if (wanted.mayContain(source, offset, length)) {
                        batch.add(tombstone, locator, source, offset, length);
                    }
                });
                batch.flush();
            });
        }
        readAll(readers);
        long entries = 0;
        for (ReplayBatch batch : batches) {
            entries += batch.entries();
            batch.removeTombstones();
        }
        return entries;
    }

    /** What one thread does with each file that it takes. */
    @FunctionalInterface
    private interface FileReader {
        void read(LogSegment file) throws IOException;
    }

    /** Lets as many threads as there are readers read every file once. */
    private void readAll(List<FileReader> readers) throws IOException {
        List<LogSegment> files = log.segments();
        AtomicInteger next = new AtomicInteger();
        List<Thread> others = new ArrayList<>();
        for (FileReader reader : readers.subList(1, readers.size())) {
            Thread thread = new Thread(() -> read(files, next, reader), "caskwright-replay");
            thread.setDaemon(true);
            thread.start();
            others.add(thread);
        }
        read(files, next, readers.get(0));
        join(others);
        throwFailure();
    }

    private void read(List<LogSegment> files, AtomicInteger next, FileReader reader) {
        try {
            for (int i = next.getAndIncrement(); i < files.size(); i = next.getAndIncrement()) {
                if (failure.get() != null) {
                    return;
                }
                reader.read(files.get(i));
            }
        } catch (IOException | RuntimeException | Error e) {
            failure.compareAndSet(null, e);
        }
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
}
