package dev.caskwright.bitcask.log.segmented;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.IndexMemoryException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.index.PersistentKeyIndex;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.ForeignFiles;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.file.Unneeded;
import dev.caskwright.bitcask.log.format.CopyMark;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.LogPosition;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import dev.caskwright.bitcask.log.hint.HintFile;
import dev.caskwright.bitcask.log.hint.SealedScan;
import dev.caskwright.bitcask.log.image.ImageFile;
import dev.caskwright.bitcask.log.keys.KeyRing;
import dev.caskwright.bitcask.log.scan.FileScanner;
import dev.caskwright.bitcask.log.tail.LogTail;
import dev.caskwright.bitcask.log.tail.TailRecovery;
import java.io.IOException;
import java.nio.file.NoSuchFileException;
import java.util.ArrayList;
import java.util.HashMap;
import java.util.HashSet;
import java.util.LinkedHashMap;
import java.util.List;
import java.util.Map;
import java.util.Set;
import java.util.TreeMap;
import java.util.TreeSet;
import java.util.concurrent.ConcurrentHashMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * Opens a log and recovers it: {@link #start}, then {@link #replay} of every file of {@link #log}, then {@link #finish}.
 * The directory is locked by the caller.
 *
 * <p>Everything is read and judged before {@link #finish} changes the first byte: an opening that fails because of what it
 * finds leaves all as it was. Nothing that matters is deleted before the new manifest is durable, so opening can be cut short
 * at any point and done again.
 *
 * <p>Files that are named like ours and were not made by us are left alone, and their numbers are not given.
 */
public final class LogOpening implements RecordLogOpening {
    private final IoManager io;
    private final IoManager startupIo;
    private final RecordLogOptions options;
    private final Manifest manifest;
    private final SegmentedLog log;
    private final Set<String> names;
    private final Set<String> foreign = new TreeSet<>();
    private final Map<DataFile, LogTail.Part> recovered = new LinkedHashMap<>();
    private final Set<DataFile> unsoundHints = ConcurrentHashMap.newKeySet();
    private @Nullable ImageFile image;
    private @Nullable String imageProblem;
    private boolean isImageLoaded;
    private long highestId;
    private long lastLogId;
    private long tornBytesCut;

    private LogOpening(IoManager io, IoManager startupIo, RecordLogOptions options, KeyRing keys, Manifest manifest)
            throws IOException {
        this.io = io;
        this.startupIo = startupIo;
        this.options = options;
        this.manifest = manifest;
        this.log = new SegmentedLog(io, options, keys, manifest);
        this.names = new HashSet<>(io.list());
        this.highestId = manifest.highestId();
        this.lastLogId = manifest.lastLogId();
    }

    /**
     * Reads the manifest, opens the files that it lists, and recovers the tail of the log.
     *
     * @param startupIo reads files until {@link #finish}
     */
    public static LogOpening start(IoManager io, IoManager startupIo, RecordLogOptions options) throws IOException {
        Manifest manifest = Manifest.read(io);
        KeyRing keys = new KeyRing(options.encryption());
        if (manifest == null) {
            keys.requireOwn();
            manifest = createManifest(io, options);
        }
        refuseUnfinished(io, manifest);
        LogOpening opening = new LogOpening(io, startupIo, options, keys, manifest);
        try {
            if (!options.readOnly()) {
                keys.requireOwn();
            }
            opening.openFiles();
        } catch (Throwable e) {
            opening.log.closeHandles(e);
            throw e;
        }
        return opening;
    }

    /** A copy that was cut short lacks files, and there is nothing else in it that would tell. */
    private static void refuseUnfinished(IoManager io, Manifest manifest) throws IOException {
        CopyMark copy = manifest.copy();
        if (copy != null && !copy.finished()) {
            throw new UnsupportedFormatException(copy.unfinished() + ": directory=" + io.describe());
        }
    }

    @Override
    public RecordLog log() {
        return log;
    }

    @Override
    public long secret() {
        return manifest.store().secret();
    }

    @Override
    public long tornBytesCut() {
        return tornBytesCut;
    }

    private static Manifest createManifest(IoManager io, RecordLogOptions options) throws IOException {
        for (String name : io.list()) {
            if (FileNames.isOurs(name) && !FileNames.isNewManifest(name)) {
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
        findForeign();
        findImage();
        for (Manifest.Sealed sealed : manifest.files()) {
            openSealed(sealed);
        }
        openTail();
        names.removeAll(foreign);
        for (String name : names) {
            if (FileNames.isOurs(name)) {
                highestId = Math.max(highestId, FileNames.id(name));
            }
        }
        for (String name : io.listObstacles()) {
            if (FileNames.isOurs(name)) {
                log.goPast(FileNames.id(name));
            }
        }
        log.fileSlots().endReserving();
        ImageFile found = image;
        if (found != null && !isOfThisLog(found.table())) {
            ignoreImage(found.image(), "it is not of this log");
        }
        if (!foreign.isEmpty()) {
            logger().warn(
                            "files that this store did not make are left alone: directory={}, {}",
                            io.describe(),
                            foreign);
        }
        foreign.forEach(name -> log.goPast(FileNames.id(name)));
        log.start(highestId, lastLogId);
    }

    /** Finds the files that cannot be ours, by their names or by their first bytes, but for those of the tail. */
    private void findForeign() throws IOException {
        ForeignFiles judge = new ForeignFiles(startupIo, manifest);
        List<String> gone = new ArrayList<>();
        for (String name : names) {
            try {
                if (FileNames.isSimilarToOurs(name) || (FileNames.isOurs(name) && judge.isForeign(name))) {
                    foreign.add(name);
                }
            } catch (NoSuchFileException e) {
                gone.add(name); // a network file system may list a deleted file for a while
            }
        }
        names.removeAll(gone);
        names.removeAll(foreign);
    }

    /** Looks for the image that the manifest names, and sets the slots aside that its locators have. */
    private void findImage() {
        Manifest.Image named = manifest.image();
        if (named == null) {
            return;
        }
        highestId = Math.max(highestId, named.number()); // its number is not given again, even if the file is gone
        if (!names.contains(named.name())) {
            logger().info("the image of the key index is missing, reading hint files: file={}", named.name());
            return;
        }
        try {
            image = ImageFile.read(startupIo, manifest.store(), named, names.size(), log.keys());
        } catch (IOException e) {
            logger().info("the image of the key index cannot be read, reading hint files: {}", e.toString());
            return;
        }
        ImageFile found = image;
        if (found == null || !areSlotsPossible(found.table())) {
            ignoreImage(named, "it is damaged");
            return;
        }
        for (ImageFile.Known known : found.table().files()) {
            log.fileSlots().reserve(known.id(), known.slot());
        }
    }

    private void ignoreImage(Manifest.Image ignored, String reason) {
        logger().info("an image of the key index is ignored, reading hint files: file={}, {}", ignored.name(), reason);
        image = null;
        imageProblem = reason;
    }

    private static boolean areSlotsPossible(ImageFile.Table table) {
        Set<Integer> slots = new HashSet<>();
        Set<Long> ids = new HashSet<>();
        for (ImageFile.Known known : table.files()) {
            if (!slots.add(known.slot()) || !ids.add(known.id())) {
                return false;
            }
        }
        return true;
    }

    /** Returns whether the log still has all that the image knows, and beyond that only what came later. */
    private boolean isOfThisLog(ImageFile.Table table) {
        Map<Long, DataFile> files = new HashMap<>();
        for (DataFile file : log.files()) {
            files.put(file.id(), file);
        }
        for (ImageFile.Known known : table.files()) {
            DataFile file = files.remove(known.id());
            if (file == null || file.length() < known.length() || file.slot() != known.slot()) {
                return false;
            }
        }
        for (DataFile later : files.values()) {
            boolean hasRecords = later.length() > later.start();
            if (hasRecords && (later.isMerged() || LogPosition.of(later.id(), 0) < table.to())) {
                return false;
            }
        }
        return true;
    }

    /** Returns the name of the image that the manifest knows, if there is one. */
    @Nullable String imageName() {
        Manifest.Image known = manifest.image();
        return known == null || !names.contains(known.name()) ? null : known.name();
    }

    /** Returns why the image is not used although an index takes its layout; null if there is no such reason. */
    @Nullable String imageProblem() {
        return imageProblem;
    }

    @Override
    public boolean loadImage(PersistentKeyIndex index, PersistentKeyIndex.Refill refill) throws IOException {
        ImageFile found = image;
        if (found == null) {
            return false;
        }
        if (!index.imageFormat().equals(found.table().format())) {
            ignoreImage(
                    found.image(), "it is of another index: " + found.table().format());
            imageProblem = null;
            return false;
        }
        try {
            isImageLoaded = found.load(startupIo, index, refill);
        } catch (IOException e) {
            // An index that did not load is empty, and the log is all that is needed to fill it.
            ignoreImage(found.image(), e.toString());
            if (e instanceof IndexMemoryException) {
                imageProblem = null;
            }
            return false;
        }
        if (!isImageLoaded) {
            ignoreImage(found.image(), "the index refuses it");
            return false;
        }
        Map<Long, ImageFile.Known> known = new HashMap<>();
        found.table().files().forEach(each -> known.put(each.id(), each));
        long behind = 0;
        for (DataFile file : log.files()) {
            ImageFile.Known each = known.get(file.id());
            file.addLive(each == null ? 0 : each.liveBytes());
            behind += file.length() - (each == null ? 0 : each.length());
        }
        log.startImage(found.image().name(), behind);
        return true;
    }

    private void openSealed(Manifest.Sealed sealed) throws IOException {
        if (!names.contains(sealed.name())) {
            throw new CorruptRecordException("data file is missing", sealed.name(), 0, "length=" + sealed.length());
        }
        ReadableFile handle = startupIo.open(sealed.name());
        DataFile file = log.addFile(sealed.id(), sealed.merged(), handle, sealed.length());
        file.setVersions(sealed.firstVersion(), sealed.lastVersion());
        file.setHistory(sealed.history());
        file.setHintSum(manifest.hintSum(sealed.id()));
        file.markSealed();
        noteHints(file);
        if (handle.length() < sealed.length()) {
            throw file.corrupt("data file is cut short", handle.length(), "expected length=" + sealed.length());
        }
        DataFile.Header header = DataFile.headerOf(sealed, handle, manifest.store());
        if (header == null) {
            throw file.corrupt("bad file header", 0, "");
        }
        if (header.isEncrypted() && header.note() == null) {
            throw file.corrupt("bad note of the key", DataFile.HEADER_LENGTH, "");
        }
        file.setKey(log.keys().open(header.note(), file.name()));
    }

    /** Opens the files that writers wrote after the last one sealed, and finds where the log ends. */
    private void openTail() throws IOException {
        LogTail tail = new LogTail(manifest, log.keys(), new LogTail.Files() {
            @Override
            public DataFile open(long id) throws IOException {
                return log.addFile(id, false, startupIo.open(FileNames.data(id)), DataFile.HEADER_LENGTH);
            }

            @Override
            public void drop(DataFile file) throws IOException {
                log.dropFile(file);
            }
        });
        tail.judge(names);
        for (LogTail.Part part : tail.parts()) {
            recovered.put(part.file(), part);
            noteHints(part.file());
        }
        foreign.addAll(tail.foreign());
        lastLogId = tail.lastLogId();
        tornBytesCut = tail.tornBytes();
    }

    /** Cuts a file of the tail after its sound part and makes that durable. */
    private void settle(DataFile file, TailRecovery recovery, long physicalLength) throws IOException {
        try (WritableFile writable = io.openWritable(file.name())) {
            recovery.makeDurable(writable, physicalLength);
        }
        file.exchangeHandle(io.open(file.name())).close();
    }

    /** What replaying a file does as well if its hint file is missing: merges need the filters in them. */
    private void writeMissingHints() throws IOException {
        for (DataFile file : log.files()) {
            if (!file.hasHints() || file.hintSum() == 0) {
                replaceHints(file, null);
            }
        }
    }

    private List<String> findLeftovers() {
        Set<String> known = new HashSet<>();
        ImageFile loaded = image;
        if (isImageLoaded && loaded != null) {
            known.add(loaded.image().name());
        }
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
    public void replayUnsettled(LogSegment segment, ReplayVisitor visitor) throws IOException {
        ImageFile loaded = image;
        if (isImageLoaded && loaded != null) {
            replay((DataFile) segment, loaded.table().from(), loaded.table().to(), true, visitor);
        }
    }

    @Override
    public void replayImaged(LogSegment segment, ReplayVisitor visitor) throws IOException {
        ImageFile loaded = image;
        if (isImageLoaded && loaded != null) {
            // As if nothing were covered by it: so a new one takes its place, when the store is closed at the latest.
            log.startImage(loaded.image().name(), log.writtenBytes() + segment.length());
            // Others may read hint files now, for a backup, so none is replaced.
            DataFile file = (DataFile) segment;
            // A merged file is covered as a whole: its number may be beyond the last record that was written before.
            long to = file.isMerged() ? Long.MAX_VALUE : loaded.table().to();
            replay(file, 0, to, false, visitor);
        }
    }

    @Override
    public void replay(LogSegment segment, ReplayVisitor visitor) throws IOException {
        ImageFile loaded = image;
        replay(
                (DataFile) segment,
                isImageLoaded && loaded != null ? loaded.table().to() : 0,
                Long.MAX_VALUE,
                true,
                visitor);
    }

    /**
     * Replays the records between two positions.
     *
     * @param mayMend whether a hint file that is missing or damaged may be written
     */
    private void replay(DataFile file, long from, long to, boolean mayMend, ReplayVisitor visitor) throws IOException {
        long start = LogPosition.of(file.id(), 0);
        if (start + file.length() <= from || start >= to || (from > 0 && file.isMerged())) {
            return; // a merged file that the image does not cover would have made the image void
        }
        HintFile.EntryVisitor entries = (kind, place, source, offset, length) -> {
            long position = start + Locator.offset(place);
            if (position >= from && position < to) {
                visitor.visit(
                        kind == RecordFormat.DELETE, Locator.withSlot(file.slot(), place), source, offset, length);
            }
        };
        LogTail.Part tail = recovered.get(file);
        if (tail != null && isHeld(tail.recovery())) {
            tail.recovery().hints().visit(entries);
        } else if (tail != null || !visitHints(file, entries)) {
            scan(file, entries);
            if (tail == null && mayMend) {
                unsoundHints.add(file);
            }
        }
    }

    private static boolean isHeld(TailRecovery recovery) {
        return recovery.hasHints() && recovery.hints().isHeld();
    }

    /**
     * Rewrites the hint file of a data file. It is a cache: if it cannot be written, the file goes without.
     *
     * @param hints what it will say; null to take it from the data file
     */
    private void replaceHints(DataFile file, @Nullable HintBuilder hints) throws IOException {
        try {
            if (file.hasHints()) {
                if (!Unneeded.isDeleted(io, FileNames.hint(file.id()))) {
                    return; // the next opening finds it as bad, and goes without as well
                }
                file.markUnhinted();
            }
            HintBuilder builder =
                    hints == null || !hints.isHeld() ? HintBuilder.ofData(io, manifest.store(), file) : hints;
            builder.writeOnce(io, manifest.store(), file);
            file.setExpiries(builder.expiries());
        } catch (CorruptRecordException e) {
            throw e; // of the data
        } catch (IOException e) {
            logger().warn("a data file goes without a hint file, opening may take longer: {}", e.toString());
        }
    }

    private void noteHints(DataFile file) {
        if (names.contains(FileNames.hint(file.id()))) {
            file.markHinted();
        }
    }

    private boolean visitHints(DataFile file, HintFile.EntryVisitor visitor) throws IOException {
        return file.hasHints() && HintFile.visit(startupIo, manifest.store(), file, visitor);
    }

    private static void scan(DataFile file, HintFile.EntryVisitor entries) throws IOException {
        FileScanner scanner = FileScanner.ofKeys(file, file.start(), file.length());
        SealedScan sealed = new SealedScan();
        while (scanner.next()) {
            String problem = file.isSealed() ? sealed.accept(scanner) : null;
            if (problem != null) {
                throw file.corrupt(problem, scanner.offset(), "");
            }
            if (scanner.isPut() || scanner.isTombstone()) {
                entries.visit(
                        scanner.isPut() ? RecordFormat.PUT : RecordFormat.DELETE,
                        Locator.withoutSlot(scanner.locator()),
                        scanner.buffer(),
                        scanner.keyOffset(),
                        scanner.keyLength());
            }
        }
        sealed.end(file);
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
        for (LogTail.Part each : recovered.values()) {
            settle(each.file(), each.recovery(), each.physicalLength());
        }
        for (LogTail.Part each : recovered.values()) {
            DataFile file = each.file();
            replaceHints(file, isHeld(each.recovery()) ? each.recovery().hints() : null);
            each.recovery().forgetHints();
            manifest.noteSealed(file.sealedEntry());
            file.markSealed();
        }
        for (DataFile file : unsoundHints) {
            replaceHints(file, null);
        }
        if (isImageLoaded) {
            writeMissingHints();
        } else {
            manifest.dropImage();
        }
        if (!recovered.isEmpty()) {
            manifest.noteCopy(null); // it was written to since it was made
        }
        manifest.noteState(highestId, 0, 0);
        // The names of the files that the new manifest lists must be durable before it is.
        io.syncDirectory();
        writeManifest();
        for (String name : findLeftovers()) {
            if (!FileNames.isNewManifest(name)) {
                log.deleteUnneeded(name);
            }
        }
    }

    /** Rewrites the manifest, or on a full disk goes on with the one that is there. */
    private void writeManifest() throws IOException {
        List<Manifest.Sealed> tail = new ArrayList<>();
        recovered.keySet().forEach(file -> tail.add(file.sealedEntry()));
        Map<Long, Long> newSums = new TreeMap<>();
        for (DataFile file : log.files()) {
            long sum = file.hasHints() ? file.hintSum() : 0;
            if (sum != manifest.hintSum(file.id())) {
                newSums.put(file.id(), sum);
                manifest.noteHints(file.id(), sum);
            }
        }
        manifest.keepRoom();
        try {
            manifest.rewrite(io);
        } catch (OutOfSpaceException full) {
            logger().warn("no space for a new manifest, going on with the old one: {}", full.getMessage());
            try {
                manifest.goOn(io, tail, newSums);
            } catch (OutOfSpaceException e) {
                // Not even that fits. Caches are no reason to refuse: they go, and make room.
                if (!log.giveUpHints()) {
                    throw e;
                }
                manifest.rewrite(io);
            }
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(LogOpening.class);
    }
}
