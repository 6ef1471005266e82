package dev.caskwright.bitcask.log.segmented;

import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.codec.Encryption;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.IoManagerFactory;
import dev.caskwright.api.spi.log.LogCopy;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.copy.LogBackup;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.format.RecordFormat;
import java.io.IOException;
import java.nio.file.Path;
import java.util.ArrayList;
import java.util.List;
import org.jspecify.annotations.Nullable;

/** Copies a store that nobody has open for writing. No index is needed, and the store is only read. */
public final class ClosedLog {
    private ClosedLog() {}

    /** Copies the store in a directory into another one. */
    @SuppressWarnings("try") // the locks are only held
    public static LogCopy.Report copy(
            Path source, Path target, IoManagerFactory ioFactory, @Nullable Encryption encryption, LogCopy.Form form)
            throws IOException {
        try (IoManager from = ioFactory.open(source, false);
                IoManager.Lock lock = lock(from)) {
            SegmentedLog log = (SegmentedLog) open(from, encryption).log();
            try (IoManager to = ioFactory.open(target, true)) {
                refuseFiles(to, form);
                try (IoManager.Lock targetLock = to.lock(true)) {
                    refuseFiles(to, form);
                    List<LogCopy.Part> parts = new ArrayList<>();
                    for (DataFile file : log.files()) {
                        parts.add(new LogCopy.Part(file, file.length()));
                    }
                    return log.copyTo(
                            to, new LogCopy(form, parts, log.clockNotes().clockNote(), log.lastVersion()));
                }
            } finally {
                log.abandon();
            }
        }
    }

    /** Keeps writers out. If even the lock file is lost, there is no writer either: it would have made one. */
    public static IoManager.Lock lock(IoManager io) throws IOException {
        try {
            return io.lock(false);
        } catch (UnsupportedFormatException e) {
            return () -> {};
        }
    }

    /** Comes before the target is locked, and again after. */
    public static void refuseFiles(IoManager target, LogCopy.Form form) throws IOException {
        if (form != LogCopy.Form.STORE) {
            LogBackup.refuseOthersFiles(target, form);
        } else if (!target.list().isEmpty()) {
            throw new UnsupportedFormatException(
                    "the target is not empty: directory=" + target.describe() + "; choose an empty or a new one");
        }
    }

    /** Opens a log to read it, as far as recovery goes. The caller abandons it. */
    public static RecordLogOpening open(IoManager io, @Nullable Encryption encryption) throws IOException {
        RecordLogOptions options = new RecordLogOptions(
                RecordFormat.MAX_FILE_LENGTH,
                true,
                false,
                () -> 0,
                Runnable::run,
                () -> {},
                () -> {},
                cause -> {},
                null,
                false,
                encryption);
        return LogOpening.start(io, io, options);
    }

    /** Returns the name of the image of the key index that the manifest knows, if there is one. */
    public static @Nullable String imageOf(RecordLogOpening opening) {
        return ((LogOpening) opening).imageName();
    }

    /** Returns why the image is not used although an index takes its layout; null if there is no such reason. */
    public static @Nullable String imageProblem(RecordLogOpening opening) {
        return ((LogOpening) opening).imageProblem();
    }
}
