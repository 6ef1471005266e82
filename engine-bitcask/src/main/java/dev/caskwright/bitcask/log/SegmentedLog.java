package dev.caskwright.bitcask.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayDeque;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.BitSet;
import java.util.Deque;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The record log: a row of data files of which the last is appended to.
 *
 * <p><b>Threads.</b> Appending, rolling and slots are guarded by the engine's write lock. {@link #sync} may run in any
 * thread; all forces of data files go through its group commit, one at a time. Sealing runs in the background, in the
 * order of the files. Readers enter {@link #epochs} and take files by the slot in a locator.
 *
 * <p><b>Positions.</b> A place in the log is a file id in the upper 32 bits and an offset in the lower; positions grow.
 *
 * <p>The class is long because it is the one place that orders the steps of a file's life: created, written, left for the
 * next, forced, listed in the manifest, retired.
 */
public final class SegmentedLog implements Closeable {
    private static final Logger LOG = LoggerFactory.getLogger(SegmentedLog.class);

    private static final long SYNC_RESERVE = 1 << 20;
    private static final int SYNC_WRITES_BEFORE_RESERVE = 4;
    private static final int BATCH_BUFFER = 256 << 10;

    /** A file that writers have left and that is not sealed yet, with what its hint file will say. */
    private record Rolled(DataFile file, HintFile.Builder hints) {}

    private final IoManager io;
    private final IoManager startupIo;
    private final LogOptions options;
    private final Manifest manifest;
    private final ReadEpochs epochs = new ReadEpochs();
    private final GroupCommit commit = new GroupCommit(this::forceAppended);
    private final RecordDraft markDraft = new RecordDraft();
    private final CRC32C batchCrc = new CRC32C();
    private final Object sealing = new Object();
    private final Object handles = new Object(); // a handle is not exchanged while it is forced

    private volatile DataFile[] slots = new DataFile[0];
    private final BitSet usedSlots = new BitSet();
    private final Deque<Rolled> rolled = new ArrayDeque<>(); // guarded by itself
    private volatile @Nullable DataFile active;
    private HintFile.Builder activeHints = new HintFile.Builder();
    private long reservedTo;
    private int syncWrites;
    private long highestId; // grows under the write lock
    private long lastLogId;
    private volatile boolean namesAdded;
    private long writtenBytes; // grows under the write lock
    private long end; // position behind the last record, also when there is no active file
    private byte[] batchBuffer = new byte[4096];
    private long tornBytesCut;
    private List<String> leftovers = List.of();
    private Set<String> startupNames = Set.of();

    private SegmentedLog(IoManager io, IoManager startupIo, LogOptions options, Manifest manifest) {
        this.io = io;
        this.startupIo = startupIo;
        this.options = options;
        this.manifest = manifest;
    }

    // ---------------------------------------------------------------- opening

    /**
     * Opens the log of a directory that the caller has locked. Afterwards {@link #files()} are to be replayed, and then
     * {@link #finishOpening()} called.
     *
     * @param startupIo reads files until {@link #finishOpening()}
     */
    public static SegmentedLog open(IoManager io, IoManager startupIo, LogOptions options) throws IOException {
        Manifest manifest = Manifest.read(io);
        if (manifest == null) {
            manifest = createManifest(io, options);
        }
        SegmentedLog log = new SegmentedLog(io, startupIo, options, manifest);
        try {
            log.openFiles();
        } catch (Throwable e) {
            log.closeHandles(e);
            throw e;
        }
        return log;
    }

    private static Manifest createManifest(IoManager io, LogOptions options) throws IOException {
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
        long[] id = options.newStoreId().get();
        Manifest manifest = new Manifest(new StoreId(id[0], id[1]));
        manifest.rewrite(io);
        return manifest;
    }

    private void openFiles() throws IOException {
        Set<String> names = new HashSet<>(io.list());
        startupNames = names;
        highestId = manifest.highestId();
        lastLogId = manifest.lastLogId();
        for (Manifest.Sealed sealed : manifest.files()) {
            openSealed(sealed, names);
        }
        for (String name : names) {
            if (FileNames.isOurs(name)) {
                highestId = Math.max(highestId, FileNames.id(name));
            }
        }
        openTail(names);
        leftovers = findLeftovers(names);
        commit.startAt(position(highestId + 1, 0));
    }

    private void openSealed(Manifest.Sealed sealed, Set<String> names) throws IOException {
        if (!names.contains(sealed.name())) {
            throw new CorruptRecordException("data file is missing", sealed.name(), 0, "length=" + sealed.length());
        }
        ReadableFile handle = startupIo.open(sealed.name());
        DataFile file = addFile(sealed.id(), sealed.merged(), handle, sealed.length());
        file.setVersions(sealed.firstVersion(), sealed.lastVersion());
        file.markSealed();
        if (handle.length() < sealed.length()) {
            throw file.corrupt("data file is cut short", handle.length(), "expected length=" + sealed.length());
        }
        if (DataFile.previousId(handle, manifest.store(), sealed.id()) == null) {
            throw file.corrupt("bad file header", 0, "");
        }
    }

    /** Opens the files that writers wrote after the last one sealed, and finds where the log ends. */
    private void openTail(Set<String> names) throws IOException {
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
        DataFile file = addFile(id, false, handle, DataFile.HEADER_LENGTH);
        long physicalLength = handle.length();
        TailRecovery recovery = new TailRecovery(file);
        Long previousId = DataFile.previousId(handle, manifest.store(), id);
        TailRecovery.Hole hole = earlier;
        if (previousId != null) {
            recovery.scan(physicalLength);
            if (hole == null && previousId != lastLogId) {
                hole = new TailRecovery.Hole(file, 0);
            }
        }
        if (hole == null && previousId == null) {
            hole = new TailRecovery.Hole(file, 0);
        }
        long torn = recovery.examineRest(handle, physicalLength, hole);
        tornBytesCut += torn;
        if (hole != null) {
            dropFile(file);
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
        synchronized (rolled) {
            rolled.add(new Rolled(file, recovery.hints()));
        }
        return recovery.isClosedByWriter() || isLast ? null : new TailRecovery.Hole(file, recovery.soundEnd());
    }

    private List<String> findLeftovers(Set<String> names) {
        Set<String> known = new HashSet<>();
        for (DataFile file : files()) {
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

    /** Receives the keys of the log while it is replayed. */
    @FunctionalInterface
    public interface ReplayVisitor {
        /** Takes a put or a tombstone; the key is a slice of {@code source}, valid during the call. */
        void visit(boolean tombstone, long locator, byte[] source, int keyOffset, int keyLength) throws IOException;
    }

    /**
     * Replays one file: from what its recovery found, from its hint file, or from its data. Different files may be
     * replayed by different threads at once. A visitor may see entries twice when a hint file turns out damaged half-way.
     */
    public void replay(DataFile file, ReplayVisitor visitor) throws IOException {
        HintFile.EntryVisitor entries = (kind, place, source, offset, length) -> visitor.visit(
                kind == RecordFormat.DELETE, Locator.withSlot(file.slot(), place), source, offset, length);
        HintFile.Builder recovered = hintsOfRolled(file);
        if (recovered != null) {
            recovered.visit(entries);
            return;
        }
        if (!visitHints(file, entries)) {
            HintFile.Builder hints = scanForHints(file);
            hints.visit(entries);
            if (!options.readOnly()) {
                writeHints(file, hints);
            }
        }
    }

    private HintFile.@Nullable Builder hintsOfRolled(DataFile file) {
        synchronized (rolled) {
            for (Rolled each : rolled) {
                if (each.file() == file) {
                    return each.hints();
                }
            }
        }
        return null;
    }

    private boolean visitHints(DataFile file, HintFile.EntryVisitor visitor) throws IOException {
        return startupNames.contains(FileNames.hint(file.id()))
                && HintFile.visit(startupIo, manifest.store(), file, visitor);
    }

    private static HintFile.Builder scanForHints(DataFile file) throws IOException {
        HintFile.Builder hints = new HintFile.Builder();
        RecordScanner scanner = new RecordScanner(file, DataFile.HEADER_LENGTH, file.length());
        while (scanner.next()) {
            if (scanner.isPut() || scanner.isTombstone()) {
                hints.add(
                        scanner.isPut() ? RecordFormat.PUT : RecordFormat.DELETE,
                        Locator.withoutSlot(scanner.locator()),
                        scanner.buffer(),
                        scanner.keyOffset(),
                        scanner.keyLength());
            }
        }
        return hints;
    }

    /**
     * Ends the opening: lists the recovered files as sealed, removes leftovers, and goes over from the startup manager to
     * the one for use.
     */
    public void finishOpening() throws IOException {
        if (startupIo != io) {
            for (DataFile file : files()) {
                file.exchangeHandle(io.open(file.name())).close();
            }
        }
        if (options.readOnly()) {
            return;
        }
        List<Rolled> recovered;
        synchronized (rolled) {
            recovered = new ArrayList<>(rolled);
            rolled.clear();
        }
        for (Rolled each : recovered) {
            writeHints(each.file(), each.hints());
            manifest.noteSealed(sealedEntry(each.file()));
            each.file().markSealed();
        }
        manifest.noteState(highestId, 0, 0);
        // The names of the files that the new manifest lists must be durable before it is.
        io.syncDirectory();
        manifest.rewrite(io);
        for (String name : leftovers) {
            if (!name.equals(FileNames.NEW_MANIFEST)) {
                io.delete(name);
            }
        }
        leftovers = List.of();
        startupNames = Set.of();
    }

    // ---------------------------------------------------------------- slots

    private synchronized DataFile addFile(long id, boolean merged, ReadableFile handle, long length)
            throws IOException {
        int slot = usedSlots.nextClearBit(0);
        if (slot >= Locator.MAX_SLOTS) {
            throw new IOException("too many data files: limit=" + Locator.MAX_SLOTS + "; merge to have fewer");
        }
        usedSlots.set(slot);
        DataFile file = new DataFile(id, slot, merged, manifest.store().seed(), handle, length);
        DataFile[] copy = Arrays.copyOf(slots, Math.max(slots.length, slot + 1));
        copy[slot] = file;
        slots = copy;
        return file;
    }

    private synchronized void removeSlot(DataFile file) {
        DataFile[] copy = slots.clone();
        copy[file.slot()] = null;
        slots = copy;
        usedSlots.clear(file.slot());
    }

    private void dropFile(DataFile file) throws IOException {
        removeSlot(file);
        file.handle().close();
    }

    /** Returns the file of a locator that the caller holds within a read epoch or by a pin. */
    public DataFile file(long locator) {
        return slots[Locator.slot(locator)];
    }

    /** Returns the files by slot; entries may be null. The array does not change. */
    public @Nullable DataFile[] slots() {
        return slots;
    }

    /** Returns all files in the order of their ids. */
    public List<DataFile> files() {
        List<DataFile> files = new ArrayList<>();
        for (DataFile file : slots) {
            if (file != null) {
                files.add(file);
            }
        }
        files.sort((a, b) -> Long.compare(a.id(), b.id()));
        return files;
    }

    /** Returns whether the record at a locator has an expiry. */
    public static boolean expires(long locator) {
        return Locator.expires(locator);
    }

    /** Counts the record at a locator as one that the index refers to. */
    public void markLive(long locator) {
        file(locator).addLive(Locator.size(locator));
    }

    /** Counts the record at a locator as one that the index does not refer to any more. */
    public void markDead(long locator) {
        file(locator).addLive(-Locator.size(locator));
    }

    // ---------------------------------------------------------------- appending

    /** Returns whether two places in the log are in this order; for locators of one opening. */
    public boolean isAfter(long locator, long other) {
        long id = file(locator).id();
        long otherId = file(other).id();
        return id != otherId ? id > otherId : Locator.offset(locator) > Locator.offset(other);
    }

    /** Appends a record and returns its locator. */
    public long append(RecordDraft draft, long version, boolean willSync) throws IOException {
        DataFile file = fileFor(draft.length(), willSync);
        long offset = file.length();
        draft.place(version, distance(file, offset), file.mask(offset));
        writeDraft(file, offset, draft);
        file.noteVersion(version);
        long locator = Locator.of(file.slot(), offset, draft.length(), draft.expires());
        addHint(draft, locator);
        if (!draft.isTombstone()) {
            file.addLive(Locator.size(locator));
        }
        extend(file, offset + draft.length());
        return locator;
    }

    private void extend(DataFile file, long length) {
        writtenBytes += length - file.length();
        file.extendTo(length);
        end = position(file.id(), length);
    }

    /**
     * Appends the records of a batch and its end to one file, and returns their locators.
     *
     * @param firstVersion the version of the first record; each has one more
     */
    public long[] appendBatch(List<RecordDraft> drafts, long firstVersion, boolean willSync) throws IOException {
        long total = RecordFormat.BATCH_END_LENGTH;
        for (RecordDraft draft : drafts) {
            total += draft.length();
        }
        DataFile file = fileFor(total, willSync);
        long[] locators = new long[drafts.size()];
        long offset = file.length();
        batchCrc.reset();
        long version = firstVersion;
        int buffered = 0;
        for (int i = 0; i < locators.length; i++) {
            RecordDraft draft = drafts.get(i);
            draft.markInBatch();
            draft.place(version++, distance(file, offset), file.mask(offset));
            updateBatchChecksum(draft.headerChecksum());
            buffered = buffer(file, offset, buffered, draft);
            locators[i] = Locator.of(file.slot(), offset, draft.length(), draft.expires());
            offset += draft.length();
        }
        markDraft.endBatch(locators.length, (int) batchCrc.getValue());
        markDraft.place(version - 1, distance(file, offset), file.mask(offset));
        buffered = buffer(file, offset, buffered, markDraft);
        offset += markDraft.length();
        file.writable().write(offset - buffered, batchBuffer, 0, buffered);
        for (int i = 0; i < locators.length; i++) {
            RecordDraft draft = drafts.get(i);
            addHint(draft, locators[i]);
            if (!draft.isTombstone()) {
                file.addLive(Locator.size(locators[i]));
            }
        }
        file.noteVersion(firstVersion);
        file.noteVersion(version - 1);
        extend(file, offset);
        return locators;
    }

    /**
     * Adds a record to the buffer of a batch, after writing the buffer out if it is full; returns how many bytes of the
     * buffer, which end at the end of the record, are still to be written.
     */
    private int buffer(DataFile file, long offset, int buffered, RecordDraft draft) throws IOException {
        int length = draft.copiedLength();
        boolean isLong = draft.longValue().length > 0;
        if (buffered > 0 && (isLong || buffered + length > BATCH_BUFFER)) {
            file.writable().write(offset - buffered, batchBuffer, 0, buffered);
            buffered = 0;
        }
        if (isLong || length > BATCH_BUFFER) {
            writeDraft(file, offset, draft);
            return 0;
        }
        if (buffered + length > batchBuffer.length) {
            batchBuffer = Arrays.copyOf(batchBuffer, Math.min(BATCH_BUFFER, 2 * (buffered + length)));
        }
        System.arraycopy(draft.bytes(), 0, batchBuffer, buffered, length);
        return buffered + length;
    }

    /** Returns the greatest length that the records of a batch can have together. */
    public static long maxBatchLength() {
        return RecordFormat.MAX_FILE_LENGTH
                - DataFile.HEADER_LENGTH
                - RecordFormat.BATCH_END_LENGTH
                - RecordFormat.END_OF_FILE_LENGTH;
    }

    private void updateBatchChecksum(int headerChecksum) {
        batchCrc.update(headerChecksum);
        batchCrc.update(headerChecksum >>> 8);
        batchCrc.update(headerChecksum >>> 16);
        batchCrc.update(headerChecksum >>> 24);
    }

    private void addHint(RecordDraft draft, long locator) {
        activeHints.add(
                draft.isTombstone() ? RecordFormat.DELETE : RecordFormat.PUT,
                Locator.withoutSlot(locator),
                draft.bytes(),
                draft.keyOffset(),
                draft.keyLength());
    }

    private static void writeDraft(DataFile file, long offset, RecordDraft draft) throws IOException {
        WritableFile handle = file.writable();
        handle.write(offset, draft.bytes(), 0, draft.copiedLength());
        byte[] longValue = draft.longValue();
        if (longValue.length > 0) {
            long end = offset + draft.copiedLength();
            handle.write(end, longValue, 0, longValue.length);
            end += longValue.length;
            int padding = (int) (offset + draft.length() - end);
            handle.write(end, new byte[RecordFormat.ALIGNMENT], 0, padding);
        }
    }

    private int distance(DataFile file, long offset) {
        long durable = commit.durable();
        if (durable < position(file.id(), DataFile.HEADER_LENGTH)) {
            return RecordFormat.DISTANCE_UNKNOWN;
        }
        return Locator.sizeClass(offset - (durable & 0xFFFFFFFFL));
    }

    private DataFile fileFor(long length, boolean willSync) throws IOException {
        DataFile file = active;
        if (file == null || needsNewFile(file, length)) {
            roll();
            file = active;
            if (file == null) {
                throw new IllegalStateException("no active file after a roll");
            }
        }
        if (willSync) {
            reserve(file, file.length() + length);
        }
        return file;
    }

    private boolean needsNewFile(DataFile file, long length) {
        return file.length() > DataFile.HEADER_LENGTH
                && file.length() + length + RecordFormat.END_OF_FILE_LENGTH > options.maxFileBytes();
    }

    /** A force of space that was written before need not record a new length, which halves what it costs. */
    private void reserve(DataFile file, long end) throws IOException {
        if (end > reservedTo && ++syncWrites > SYNC_WRITES_BEFORE_RESERVE) {
            long target = Math.min(Math.max(options.maxFileBytes(), end), end + SYNC_RESERVE);
            file.writable().reserve(target);
            reservedTo = target;
        }
    }

    /** Leaves the active file, if there is one, and goes on to a new one. */
    private void roll() throws IOException {
        leaveActive();
        DataFile fresh = createFile(++highestId, false, lastLogId);
        fresh.becomeVisible(0);
        lastLogId = fresh.id();
        activeHints = new HintFile.Builder();
        reservedTo = 0;
        active = fresh;
    }

    /** Leaves the active file to be sealed; the next write makes a new one. */
    public void leaveActive() throws IOException {
        DataFile old = active;
        if (old == null) {
            return;
        }
        long offset = old.length();
        markDraft.endFile();
        markDraft.place(old.lastVersion(), distance(old, offset), old.mask(offset));
        writeDraft(old, offset, markDraft);
        extend(old, offset + markDraft.length());
        synchronized (rolled) {
            rolled.add(new Rolled(old, activeHints));
        }
        active = null;
        options.maintenance().execute(this::sealInBackground);
    }

    private DataFile createFile(long id, boolean merged, long previousId) throws IOException {
        String name = merged ? FileNames.merged(id) : FileNames.data(id);
        WritableFile handle = io.create(name, options.maxFileBytes());
        try {
            handle.write(0, DataFile.encodeHeader(manifest.store(), id, previousId), 0, DataFile.HEADER_LENGTH);
        } catch (IOException e) {
            handle.close();
            io.delete(name);
            throw e;
        }
        namesAdded = true;
        return addFile(id, merged, handle, DataFile.HEADER_LENGTH);
    }

    // ---------------------------------------------------------------- durability

    /** Returns the file that is appended to, if there is one. Under the write lock. */
    public @Nullable DataFile active() {
        return active;
    }

    /** Returns the end of the log. Called under the write lock, after an append. */
    public long position() {
        return end;
    }

    private static long position(long id, long offset) {
        return id << 32 | offset;
    }

    /** Makes the log durable up to a position. For any thread. */
    public void sync(long position) throws IOException {
        commit.await(position);
    }

    /** Forces everything appended so far. Runs in the one leader of the group commit. */
    private long forceAppended() throws IOException {
        synchronized (handles) {
            try {
                // The active file is read before those left: if it is left meanwhile, it is among these, too.
                DataFile last = active;
                long reached = last == null ? commit.durable() : position(last.id(), last.length());
                for (DataFile file : filesLeft()) {
                    long fileEnd = position(file.id(), file.length());
                    if (file != last && fileEnd > commit.durable()) {
                        file.writable().force();
                        reached = Math.max(reached, last == null ? fileEnd : 0);
                    }
                }
                if (last != null && !last.isSealed()) {
                    last.writable().force();
                }
                if (namesAdded) {
                    namesAdded = false;
                    io.syncDirectory();
                }
                return Math.max(commit.durable(), reached);
            } catch (IOException | RuntimeException | Error e) {
                options.onFailure().accept(e);
                throw e;
            }
        }
    }

    private List<DataFile> filesLeft() {
        List<DataFile> files = new ArrayList<>();
        synchronized (rolled) {
            for (Rolled each : rolled) {
                files.add(each.file());
            }
        }
        return files;
    }

    private void sealInBackground() {
        try {
            sealRolled();
        } catch (OutOfSpaceException e) {
            // The file stays as it is, unsealed but whole; the next roll, merge or close tries again.
            LOG.warn("no space to seal a data file, will try again: {}", e.getMessage());
        } catch (IOException | RuntimeException | Error e) {
            options.onFailure().accept(e);
        }
    }

    /** Seals every file that writers have left: forces it, writes its hint file and lists it in the manifest. */
    public void sealRolled() throws IOException {
        synchronized (sealing) {
            for (Rolled next = firstRolled(); next != null; next = firstRolled()) {
                seal(next);
            }
        }
    }

    private @Nullable Rolled firstRolled() {
        synchronized (rolled) {
            return rolled.peek();
        }
    }

    private void seal(Rolled each) throws IOException {
        DataFile file = each.file();
        sync(position(file.id(), file.length()));
        writeHints(file, each.hints());
        // The manifest may list the file only once its content and its name are durable: sync() saw to both.
        manifest.seal(sealedEntry(file));
        ReadableFile sealedHandle = io.open(file.name());
        ReadableFile old;
        synchronized (handles) {
            old = file.exchangeHandle(sealedHandle);
            file.markSealed();
        }
        synchronized (rolled) {
            rolled.remove(each);
        }
        epochs.awaitReaders();
        old.close();
        options.onSealed().run();
    }

    /** Writes a hint file if there is none that fits. A hint file is a cache: nothing but time depends on it. */
    private void writeHints(DataFile file, HintFile.Builder hints) throws IOException {
        String name = FileNames.hint(file.id());
        if (io.list().contains(name)) {
            io.delete(name);
        }
        hints.write(io, manifest.store(), file);
    }

    private static Manifest.Sealed sealedEntry(DataFile file) {
        return new Manifest.Sealed(file.id(), file.isMerged(), file.length(), file.firstVersion(), file.lastVersion());
    }

    // ---------------------------------------------------------------- reading

    /** Returns the epochs within which locators are looked up and read. */
    public ReadEpochs epochs() {
        return epochs;
    }

    /** Returns a reader for one thread. */
    public RecordReader newReader() {
        return new RecordReader(this);
    }

    /** Returns a scanner over the records of a file, up to {@code end}. The caller keeps the file from being retired. */
    public RecordScanner scan(DataFile file, long end) {
        return new RecordScanner(file, DataFile.HEADER_LENGTH, end);
    }

    /** Returns the filter of the keys in a file, or null if there is none. */
    @Nullable KeyFilter keyFilter(DataFile file) throws IOException {
        return io.list().contains(FileNames.hint(file.id())) ? HintFile.filter(io, manifest.store(), file) : null;
    }

    // ---------------------------------------------------------------- merging

    /**
     * Sets {@code count} numbers aside for the output of a merge, and makes writers go on to a file with a higher number:
     * whatever is written from now on is replayed after what the merge writes. Under the write lock; afterwards {@link
     * #sealRolled} must be called before the merge is committed.
     *
     * @return the first of the numbers
     */
    public long beginMerge(int count) throws IOException {
        leaveActive();
        long first = highestId + 1;
        highestId += count;
        return first;
    }

    /** Makes a file for the output of a merge, under one of the numbers set aside. */
    public MergeOutput createOutput(long id) throws IOException {
        return new MergeOutput(this, io, manifest.store(), id);
    }

    DataFile createMergedFile(long id) throws IOException {
        return createFile(id, true, 0);
    }

    /**
     * Replaces the inputs of a merge by its outputs, which are complete and forced: the point at which the merge takes
     * place. Every file with a lower number than the outputs is sealed by now, so that the manifest may raise its highest
     * number to theirs.
     */
    public void commitMerge(List<DataFile> inputs, List<DataFile> outputs, long lastReservedId) throws IOException {
        // A crash may not list a file whose name is not there, so the names come first.
        io.syncDirectory();
        List<Manifest.Sealed> listed = new ArrayList<>();
        long changesFrom = 0;
        for (DataFile output : outputs) {
            listed.add(sealedEntry(output));
        }
        List<Long> ids = new ArrayList<>();
        for (DataFile input : inputs) {
            ids.add(input.id());
            changesFrom = Math.max(changesFrom, input.lastVersion());
        }
        manifest.merge(lastReservedId, changesFrom, ids, listed);
    }

    /** Forgets outputs of a merge that was not committed. */
    public void discard(DataFile output) throws IOException {
        remove(output);
    }

    /**
     * Closes and deletes a file that the manifest does not list any more, and that nothing refers to: no index entry, no
     * snapshot, and no reader, since it awaits those.
     */
    public void remove(DataFile file) throws IOException {
        epochs.awaitReaders();
        removeSlot(file);
        file.handle().close();
        io.delete(file.name());
        String hint = FileNames.hint(file.id());
        if (io.list().contains(hint)) {
            io.delete(hint);
        }
    }

    // ---------------------------------------------------------------- state

    public long tornBytesCut() {
        return tornBytesCut;
    }

    /** Returns the greatest version in the log as it was opened. */
    public long lastVersion() {
        long last = manifest.lastVersion();
        for (DataFile file : files()) {
            last = Math.max(last, file.lastVersion());
        }
        return last;
    }

    /** Returns the version after which every change is still in the files that writers wrote. */
    public long changesFrom() {
        return manifest.changesFrom();
    }

    public long clockMillis() {
        return manifest.clockMillis();
    }

    public void advanceClock(long millis) throws IOException {
        manifest.advanceClock(millis);
    }

    /** Returns how many bytes were appended since the log was opened. */
    public long writtenBytes() {
        return writtenBytes;
    }

    public long maxFileBytes() {
        return options.maxFileBytes();
    }

    public IoManager io() {
        return io;
    }

    Manifest manifest() {
        return manifest;
    }

    /** Seals everything and closes all files. The caller lets no reader or writer in any more. */
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
        DataFile last = active;
        if (last != null) {
            synchronized (rolled) {
                rolled.add(new Rolled(last, activeHints));
            }
            active = null;
        }
        sync(end);
        try {
            sealRolled();
        } catch (OutOfSpaceException e) {
            // Everything is durable; the next opening reads the file as the tail of the log and seals it then.
            LOG.warn("no space to seal a data file while closing: {}", e.getMessage());
        }
    }

    /** Closes all files as they are; the next opening recovers them as after a crash. */
    public void abandon() throws IOException {
        closeHandles(null);
    }

    private void closeHandles(@Nullable Throwable failure) throws IOException {
        IOException first = null;
        for (DataFile file : files()) {
            try {
                file.handle().close();
            } catch (IOException e) {
                first = e;
            }
        }
        try {
            manifest.close();
        } catch (IOException e) {
            first = e;
        }
        if (first != null) {
            if (failure == null) {
                throw first;
            }
            failure.addSuppressed(first);
        }
    }
}
