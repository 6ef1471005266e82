package dev.caskwright.bitcask.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.LogSegment;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.RecordLog;
import dev.caskwright.api.spi.RecordLogOpening;
import dev.caskwright.api.spi.RecordLogOptions;
import dev.caskwright.api.spi.WritableFile;
import java.io.IOException;
import java.util.ArrayList;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import org.jspecify.annotations.Nullable;

/**
 * Opens a log and recovers it: {@link #start}, then {@link #replay} of every file of {@link #log}, then {@link #finish}.
 * The directory is locked by the caller. Nothing that matters is deleted before the new manifest is durable, so opening
 * can be cut short at any point and done again.
 */
final class LogOpening implements RecordLogOpening {
    private final IoManager io;
    private final IoManager startupIo;
    private final RecordLogOptions options;
    private final Manifest manifest;
    private final SegmentedLog log;
    private final Set<String> names;
    private final Map<DataFile, HintFile.Builder> recovered = new LinkedHashMap<>();
    private long highestId;
    private long lastLogId;
    private long tornBytesCut;

    private LogOpening(IoManager io, IoManager startupIo, RecordLogOptions options, Manifest manifest)
            throws IOException {
        this.io = io;
        this.startupIo = startupIo;
        this.options = options;
        this.manifest = manifest;
        this.log = new SegmentedLog(io, options, manifest);
        this.names = new HashSet<>(io.list());
        this.highestId = manifest.highestId();
        this.lastLogId = manifest.lastLogId();
    }

    /**
     * Reads the manifest, opens the files that it lists, and recovers the tail of the log.
     *
     * @param startupIo reads files until {@link #finish}
     */
    static LogOpening start(IoManager io, IoManager startupIo, RecordLogOptions options) throws IOException {
        Manifest manifest = Manifest.read(io);
        if (manifest == null) {
            manifest = createManifest(io, options);
        }
        LogOpening opening = new LogOpening(io, startupIo, options, manifest);
        try {
            opening.openFiles();
        } catch (Throwable e) {
            opening.log.closeHandles(e);
            throw e;
        }
        return opening;
    }

    @Override
    public RecordLog log() {
        return log;
    }

    @Override
    public long tornBytesCut() {
        return tornBytesCut;
    }

    private static Manifest createManifest(IoManager io, RecordLogOptions options) throws IOException {
        for (String name : io.list()) {
            if (FileNames.isOurs(name) && !name.equals(FileNames.NEW_MANIFEST)) {
                throw new CorruptRecordException(
                        "the manifest is missing although there are files of a store",
                        FileNames.MANIFEST,
                        0,
                        "found=" + name);
            }
        }
        if (!options.createIfMissing() || options.readOnly()) {
            throw new UnsupportedFormatException("no store in this directory: " + io.describe());
        }
        Manifest manifest = new Manifest(
                new StoreId(options.random().getAsLong(), options.random().getAsLong()));
        manifest.rewrite(io);
        return manifest;
    }

    private void openFiles() throws IOException {
        for (Manifest.Sealed sealed : manifest.files()) {
            openSealed(sealed);
        }
        for (String name : names) {
            if (FileNames.isOurs(name)) {
                highestId = Math.max(highestId, FileNames.id(name));
            }
        }
        openTail();
        log.start(highestId, lastLogId);
    }

    private void openSealed(Manifest.Sealed sealed) throws IOException {
        if (!names.contains(sealed.name())) {
            throw new CorruptRecordException("data file is missing", sealed.name(), 0, "length=" + sealed.length());
        }
        ReadableFile handle = startupIo.open(sealed.name());
        DataFile file = log.addFile(sealed.id(), sealed.merged(), handle, sealed.length());
        file.setVersions(sealed.firstVersion(), sealed.lastVersion());
        file.markSealed();
        noteHints(file);
        if (handle.length() < sealed.length()) {
            throw file.corrupt("data file is cut short", handle.length(), "expected length=" + sealed.length());
        }
        if (DataFile.previousId(handle, manifest.store(), sealed.id()) == null) {
            throw file.corrupt("bad file header", 0, "");
        }
    }

    /** Opens the files that writers wrote after the last one sealed, and finds where the log ends. */
    private void openTail() throws IOException {
        long[] ids = names.stream()
                .filter(FileNames::isData)
                .mapToLong(FileNames::id)
                .filter(id -> id > manifest.highestId())
                .sorted()
                .toArray();
        TailRecovery.Hole hole = null;
        for (int i = 0; i < ids.length; i++) {
            hole = openTailFile(ids[i], hole, i == ids.length - 1);
        }
    }

