package dev.caskwright.bitcask.log.segmented;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.file.NewFiles;
import dev.caskwright.bitcask.log.format.LogPosition;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import java.io.IOException;
import java.io.UncheckedIOException;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Seals the files that writers have left, in the order of the log: opens them again for reading only, forces them, writes
 * their hint files, and lists them in the manifest. All that wait are sealed together, with one force of the manifest.
 */
final class Sealer {
    /** A file that writers have left, with what its hint file will say. */
    static final class Left {
        private final DataFile file;
        private final HintBuilder hints;

        private Left(DataFile file, HintBuilder hints) {
            this.file = file;
            this.hints = hints;
        }
    }

    private final SegmentedLog log;
    private final IoManager io;
    private final Manifest manifest;
    private final RecordLogOptions options;
    private final Object sealing = new Object();
    private final ArrayList<Left> waiting = new ArrayList<>(); // guarded by itself
    private volatile boolean isInDoubt;

    Sealer(SegmentedLog log, IoManager io, Manifest manifest, RecordLogOptions options) {
        this.log = log;
        this.io = io;
        this.manifest = manifest;
        this.options = options;
    }

    /** Lets go of the hint files that are not complete. */
    void abandonHints() throws IOException {
        for (Left each : next()) {
            each.hints.abandon();
        }
    }

    /** Returns how much memory the hints take that are not written yet. */
    long hintBytes() {
        long bytes = 0;
        for (Left each : next()) {
            bytes += each.hints.heldBytes();
        }
        return bytes;
    }

    /** Deletes the hint files that are not complete; returns whether there were any. */
    boolean discardHints() {
        boolean isAnyGone = false;
        for (Left each : next()) {
            isAnyGone |= each.hints.discard();
        }
        return isAnyGone;
    }

    /** Returns whether it is not known what the manifest lists on disk. */
    boolean isInDoubt() {
        return isInDoubt;
    }

    /** Takes the memory that {@link #add} needs. */
    Left prepare(DataFile file, HintBuilder hints) {
        synchronized (waiting) {
            waiting.ensureCapacity(waiting.size() + 1);
        }
        return new Left(file, hints);
    }

    /** Takes over a file that writers have left. Cannot fail. */
    void add(Left left) {
        synchronized (waiting) {
            waiting.add(left);
        }
    }

    /** Returns the files that are not sealed yet, in the order of the log. */
    List<DataFile> waiting() {
        List<DataFile> files = new ArrayList<>();
        synchronized (waiting) {
            for (Left each : waiting) {
                files.add(each.file);
            }
        }
        return files;
    }

    int count() {
        synchronized (waiting) {
            return waiting.size();
        }
    }

    /** Returns the task that seals in the background. If it throws, nothing is lost, and it is to be run again. */
    Runnable task() {
        return new Runnable() {
            @Override
            public void run() {
                try {
                    sealAll();
                } catch (IOException e) {
                    throw new UncheckedIOException(e);
                }
            }

            @Override
            public String toString() {
                return "sealing data files";
            }
        };
    }

    /** Seals every file that waits. */
    void sealAll() throws IOException {
        boolean sealed = false;
        synchronized (sealing) {
            for (List<Left> batch = next(); !batch.isEmpty(); batch = next()) {
                seal(batch);
                sealed = true;
            }
        }
        if (sealed) {
            options.onSealed().run();
        }
    }

    private List<Left> next() {
        synchronized (waiting) {
            return new ArrayList<>(waiting);
        }
    }

    private void seal(List<Left> batch) throws IOException {
        endAccess(batch);
        DataFile last = batch.get(batch.size() - 1).file;
        log.sync(LogPosition.of(last.id(), last.length()));
        List<Manifest.Sealed> listed = new ArrayList<>();
        Map<Long, Long> sums = new TreeMap<>();
        for (Left each : batch) {
            writeHints(each);
            listed.add(each.file.sealedEntry());
            each.file.putHintSum(sums);
        }
        // The manifest may list a file only once its content and its name are durable: the sync saw to both.
        list(listed, sums);
        for (Left each : batch) {
            try {
                log.seal(each.file);
            } catch (IOException | RuntimeException | Error e) {
                // The file is sealed. Its old handle is not used any more, and nothing is left to write through it.
                logger().warn("the handle for writing a file that was sealed could not be closed: {}", e.toString());
            }
        }
        synchronized (waiting) {
            waiting.removeAll(batch);
        }
    }

    /** A hint file is a cache: without one the file counts as well, and is read instead. */
    private void writeHints(Left left) {
        left.file.setExpiries(left.hints.expiries());
        try {
            left.hints.writeOnce(io, manifest.store(), left.file);
        } catch (IOException | RuntimeException | Error e) {
            logger().warn("a data file goes without a hint file, opening may take longer: {}", e.toString());
        }
    }

    /** Gives readers handles of their own, so that those for writing have nothing left to do but to be forced. */
    private void endAccess(List<Left> batch) throws IOException {
        for (Left each : batch) {
            if (!each.file.hasReadersHandle()) {
                each.file.exchangeHandle(io.open(each.file.name()));
            }
        }
        log.awaitReaders();
        for (Left each : batch) {
            each.file.writable().endAccess();
        }
    }

    private void list(List<Manifest.Sealed> files, Map<Long, Long> sums) throws IOException {
        try {
            manifest.seal(files, sums);
        } catch (OutOfSpaceException e) {
            throw e;
        } catch (IOException e) {
            if (e instanceof EngineException own && NewFiles.hasChangedNothing(own)) {
                throw own;
            }
            // Whoever asked for the sealing, the store's state on disk is in doubt now.
            isInDoubt = true;
            options.onFailure().accept(e);
            throw e;
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(Sealer.class);
    }
}
