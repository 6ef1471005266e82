package dev.caskwright.bitcask.log.segmented;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EncryptionStats;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.BatchDraft;
import dev.caskwright.api.spi.log.ClockNotes;
import dev.caskwright.api.spi.log.LogCopy;
import dev.caskwright.api.spi.log.LogImages;
import dev.caskwright.api.spi.log.LogMerge;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.api.spi.log.RecordDraft;
import dev.caskwright.api.spi.log.RecordLog;
import dev.caskwright.api.spi.log.RecordLogOpening;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.api.spi.log.RecordReader;
import dev.caskwright.api.spi.log.RecordScanner;
import dev.caskwright.bitcask.events.StallEvent;
import dev.caskwright.bitcask.events.StoreEvents;
import dev.caskwright.bitcask.log.append.ActiveFile;
import dev.caskwright.bitcask.log.append.DeleteReserve;
import dev.caskwright.bitcask.log.append.EncodedBatch;
import dev.caskwright.bitcask.log.append.EncodedDraft;
import dev.caskwright.bitcask.log.append.GroupCommit;
import dev.caskwright.bitcask.log.append.SpaceAhead;
import dev.caskwright.bitcask.log.coding.CodecNotes;
import dev.caskwright.bitcask.log.coding.ValueCoding;
import dev.caskwright.bitcask.log.coding.ValueEncoder;
import dev.caskwright.bitcask.log.copy.LogBackup;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.FileNumbers;
import dev.caskwright.bitcask.log.file.FileSlots;
import dev.caskwright.bitcask.log.file.Manifest;
import dev.caskwright.bitcask.log.file.NewFiles;
import dev.caskwright.bitcask.log.file.Unneeded;
import dev.caskwright.bitcask.log.format.Expiries;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.Lineage;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.LogPosition;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import dev.caskwright.bitcask.log.hint.HintFile;
import dev.caskwright.bitcask.log.image.IndexImages;
import dev.caskwright.bitcask.log.keys.FileKey;
import dev.caskwright.bitcask.log.keys.KeyRing;
import dev.caskwright.bitcask.log.merge.MergedFile;
import dev.caskwright.bitcask.log.merge.Recoding;
import dev.caskwright.bitcask.log.read.LocatorReader;
import dev.caskwright.bitcask.log.scan.FileScanner;
import java.io.IOException;
import java.util.ArrayList;
import java.util.List;
import java.util.TreeMap;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The record log: a row of data files of which the last is appended to.
 *
 * <p><b>Threads.</b> Appending, rolling and slots are guarded by the engine's write lock. {@link #sync} may run in any
 * thread; all forces of data files go through its group commit, one at a time ({@link LogForce}). Sealing runs in the
 * background ({@link Sealer}). Readers take files by the slot in a locator.
 *
 * <p><b>Parts.</b> The file that is appended to is {@link ActiveFile}'s, images of the index are {@link IndexImages}'; this
 * class has the row of files: how it goes on, and what of it a merge replaces.
 */
public final class SegmentedLog implements RecordLog {
    /** When more files wait to be sealed, the writer seals them itself: hints not yet written take memory. */
    private static final int MAX_UNSEALED = 32;

    /** About what a file takes in memory: what is known of it here, in its handle, and in the manifest's list. */
    private static final long FILE_BYTES = 512;

    /** So much is made free when a full disk leaves no room for what matters. */
    private static final long ROOM_TO_MAKE = 256 << 10;

    private final IoManager io;
    private final RecordLogOptions options;
    private final Manifest manifest;
    private final String name;
    private final GroupCommit commit;
    private final ValueCoding coding;
    private final KeyRing keys;
    private final FileSlots slots;
    private final SpaceAhead space;
    private final Sealer sealer;
    private final Runnable sealing;
    private final Unneeded unneeded;
    private final NewFiles newFiles;
    private final ActiveFile active;
    private final LogForce force;
    private final FileNumbers numbers;
    private final IndexImages images;

    @GuardedBy("this") private long history; // 0 until a file is made

    private long lastLogId;

