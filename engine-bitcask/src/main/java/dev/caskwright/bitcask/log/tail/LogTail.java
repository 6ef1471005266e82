package dev.caskwright.bitcask.log.tail;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.ForeignFiles;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.keys.KeyRing;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Collection;
import java.util.List;
import java.util.Set;
import java.util.TreeSet;
import org.jspecify.annotations.Nullable;

/**
 * The files that writers wrote after everything that the manifest lists: finds which of them belong to the log, and where it
 * ends. Only reads. Opening and verification judge by it.
 */
public final class LogTail {
    /** A file of the tail that belongs to the log, and what was found out about it. */
    public record Part(DataFile file, TailRecovery recovery, long physicalLength) {}

    /** Opens and drops the files that are looked at. */
    public interface Files {
        /** Opens the data file with that number, which has no records as far as is known. */
        DataFile open(long id) throws IOException;

        /** Takes back a file that does not belong to the log. */
        void drop(DataFile file) throws IOException;
    }

    /** How many bytes of what hint files will say are kept until they are written; others are read again. */
    private static final long MOST_KEPT_HINTS = 64L << 20;

    private final Manifest manifest;
    private final KeyRing keys;
    private final Files files;
    private final List<Part> parts = new ArrayList<>();
    private final Set<String> foreign = new TreeSet<>();
    private long lastLogId;
    private long lastVersion;
    private long tornBytes;
    private long keptHints; // their bytes
    private TailRecovery.@Nullable Hole hole;

    public LogTail(Manifest manifest, KeyRing keys, Files files) {
        this.manifest = manifest;
        this.keys = keys;
        this.files = files;
        this.lastLogId = manifest.lastLogId();
        this.lastVersion = manifest.lastVersion();
    }

    /**
     * Looks at those of the names that can be the tail's.
     *
     * @throws CorruptRecordException if something is damaged that had been durable
     */
    public void judge(Collection<String> names) throws IOException {
        Set<Long> ids = new TreeSet<>();
        for (String name : names) {
            if (FileNames.isData(name) && FileNames.id(name) > manifest.highestId()) {
                ids.add(FileNames.id(name));
            }
        }
        for (long id : ids) {
            judge(id);
        }
    }

    private void judge(long id) throws IOException {
        DataFile file = files.open(id);
        ReadableFile handle = file.handle();
        long physicalLength = Math.min(handle.length(), RecordFormat.MAX_FILE_LENGTH);
        DataFile.Header header = DataFile.header(handle, manifest.store(), id);
        TailRecovery.Hole earlier = hole;
        if (header != null) {
            file.setHistory(header.history());
            file.setKey(keys.open(header.note(), file.name()));
        }
        TailRecovery recovery = new TailRecovery(file);
        if (header != null) {
            recovery.scan(physicalLength);
        }
        boolean follows = header != null && header.previousId() == lastLogId;
        if (earlier == null && !follows) {
            earlier = new TailRecovery.Hole(file, file.start());
        }
        long torn = recovery.examineRest(handle, physicalLength, earlier);
        if (header == null && !recovery.hasRecords() && !ForeignFiles.canBeOurs(handle)) {
            foreign.add(file.name());
            files.drop(file);
            return;
        }
        tornBytes += torn;
        if (earlier != null) {
            hole = earlier;
            files.drop(file);
            return;
        }
        checkVersions(file);
        lastLogId = id;
        parts.add(new Part(file, recovery, physicalLength));
        keepHints(recovery);
        if (!recovery.isClosedByWriter()) {
            hole = new TailRecovery.Hole(file, recovery.soundEnd());
        }
    }

    private void checkVersions(DataFile file) throws CorruptRecordException {
        if (file.firstVersion() > 0 && file.firstVersion() <= lastVersion) {
            throw file.corrupt(
                    "impossible version of a record",
                    file.start(),
                    "found=" + file.firstVersion() + ", last of the files before=" + lastVersion);
        }
        lastVersion = Math.max(lastVersion, file.lastVersion());
    }

    /** Keeps what was read of a file for its replay if there is memory for it. */
    private void keepHints(TailRecovery recovery) {
        keptHints += recovery.hints().length();
        if (keptHints > MOST_KEPT_HINTS) {
            keptHints -= recovery.hints().length();
            recovery.forgetHints();
        }
    }

    /** Returns the files that belong to the log, in its order. */
    public List<Part> parts() {
        return parts;
    }

    /** Returns the names of files that turned out not to be ours. */
    public Set<String> foreign() {
        return foreign;
    }

    /** Returns the number of the last file that writers wrote and that counts. */
    public long lastLogId() {
        return lastLogId;
    }

    /** Returns how many bytes lie after the end of the log, up to the last of each file that is not zero. */
    public long tornBytes() {
        return tornBytes;
    }
}