    private TailRecovery.@Nullable Hole openTailFile(long id, TailRecovery.@Nullable Hole earlier, boolean isLast)
            throws IOException {
        ReadableFile handle = startupIo.open(FileNames.data(id));
        DataFile file = log.addFile(id, false, handle, DataFile.HEADER_LENGTH);
        long physicalLength = handle.length();
        TailRecovery recovery = new TailRecovery(file);
        Long previousId = DataFile.previousId(handle, manifest.store(), id);
        TailRecovery.Hole hole = earlier;
        if (previousId != null) {
            recovery.scan(physicalLength);
            if (hole == null && previousId != lastLogId) {
                hole = new TailRecovery.Hole(file, DataFile.HEADER_LENGTH);
            }
        }
        if (hole == null && previousId == null) {
            hole = new TailRecovery.Hole(file, DataFile.HEADER_LENGTH);
        }
        long torn = recovery.examineRest(handle, physicalLength, hole);
        tornBytesCut += torn;
        if (hole != null) {
            log.dropFile(file);
            return hole;
        }
        lastLogId = id;
        if (!options.readOnly()) {
            try (WritableFile writable = io.openWritable(file.name())) {
                recovery.makeDurable(writable, physicalLength);
            }
            handle.close();
            file.exchangeHandle(startupIo.open(file.name()));
        }
        recovered.put(file, recovery.hints());
        noteHints(file);
        return recovery.isClosedByWriter() || isLast ? null : new TailRecovery.Hole(file, recovery.soundEnd());
    }

    private List<String> findLeftovers() {
        Set<String> known = new HashSet<>();
        for (DataFile file : log.files()) {
            known.add(file.name());
            known.add(FileNames.hint(file.id()));
        }
        List<String> found = new ArrayList<>();
        for (String name : names) {
            if (FileNames.isOurs(name) && !known.contains(name)) {
                found.add(name);
            }
        }
        return found;
    }

    @Override
    public void replay(LogSegment segment, ReplayVisitor visitor) throws IOException {
        DataFile file = (DataFile) segment;
        HintFile.EntryVisitor entries = (kind, place, source, offset, length) -> visitor.visit(
                kind == RecordFormat.DELETE, Locator.withSlot(file.slot(), place), source, offset, length);
        HintFile.Builder tail = recovered.get(file);
        if (tail != null) {
            tail.visit(entries);
            return;
        }
        if (!visitHints(file, entries)) {
            HintFile.Builder hints = scanForHints(file);
            hints.visit(entries);
            if (!options.readOnly()) {
                replaceHints(file, hints);
            }
        }
    }

    private void replaceHints(DataFile file, HintFile.Builder hints) throws IOException {
        if (file.hasHints()) {
            io.delete(FileNames.hint(file.id()));
            file.markUnhinted();
        }
        hints.writeOnce(io, manifest.store(), file);
    }

    private void noteHints(DataFile file) {
        if (names.contains(FileNames.hint(file.id()))) {
            file.markHinted();
        }
    }

    private boolean visitHints(DataFile file, HintFile.EntryVisitor visitor) throws IOException {
        return file.hasHints() && HintFile.visit(startupIo, manifest.store(), file, visitor);
    }

    private static HintFile.Builder scanForHints(DataFile file) throws IOException {
        HintFile.Builder hints = new HintFile.Builder();
        FileScanner scanner = new FileScanner(file, DataFile.HEADER_LENGTH, file.length());
        while (scanner.next()) {
            if (scanner.isPut() || scanner.isTombstone()) {
                hints.add(scanner);
            }
        }
        return hints;
    }

    @Override
    public void finish() throws IOException {
        if (startupIo != io) {
            for (DataFile file : log.files()) {
                file.exchangeHandle(io.open(file.name())).close();
            }
        }
        if (options.readOnly()) {
            return;
        }
        for (Map.Entry<DataFile, HintFile.Builder> each : recovered.entrySet()) {
            DataFile file = each.getKey();
            replaceHints(file, each.getValue());
            manifest.noteSealed(file.sealedEntry());
            file.markSealed();
        }
        manifest.noteState(highestId, 0, 0, 0);
        // The names of the files that the new manifest lists must be durable before it is.
        io.syncDirectory();
        manifest.rewrite(io);
        for (String name : findLeftovers()) {
            if (!name.equals(FileNames.NEW_MANIFEST)) {
                io.delete(name);
            }
        }
    }
}