    SegmentedLog(IoManager io, RecordLogOptions options, KeyRing keys, Manifest manifest) {
        this.io = io;
        this.name = io.describe();
        this.commit = new GroupCommit(this::forceAppended, name);
        this.options = options;
        this.manifest = manifest;
        this.slots = new FileSlots(() -> {
            Manifest.Image image = manifest.image();
            return image == null ? FileNames.MANIFEST : image.name();
        });
        this.coding = new ValueCoding(new CodecNotes(manifest, options, keys), options.codec());
        this.keys = keys;
        this.active = new ActiveFile(
                io,
                manifest.store(),
                slots,
                commit,
                new DeleteReserve(options.maxSegmentBytes(), ROOM_TO_MAKE),
                options,
                keys);
        this.space = new SpaceAhead(options.maintenance(), commit, options.maxSegmentBytes(), options.onFailure());
        this.sealer = new Sealer(this, io, manifest, options);
        this.sealing = sealer.task();
        this.force = new LogForce(io, options, manifest, commit, active, sealer);
        this.unneeded = new Unneeded(io);
        this.newFiles = new NewFiles(io, manifest, this::addNewFile);
        this.numbers = new FileNumbers(manifest);
        this.images = new IndexImages(io, options, keys, manifest, slots, numbers, unneeded, new AppendedSoFar());
    }

    /** Takes up the state that was found while opening: everything so far is durable. */
    void start(long newHighestId, long newLastLogId) {
        numbers.start(newHighestId);
        lastLogId = newLastLogId;
        // Behind all files that are there, or an image saved before the next write would not cover the last of them.
        long end = LogPosition.of(newHighestId + 1, 0);
        active.start(end);
        // Not even the header of the next file is durable yet.
        commit.startAt(end);
    }

    /** Takes up the image that the index was filled from. */
    void startImage(String imageName, long bytesAfterIt) {
        images.start(imageName, bytesAfterIt);
    }

    KeyRing keys() {
        return keys;
    }

    public FileSlots fileSlots() {
        return slots;
    }

    DataFile addFile(long id, boolean merged, ReadableFile handle, long length) throws IOException {
        return slots.add(
                id, slot -> new DataFile(id, slot, merged, manifest.store().seed(), handle, length));
    }

    /** Forgets a file that was opened and turned out not to belong to the log. */
    void dropFile(DataFile file) throws IOException {
        slots.remove(file);
        file.close();
    }

    @Override
    public LogSegment segment(long locator) throws CorruptRecordException {
        return slots.file(locator);
    }

    @Override
    public @Nullable LogSegment[] slots() {
        return slots.all();
    }

    @Override
    public List<LogSegment> segments() {
        return new ArrayList<>(slots.inOrder());
    }

    /** Returns all files in the order of the log. */
    List<DataFile> files() {
        return slots.inOrder();
    }

    @Override
    public boolean expires(long locator) {
        return Locator.expires(locator);
    }

    @Override
    public void markLive(long locator) {
        addLive(locator, Locator.size(locator));
    }

    @Override
    public void markDead(long locator) {
        addLive(locator, -Locator.size(locator));
    }

    private void addLive(long locator, long bytes) {
        DataFile file = slots.get(Locator.slot(locator));
        if (file != null) {
            file.addLive(bytes);
        }
    }

    @Override
    public boolean isAfter(long locator, long other) {
        long id = fileId(locator);
        long otherId = fileId(other);
        return id != otherId ? id > otherId : Locator.offset(locator) > Locator.offset(other);
    }

    /** Returns the id of a locator's file, or for one that leads to no file, one before all. */
    private long fileId(long locator) {
        DataFile file = slots.get(Locator.slot(locator));
        return file == null ? -1 : file.id();
    }

    @Override
    public long append(RecordDraft record, long version, boolean willSync) throws IOException {
        EncodedDraft draft = (EncodedDraft) record;
        checkVersion(version);
        prepareFor(active.length(draft));
        long locator = active.append(draft, version);
        space.afterWrite(active.inUse(), willSync);
        return locator;
    }

    @Override
    public long[] appendBatch(BatchDraft draft, long firstVersion, boolean willSync) throws IOException {
        EncodedBatch batch = (EncodedBatch) draft;
        checkVersion(firstVersion + batch.size() - 1);
        prepareFor(active.length(batch));
        long[] locators = active.appendBatch(batch, firstVersion);
        space.afterWrite(active.inUse(), willSync);
        return locators;
    }

    /** A version beyond its bits would change what kind its record is of. Only a forged file brings a store so far. */
    private static void checkVersion(long version) throws OutOfSpaceException {
        if (version > RecordFormat.LAST_VERSION) {
            throw new OutOfSpaceException(
                    "versions are used up: next=" + version + ", limit=" + RecordFormat.LAST_VERSION
                            + "; dump the store and load it into a new one",
                    null);
        }
    }

    @Override
    public long maxBatchLength() {
        return active.maxBatchLength();
    }

