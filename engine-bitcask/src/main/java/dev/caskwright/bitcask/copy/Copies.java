package dev.caskwright.bitcask.copy;

import dev.caskwright.api.CopyReport;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.log.LogCopy;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.log.segmented.ClosedLog;
import dev.caskwright.bitcask.store.Snapshots;
import dev.caskwright.bitcask.store.Store;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;
import org.slf4j.LoggerFactory;

/** Copies of stores: backups, checkpoints, and stores made of them. */
public final class Copies {
    private Copies() {}

    /**
     * Copies an open store as of now. One that takes writes has its active file sealed first, so that it need not be
     * copied again by the next run; one that does not is copied as far as it can be read.
     */
    @SuppressWarnings("try") // the target's lock is only held
    public static CopyReport copy(
            Store store, Path directory, Path target, IoManagerFactory ioFactory, LogCopy.Form form)
            throws IOException {
        refuseOverlap(directory, target, ioFactory);
        Snapshots.Handle pin;
        List<LogCopy.Part> parts = new ArrayList<>();
        long lastVersion;
        store.writeLock.lock();
        try {
            store.checkOpen();
            boolean takesWrites = !store.isReadOnly() && store.failure() == null;
            if (takesWrites) {
                leaveActive(store);
            }
            // From here on no file of the list is removed, even if a merge replaces it.
            pin = store.snapshots.openForCall();
            for (LogSegment file : store.listedFiles()) {
                parts.add(new LogCopy.Part(file, file.length()));
            }
            lastVersion = store.lastVersion();
        } finally {
            store.writeLock.unlock();
        }
        try {
            sealLeft(store);
            try (IoManager io = ioFactory.open(target, true)) {
                ClosedLog.refuseFiles(io, form);
                try (IoManager.Lock lock = io.lock(true)) {
                    LogCopy request = new LogCopy(form, parts, store.clock.longs(), lastVersion);
                    return report(store.log.copyTo(io, request));
                }
            }
        } finally {
            store.snapshots.close(pin);
        }
    }

    private static void leaveActive(Store store) throws IOException {
        try {
            store.log.leaveActive();
        } catch (OutOfSpaceException e) {
            warn("no space to leave the active file, copying it as it is", e);
        }
    }

    private static void sealLeft(Store store) {
        if (store.isReadOnly() || store.failure() != null) {
            return;
        }
        try {
            store.log.sealLeft();
        } catch (IOException e) {
            // What was appended can be read, and is verified in the copy.
            warn("data files cannot be sealed, copying them as they are", e);
        }
    }

    private static void warn(String what, IOException cause) {
        LoggerFactory.getLogger(Copies.class).warn("{}: {}", what, cause.getMessage());
    }

    /** Copies a store that is not open for writing. */
    public static CopyReport copy(
            Path source, Path target, IoManagerFactory ioFactory, @Nullable Encryption encryption, LogCopy.Form form)
            throws IOException {
        refuseOverlap(source, target, ioFactory);
        return report(ClosedLog.copy(source, target, ioFactory, encryption, form));
    }

    /** Comes before either directory is touched. */
    static void refuseOverlap(Path source, Path target, IoManagerFactory ioFactory) throws IOException {
        if (ioFactory.overlap(source, target)) {
            throw new IllegalArgumentException(
                    "the directories must not be the same, nor one of them lie in the other: " + source + ", "
                            + target);
        }
    }

    static void refuseFiles(IoManager target) throws IOException {
        if (!target.list().isEmpty()) {
            throw new UnsupportedFormatException(
                    "the target is not empty: directory=" + target.describe() + "; choose an empty or a new one");
        }
    }

    private static CopyReport report(LogCopy.Report report) {
        return new CopyReport(
                report.lastVersion(),
                report.files(),
                report.bytes(),
                report.filesBrought(),
                report.bytesBrought(),
                report.doubts());
    }
}