    /** Sees to it that the active file has room. */
    private void prepareFor(long length) throws IOException {
        try {
            DataFile file = active.file();
            if (file == null || needsNewFile(file, length)) {
                roll();
            }
        } catch (RuntimeException | Error e) {
            throw active.notAppended(e);
        }
    }

    private boolean needsNewFile(DataFile file, long length) {
        return file.length() > file.start()
                && file.length() + length + RecordFormat.END_OF_FILE_LENGTH > options.maxSegmentBytes();
    }

    /**
     * Leaves the active file, if there is one, and goes on to a new one. If there can be none now, the number is used by the
     * next try.
     */
    private void roll() throws IOException {
        StallEvent stall = StoreEvents.stall();
        boolean hasSealed = sealIfTooManyWait();
        leaveActive();
        newFiles.removeLeftBehind();
        DataFile fresh = createNextFile();
        lastLogId = fresh.id();
        active.begin(fresh);
        if (stall != null) {
            stall.end(name, hasSealed ? StallEvent.SEALING : StallEvent.NEW_FILE);
        }
    }

    /** Says that under a name with this number there is something that is not ours. */
    void goPast(long number) {
        numbers.goPast(number);
    }

    private DataFile createNextFile() throws IOException {
        while (true) {
            long id = numbers.take(1);
            try {
                return createFile(id, false, lastLogId);
            } catch (IOException e) {
                numbers.giveBack(id); // what there is of the file goes before the next one is made
                if (!io.listObstacles().contains(FileNames.data(id))) {
                    throw e;
                }
                numbers.goPast(id); // it came there after the store was opened
            }
        }
    }

    /** Returns whether files had to be sealed. */
    private boolean sealIfTooManyWait() throws IOException {
        if (sealer.count() < MAX_UNSEALED) {
            return false;
        }
        try {
            sealer.sealAll();
            return true;
        } catch (EngineException e) {
            throw e;
        } catch (IOException e) {
            throw new EngineException(
                    ErrorCode.UNAVAILABLE,
                    Outcome.NOT_APPLIED,
                    "too many data files wait to be sealed: count=" + sealer.count() + ", limit=" + MAX_UNSEALED
                            + "; sealing fails: " + e,
                    e);
        }
    }

    @Override
    public void leaveActive() throws IOException {
        DataFile old = active.file();
        if (old == null) {
            return;
        }
        space.leave();
        force.leave(() -> {
            Sealer.Left left = sealer.prepare(old, active.prepareHints());
            active.writeEnd();
            // Nothing may be written after the mark, so nothing may fail before the file is left.
            sealer.add(left);
            active.clear();
        });
        options.maintenance().execute(sealing);
    }

    private DataFile createFile(long id, boolean merged, long previousId) throws IOException {
        return newFiles.create(id, merged, previousId, history(id), keys.own(), options.maxSegmentBytes());
    }

    /** Makes a file of one that has its header on disk. */
    private DataFile addNewFile(long id, boolean merged, long fileHistory, @Nullable FileKey key, WritableFile handle)
            throws IOException {
        force.addName();
        long seed = manifest.store().seed();
        return slots.add(id, slot -> new DataFile(id, slot, merged, seed, handle, fileHistory, key));
    }

    /**
     * Returns the random number of this opening. It is drawn late, since the first one of a process takes 30 ms; and the
     * number of the first file takes part, so that it differs even if the random numbers given are the same each time.
     */
    private synchronized long history(long firstId) {
        if (history == 0) {
            long drawn = RecordFormat.fileSeed(options.random().getAsLong(), firstId);
            history = drawn == 0 ? 1 : drawn;
        }
        return history;
    }

    @Override
    public @Nullable LogSegment active() {
        return active.file();
    }

    @Override
    public long position() {
        return active.end();
    }

    @Override
    public void sync(long position) throws IOException {
        commit.await(position);
    }

    @Override
    public long durablePosition() {
        return commit.durable();
    }

    private long forceAppended() throws IOException {
        return force.run();
    }

    @Override
    public void sealLeft() throws IOException {
        sealer.sealAll();
    }

    /** Seals a file that is listed in the manifest. */
    void seal(DataFile file) throws IOException {
        force.exchange(() -> {
            file.markSealed();
            file.closeWritable();
        });
    }

    @Override
    public RecordReader newReader() {
        return new LocatorReader(slots, coding);
    }

    ValueCoding coding() {
        return coding;
    }

    @Override
    public RecordDraft newDraft() {
        return new EncodedDraft(new ValueEncoder(coding));
    }

    @Override
    public BatchDraft newBatchDraft() {
        return new EncodedBatch(new ValueEncoder(coding));
    }

    @Override
    public RecordScanner scan(LogSegment file, long end) {
        return new FileScanner((DataFile) file, ((DataFile) file).start(), end, coding);
    }

    @Override
    public @Nullable KeyFilter keyFilter(LogSegment segment) throws IOException {
        DataFile file = (DataFile) segment;
        return file.hasHints() ? HintFile.filter(io, manifest.store(), file) : null;
    }

    @Override
    public void visitTombstones(LogSegment segment, TombstoneVisitor visitor) throws IOException {
        DataFile file = (DataFile) segment;
        HintFile.EntryVisitor entries = (kind, place, source, offset, length) -> {
            if (kind == RecordFormat.DELETE) {
                visitor.visit(source, offset, length, Locator.withSlot(file.slot(), place));
            }
        };
        if (file.isSealed() && file.hasHints() && HintFile.visit(io, manifest.store(), file, entries)) {
            return;
        }
        FileScanner scanner = FileScanner.ofKeys(file, file.start(), file.length());
        while (scanner.next()) {
            if (scanner.isTombstone()) {
                visitor.visit(scanner.buffer(), scanner.keyOffset(), scanner.keyLength(), scanner.locator());
            }
        }
    }

    @Override
    public boolean hasExpired(LogSegment segment, long nowMillis) {
        DataFile file = (DataFile) segment;
        Expiries expiries = file.expiries();
        return file.isSealed() && expiries != null && expiries.haveAllPassed(nowMillis);
    }

    @Override
    public boolean visitKeys(LogSegment segment, RecordLogOpening.ReplayVisitor visitor) throws IOException {
        DataFile file = (DataFile) segment;
        return file.isSealed()
                && file.hasHints()
                && HintFile.visitIfReadable(
                        io,
                        manifest.store(),
                        file,
                        (kind, place, source, offset, length) -> visitor.visit(
                                kind == RecordFormat.DELETE,
                                Locator.withSlot(file.slot(), place),
                                source,
                                offset,
                                length));
    }

    @Override
    public void distrustCaches() {
        for (DataFile file : files()) {
            if (file.hasHints() && Unneeded.isDeleted(io, FileNames.hint(file.id()))) {
                file.markUnhinted();
            }
        }
        images.distrust();
    }

    @Override
    public LogMerge beginMerge(int maxOutputs) throws IOException {
        leaveActive();
        long first = numbers.take(maxOutputs);
        return new FileMerge(io, manifest, first, first + maxOutputs - 1, this::createOutput);
    }

    private MergedFile createOutput(long id) throws IOException {
        return new MergedFile(
                io,
                manifest.store(),
                createFile(id, true, 0),
                maxSegmentBytes(),
                unneeded,
                options.recodesOnMerge() ? new Recoding(coding) : null);
    }

    @Override
    public LogMerge beginDrop() {
        return new FileMerge(io, manifest, 1, 0, this::createOutput); // no number is set aside
    }

    /**
     * Makes room on a full disk by deleting caches, until there is some: hint files, then those that are being written, then
     * the image of the index. Returns whether one was.
     */
    @Override
    public boolean giveUpCaches() throws IOException {
        return giveUpHints() || giveUpHintsOfUnsealed() || images.giveUp();
    }

    private boolean giveUpHintsOfUnsealed() {
        HintBuilder hints = active.hintsIfAny();
        boolean isAnyGone = hints != null && hints.discard();
        return sealer.discardHints() || isAnyGone;
    }

    /** As {@link #giveUpCaches}, when the index may not have been loaded yet. */
    boolean giveUpHints() throws IOException {
        boolean isAnyGone = false;
        for (DataFile file : files()) {
            if (file.hasHints()) {
                if (isAnyGone && io.usableSpace() >= ROOM_TO_MAKE) {
                    return true;
                }
                if (Unneeded.isDeleted(io, FileNames.hint(file.id()))) {
                    file.markUnhinted();
                    isAnyGone = true;
                }
            }
        }
        return isAnyGone;
    }

    @Override
    public long expiredBytes(LogSegment segment, long nowMillis) throws IOException {
        DataFile file = (DataFile) segment;
        if (file == active.file()) {
            return active.hints().expiries().passedBytes(nowMillis);
        }
        Expiries expiries = file.expiries();
        if (expiries == null && file.isSealed() && file.hasHints()) {
            expiries = HintFile.expiries(io, manifest.store(), file);
            file.setExpiries(expiries == null ? new Expiries() : expiries);
        }
        return expiries == null || !file.isSealed() ? 0 : expiries.passedBytes(nowMillis);
    }

    @Override
    public void remove(LogSegment segment) throws IOException {
        DataFile file = (DataFile) segment;
        options.awaitReaders().run();
        slots.remove(file);
        file.close();
        unneeded.delete(file.name());
        if (file.hasHints()) {
            unneeded.delete(FileNames.hint(file.id()));
        }
    }

    @Override
    public LogImages images() {
        return images;
    }

    /** Deletes a file that nothing needs, or tries again later. */
    void deleteUnneeded(String fileName) {
        unneeded.delete(fileName);
    }

    /** How far the log has come, for images of the index. */
    private final class AppendedSoFar implements IndexImages.Appended {
        @Override
        public long position() {
            return active.end();
        }

        @Override
        public long writtenBytes() {
            return active.writtenBytes();
        }
    }

    @Override
    public long lastVersion() {
        long last = manifest.lastVersion();
        for (DataFile file : files()) {
            last = Math.max(last, file.lastVersion());
        }
        return last;
    }

    @Override
    public long changesFrom() {
        return manifest.changesFrom();
    }

    @Override
    public long historyOf(long version) {
        // Taken before the manifest is asked: a file may be sealed, and merged away, in between.
        List<DataFile> files = files();
        Lineage lineage = manifest.lineage();
        for (DataFile file : files) {
            if (!file.isMerged()) {
                lineage = lineage.with(file.history(), file.firstVersion());
            }
        }
        return lineage.of(version);
    }

    @Override
    public ClockNotes clockNotes() {
        return manifest;
    }

    @Override
    public @Nullable EncryptionStats encryption() {
        TreeMap<String, Long> bytes = new TreeMap<>();
        long plain = 0;
        for (DataFile file : files()) {
            FileKey key = file.key();
            if (key == null) {
                plain += file.length();
            } else {
                bytes.merge(key.note().keyId(), file.length(), Long::sum);
            }
        }
        return keys.stats(bytes, plain);
    }

    @Override
    public long writtenBytes() {
        return active.writtenBytes();
    }

    @Override
    public long memoryBytes() {
        HintBuilder hints = active.hintsIfAny();
        return sealer.hintBytes() + (hints == null ? 0 : hints.heldBytes()) + FILE_BYTES * files().size();
    }

    @Override
    public long maxSegmentBytes() {
        return options.maxSegmentBytes();
    }

    @Override
    public LogCopy.Report copyTo(IoManager target, LogCopy copy) throws IOException {
        return new LogBackup(io, manifest, target, copy).run();
    }

    void awaitReaders() {
        options.awaitReaders().run();
    }

    public Manifest manifest() {
        return manifest;
    }

    @Override
    public void close() throws IOException {
        Throwable failure = null;
        try {
            if (!options.readOnly()) {
                sealActive();
            }
        } catch (IOException | RuntimeException | Error e) {
            failure = e;
            throw e;
        } finally {
            closeHandles(failure);
        }
    }

    private void sealActive() throws IOException {
        DataFile last = active.file();
        if (last != null) {
            space.leave();
            sealer.add(sealer.prepare(last, active.prepareHints()));
            active.clear();
        }
        sync(active.end());
        try {
            sealer.sealAll();
        } catch (IOException | RuntimeException | Error e) {
            if (sealer.isInDoubt()) {
                throw e;
            }
            // Everything is durable; the next opening reads the files as the tail of the log and seals them then.
            logger().warn("data files could not be sealed while closing, the next opening does it: {}", e.toString());
        }
    }

    @Override
    public void abandon() throws IOException {
        closeHandles(null);
    }

    void closeHandles(@Nullable Throwable failure) throws IOException {
        space.leave();
        Throwable first = null;
        try {
            HintBuilder hints = active.hintsIfAny();
            if (hints != null) {
                hints.abandon();
            }
            sealer.abandonHints();
        } catch (IOException | RuntimeException | Error e) {
            first = e;
        }
        for (DataFile file : slots.all()) {
            try {
                if (file != null) {
                    file.close();
                }
            } catch (IOException | RuntimeException | Error e) {
                first = e;
            }
        }
        try {
            manifest.close();
        } catch (IOException | RuntimeException | Error e) {
            first = e;
        }
        if (first != null && failure != null) {
            Causes.add(failure, first);
        } else if (first instanceof IOException io) {
            throw io;
        } else if (first != null) {
            throw new IOException("closing a file ended abruptly: " + first, first);
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(SegmentedLog.class);
    }
}
