package dev.caskwright.bitcask.log.file;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EngineClosedException;
import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.OutOfSpaceException;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.MemoryWait;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.ClockNotes;
import dev.caskwright.bitcask.log.format.ClockNote;
import dev.caskwright.bitcask.log.format.CodecNote;
import dev.caskwright.bitcask.log.format.CopyMark;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.FormatVersions;
import dev.caskwright.bitcask.log.format.Lineage;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The list of a store's sealed data files: an append-only file of checksummed edits, each forced before anything relies
 * on it. It is rewritten, under another name and then renamed, whenever the store is opened for writing, and whenever it
 * has grown to some multiple of what it was then: so its length stays in proportion to the files that it lists.
 *
 * <p>A numbered file that is not listed counts only if writers wrote it after everything that is listed: its number is
 * above {@link #highestId()} and it is no merge's. All others are leftovers. That makes rolling to a new file free of
 * manifest writes: what was rolled since the last edit is found by its name, and read as the tail of the log.
 *
 * <pre>
 * 0      8               12      16               32      60         64                     1536
 * | magic | formatVersion | zeros | storeId: 2 x 8 | zeros | checksum | clock, see ClockNote | edits, see ManifestReader
 *
 * SEAL:  id, merged, length, firstVersion, lastVersion, history
 * MERGE: highestId, changesFrom, inputs n, outputs m, n x id, m x (id, length, firstVersion, lastVersion, history)
 * STATE: highestId, lastLogId, changesFrom, lastVersion, following n
 * IMAGE: number, nonce, sum
 * COPY:  kind, finished, history, version
 * LINEAGE: n x (history, firstVersion)
 * HINTS: n x (id, sum)
 * CODEC: what CodecNote says
 * </pre>
 *
 * <p>A manifest starts with a STATE, which says how many edits that follow belong to the start: a SEAL for each file listed
 * when it was written, HINTS, an IMAGE, a COPY and a LINEAGE if there were such,
 * and a CODEC for each codec that values were stored by. The start is forced before the file gets its name, so it is never
 * torn. Of the edits after it, several may be on their way to the disk at once and arrive in any order, so each says up to
 * which offset the manifest had been forced before it: what is broken after that is a torn tail, before it damage.
 *
 * <p><b>Threads.</b> The list is guarded by the object. The clock's note is not: readers write it, and must not wait for a
 * force. So whoever writes to the file holds {@link #writing}, and nobody forces while holding it.
 */
public final class Manifest implements ClockNotes, Closeable {
    /**
     * A sealed data file. Its history is the random number of the opening that made it: with the file's number, it tells
     * the file from every other one, also of a copy of this store that went its own way.
     */
    public record Sealed(long id, boolean merged, long length, long firstVersion, long lastVersion, long history) {
        public String name() {
            return merged ? FileNames.merged(id) : FileNames.data(id);
        }
    }

    /**
     * The image of the key index that belongs to the store as it is: a number that names the file, a random one that is in
     * it, and a sum of its content. Nothing else in a directory passes for it, be it older, or newer and of another history.
     */
    public record Image(long number, long nonce, long sum) {
        public String name() {
            return FileNames.image(number);
        }

        public Image withSum(long newSum) {
            return new Image(number, nonce, newSum);
        }
    }

    static final int FORMAT_VERSION = 1;

    private static final long MAGIC = 0x49_4E_41_4D_4B_53_41_43L; // "CASKMANI"
    private static final int EDITS_OFFSET = ClockNote.END;

    /** A manifest is rewritten when it has grown by as much as it began with, and by this at least. */
    private static final long LEAST_GROWTH = 64 << 10;

    private static final int REWRITTEN_PIECE = 64 << 10;

    /**
     * This many zeros are kept written after the edits of an open store, for those that a full disk must not prevent: a merge
     * that only gives space back, and what opening lists. With them, the manifest of a small store still fits into 4 KiB.
     */
    static final int ROOM = 2 << 10;

    private final StoreId store;
    private final ManifestContent content = new ManifestContent(); // guarded by this
    private volatile @Nullable IOException failed;
    private @Nullable EngineException nameNotForced; // why the name of the manifest is not durable yet

    /** Made in time: it may be that no memory is left when it is needed. */
    private final IOException endedHalfway = new IOException("a change of the manifest ended half-way");

    private long end;
    private long forced; // up to where the file was forced
    private long growsTo; // how long it may become before it is rewritten
    private int room; // how much is kept written after the edits
    private long roomTo; // up to where the file has bytes

    private final Object writing = new Object();

    @GuardedBy("writing") private final ClockNote clock;

    @GuardedBy("writing") private @Nullable IoManager io; // where it was written to; null until then

    @GuardedBy("writing") private @Nullable WritableFile file; // opened when it is needed

    @GuardedBy("writing") private boolean isClosed;

    public Manifest(StoreId store) {
        this.store = store;
        this.clock = new ClockNote(store);
    }

    /** Reads the manifest of a store; null if there is none. */
    public static @Nullable Manifest read(IoManager io) throws IOException {
        if (!io.list().contains(FileNames.MANIFEST)) {
            if (io.listObstacles().contains(FileNames.MANIFEST)) {
                throw new UnsupportedFormatException(
                        "not a regular file, move it away if the directory is to be a store:" + " file="
                                + FileNames.MANIFEST + ", directory=" + io.describe());
            }
            return null;
        }
        try (ReadableFile file = io.open(FileNames.MANIFEST)) {
            byte[] start = new byte[EDITS_OFFSET];
            int read = file.read(0, start, 0, EDITS_OFFSET);
            Manifest manifest = new Manifest(readHeader(start, read));
            if (read < EDITS_OFFSET) {
                throw new CorruptRecordException("manifest is cut short", FileNames.MANIFEST, read, "");
            }
            synchronized (manifest.writing) {
                manifest.clock.read(start, read);
            }
            manifest.readEdits(new ManifestReader(file, file.length(), manifest.store.seed()), file.length());
            manifest.roomTo = file.length();
            return manifest;
        }
    }

    private static StoreId readHeader(byte[] bytes, int length) throws IOException {
        if (!FileHeader.isSound(bytes, length, MAGIC)) {
            if (length >= 12 && FileHeader.hasMagic(bytes, MAGIC)) {
                throw new CorruptRecordException("bad manifest header", FileNames.MANIFEST, 0, "length=" + length);
            }
            throw new UnsupportedFormatException(
                    "not a store: file=" + FileNames.MANIFEST + " has no known header, length=" + length);
        }
        FormatVersions.check(FileNames.MANIFEST, FileHeader.formatVersion(bytes), FORMAT_VERSION);
        return FileHeader.store(bytes);
    }

    /**
     * Applies the edits in order. Those from the first that is not whole on were never relied on and are left out, unless
     * a sound one after it says that it had been forced: that is damage.
     */
    private void readEdits(ManifestReader reader, long length) throws IOException {
        long at = EDITS_OFFSET;
        long base = 1;
        while (at < length || base > 0) {
            long editEnd = reader.end(at);
            if (editEnd < 0 && base > 0) {
                // The start was forced before the manifest got its name: it cannot be torn, and what is missing of it
                // would make data files look like leftovers.
                throw new CorruptRecordException("manifest is cut short", FileNames.MANIFEST, at, "missing=" + base);
            }
            if (editEnd < 0) {
                long witness = reader.witness(at);
                if (witness >= 0) {
                    throw new CorruptRecordException(
                            "bad manifest edit", FileNames.MANIFEST, at, "proved by the edit at offset " + witness);
                }
                return;
            }
            long following = content.apply(reader, at, at == EDITS_OFFSET, base > 0);
            base = base == 0 ? 0 : base - 1 + following;
            at = editEnd;
            end = editEnd;
        }
    }

    public StoreId store() {
        return store;
    }

    /** Returns the sum of a data file's hint file, by which it is believed; 0 if there is none to be believed. */
    public synchronized long hintSum(long id) {
        return content.hintSums.getOrDefault(id, 0L);
    }

    /** Has the next {@link #rewrite} believe a hint file of this sum, or with 0 none. */
    public synchronized void noteHints(long id, long sum) {
        if (sum == 0) {
            content.hintSums.remove(id);
        } else {
            content.hintSums.put(id, sum);
        }
    }

    public synchronized Collection<Sealed> files() {
        return new ArrayList<>(content.files.values());
    }

    /** Returns the greatest number that a listed file has or had, or that was set aside for a merge. */
    public synchronized long highestId() {
        return content.highestId;
    }

    /** Returns the number of the last file sealed that writers wrote, even if a merge has replaced it since. */
    public synchronized long lastLogId() {
        return content.lastLogId;
    }

    /** Returns the version after which every change is still in the files that writers wrote. */
    public synchronized long changesFrom() {
        return content.changesFrom;
    }

    @Override
    public long[] clockNote() {
        synchronized (writing) {
            return clock.longs();
        }
    }

    public synchronized long lastVersion() {
        return content.lastVersion;
    }

    /** Returns the image of the key index that covers the log up to some position, if there is one. */
    public synchronized @Nullable Image image() {
        return content.image;
    }

    /** Returns what this directory is a copy of, if it is one and nothing was written to it since. */
    public synchronized @Nullable CopyMark copy() {
        return content.copy;
    }

    /** Says what the next {@link #rewrite} will call this directory; null for a store of its own. */
    public synchronized void noteCopy(@Nullable CopyMark newCopy) {
        content.copy = newCopy;
    }

    /** Returns which histories this store has been through. */
    public synchronized Lineage lineage() {
        return content.lineage;
    }

    /** Has the next {@link #rewrite} name the histories of the store that this one is a copy of. */
    public synchronized void noteLineage(Lineage newLineage) {
        content.lineage = newLineage;
    }

    /** Returns the codecs that values were stored by. */
    public synchronized Collection<CodecNote> codecs() {
        return new ArrayList<>(content.codecs.values());
    }

    /** Has the next {@link #rewrite} note a codec. */
    public synchronized void noteCodec(CodecNote note) {
        content.noteCodec(note);
    }

    /** Notes a codec durably: after this, records may name it. */
    public synchronized void addCodec(CodecNote note) throws IOException {
        synchronized (writing) {
            if (isClosed) {
                throw new EngineClosedException("the engine is closed");
            }
        }
        shorten();
        appendAndForce(note.words(ManifestContent.CODEC));
        noteCodec(note);
    }

    /** Returns the codecs that a damaged manifest of a store still tells of, found by the checksums of their edits. */
    public static Collection<CodecNote> salvagedCodecs(ReadableFile file, StoreId store) throws IOException {
        ManifestReader reader = new ManifestReader(file, file.length(), store.seed());
        TreeMap<Integer, CodecNote> found = new TreeMap<>();
        for (long at = EDITS_OFFSET; at < file.length(); at += RecordFormat.ALIGNMENT) {
            if (reader.end(at) > at
                    && reader.type(at) == ManifestContent.CODEC
                    && reader.words(at) <= CodecNote.MOST_WORDS) {
                long[] words = reader.allWords(at);
                if (CodecNote.isPossible(words)) {
                    found.putIfAbsent(CodecNote.ofWords(words).key(), CodecNote.ofWords(words));
                }
            }
        }
        return found.values();
    }

    /** Leaves the image out of the next {@link #rewrite}. */
    public synchronized void dropImage() {
        content.image = null;
    }

    /** Notes state that the next {@link #rewrite} will keep. */
    public synchronized void noteState(long newHighestId, long newChangesFrom, long newLastVersion) {
        content.noteState(newHighestId, newChangesFrom, newLastVersion);
    }

    /** Has the next {@link #rewrite} keep another manifest's note of the clock. */
    public void setClockNote(long[] note) {
        synchronized (writing) {
            clock.set(note);
        }
    }

    /** Notes a sealed file that the next {@link #rewrite} will list. */
    public synchronized void noteSealed(Sealed sealed) {
        content.applySeal(sealed);
    }

    /** Replaces the manifest on disk by one that lists what this one lists, and opens it for more edits. */
    public synchronized void rewrite(IoManager target) throws IOException {
        String newName = freeName(target);
        try (WritableFile fresh = target.create(newName, 0)) {
            long noted = writeHead(fresh);
            long freshEnd = writeStart(fresh);
            fresh.write(freshEnd, new byte[room], 0, room);
            // The rename must not reach the disk before the content that it makes valid.
            fresh.force();
            replaceBy(fresh, newName, target, noted);
            end = freshEnd;
            forced = freshEnd;
            growsTo = freshEnd + Math.max(freshEnd, LEAST_GROWTH);
            roomTo = freshEnd + room;
        } catch (OutOfSpaceException e) {
            if (failed == null) { // the old one is in its place
                Unneeded.isDeleted(target, newName);
            }
            throw e;
        }
        // If it fails, which of the two a power loss leaves is not known, so nothing may be appended to this one.
        syncName(target);
    }

    /** Makes the name of a rewritten manifest durable. If that cannot even begin, it is tried again later. */
    private void syncName(IoManager target) throws IOException {
        orFail(() -> {
            try {
                target.syncDirectory();
                nameNotForced = null;
            } catch (EngineException e) {
                nameNotForced = e;
                if (!NewFiles.hasChangedNothing(e)) {
                    throw e;
                }
            }
        });
        EngineException failure = nameNotForced;
        if (failure != null) {
            throw failure;
        }
    }

    /** Has some room kept after the edits from the next {@link #rewrite} on. */
    public synchronized void keepRoom() {
        room = ROOM;
    }

    /**
     * Goes on with the manifest that was read, for a full disk that has no room for a new one: writes it once more in its
     * place, since what was read need not be on the disk, and lists files after its edits, in the room kept there.
     *
     * @param sums those of hint files that it does not know yet
     */
    public synchronized void goOn(IoManager target, List<Sealed> sealed, Map<Long, Long> sums) throws IOException {
        synchronized (writing) {
            io = target;
            isClosed = false;
            WritableFile current = open();
            byte[] piece = new byte[(int) Math.min(REWRITTEN_PIECE, roomTo)];
            for (long at = 0; at < roomTo; at += piece.length) {
                int length = (int) Math.min(piece.length, roomTo - at);
                // Zeros take the place of edits that were never relied on, or one of them could follow a new one.
                int kept = (int) Math.max(0, Math.min(length, end - at));
                if (current.read(at, piece, 0, kept) < kept) {
                    throw new CorruptRecordException(
                            "manifest became shorter while it was read", FileNames.MANIFEST, at, "length=" + roomTo);
                }
                Arrays.fill(piece, kept, length, (byte) 0);
                current.write(at, piece, 0, length);
            }
        }
        force();
        if (!sealed.isEmpty()) {
            for (Sealed each : sealed) {
                append(ManifestContent.sealWords(each));
            }
            force();
        }
        appendHints(sums);
    }

    /** Returns a name for a new manifest, past leftovers that cannot be deleted and whatever else lies there. */
    private static String freeName(IoManager io) throws IOException {
        List<String> files = io.list();
        List<String> obstacles = io.listObstacles();
        for (int n = 0; n < FileNames.NEW_MANIFESTS; n++) {
            String name = FileNames.newManifest(n);
            boolean isFree = !obstacles.contains(name) && (!files.contains(name) || Unneeded.isDeleted(io, name));
            if (isFree) {
                return name;
            }
        }
        throw new IOException(
                "no name is free for a new manifest, move away what lies there: directory=" + io.describe() + ", name="
                        + FileNames.NEW_MANIFEST + ", and the same with .1 to ." + (FileNames.NEW_MANIFESTS - 1));
    }

    /** Writes what comes before the edits; returns the serial of the clock's note. */
    private long writeHead(WritableFile fresh) throws IOException {
        byte[] head = Arrays.copyOf(FileHeader.seal(FileHeader.begin(MAGIC, FORMAT_VERSION, store)), EDITS_OFFSET);
        long noted;
        synchronized (writing) {
            noted = clock.placeIn(head);
        }
        fresh.write(0, head, 0, head.length);
        return noted;
    }

    private void replaceBy(WritableFile fresh, String newName, IoManager target, long noted) throws IOException {
        synchronized (writing) {
            if (clock.serial() != noted) {
                clock.write(fresh); // readers went on noting it in the old file
            }
            closeFile();
            fresh.close();
            // If it fails, which of the two has the name now is not known.
            orFail(() -> target.rename(newName, FileNames.MANIFEST));
            io = target;
            isClosed = false;
        }
    }

    /** Writes what there is as the start of a manifest; returns where that ends. */
    private long writeStart(WritableFile fresh) throws IOException {
        long at = EDITS_OFFSET;
        for (long[] words : content.startEdits()) {
            at = write(fresh, at, 0, words);
        }
        return at;
    }

    /**
     * Lists sealed files, durably, but for those that are listed.
     *
     * @param sums those of the files' hint files
     */
    public synchronized void seal(List<Sealed> sealed, Map<Long, Long> sums) throws IOException {
        List<Sealed> unlisted = new ArrayList<>(sealed);
        unlisted.removeIf(each -> content.files.containsKey(each.id()));
        if (unlisted.isEmpty()) {
            appendHints(sums);
            return;
        }
        shorten();
        MemoryWait.Step applying = () -> {
            content.copy = null;
            unlisted.forEach(content::applySeal);
        };
        for (Sealed each : unlisted) {
            append(ManifestContent.sealWords(each));
        }
        appendHints(sums);
        force();
        apply(applying);
    }

    /**
     * Replaces the inputs of a merge by its outputs, durably and at once.
     *
     * @param beforeWriting is run when all is ready that takes memory or may fail for other reasons than the disk: whatever is
     *     thrown before that leaves the manifest as it was
     */
    public synchronized void merge(
            long highest,
            long newChangesFrom,
            Collection<Long> inputs,
            List<Sealed> outputs,
            Map<Long, Long> sums,
            Runnable beforeWriting)
            throws IOException {
        shorten();
        // A merge that only takes files away sets no numbers aside.
        long[] words =
                ManifestContent.mergeWords(Math.max(highest, content.highestId), newChangesFrom, inputs, outputs);
        MemoryWait.Step applying = () -> {
            content.copy = null;
            content.applyMerge(words);
            content.forgetHintsOfUnlisted();
        };
        append(words, beforeWriting);
        appendHints(sums);
        force();
        apply(applying);
    }

    /** Applies edits that are durable, by a step that was made before they were: want of memory is waited out. */
    private void apply(MemoryWait.Step step) throws IOException {
        boolean isApplied = false;
        try {
            MemoryWait.retry(step);
            isApplied = true;
        } finally {
            if (!isApplied && failed == null) {
                failed = endedHalfway;
            }
        }
    }

    /**
     * Notes sums of hint files, without forcing: what a power loss takes of it costs the reading of data files. If that
     * cannot be written, the hint files are not believed, and there is no other harm.
     */
    private void appendHints(Map<Long, Long> sums) {
        if (sums.isEmpty()) {
            return;
        }
        try {
            long[] words = ManifestContent.hintWords(sums);
            synchronized (writing) {
                keepRoomBehind(open(), words); // a cache takes nothing of the room kept for what must fit
            }
            append(words);
            content.hintSums.putAll(sums);
        } catch (IOException | OutOfMemoryError e) {
            logger().warn("hint files could not be noted, opening may take longer: {}", e.toString());
        }
    }

    /** Lets an image take the place of the one before, durably. */
    public synchronized void publish(Image fresh) throws IOException {
        shorten();
        synchronized (writing) {
            keepRoomBehind(
                    open(),
                    ManifestContent.imageWords(fresh)); // a cache takes nothing of the room kept for what must fit
        }
        appendAndForce(ManifestContent.imageWords(fresh));
        content.image = fresh;
    }

    @Override
    public void noteClock(Supplier<long[]> latest) throws IOException {
        synchronized (writing) {
            clock.note(open(), latest.get());
        }
    }

    /** Returns whether a change failed, so that what is on the disk is not known and there can be no other change. */
    public boolean hasFailed() {
        return failed != null;
    }

    /** Rewrites the manifest if it has grown long. */
    private void shorten() throws IOException {
        IoManager target;
        synchronized (writing) {
            target = io;
        }
        if (target == null || end < growsTo || failed != null) {
            return;
        }
        try {
            rewrite(target);
        } catch (IOException e) {
            if (failed != null) {
                throw e;
            }
            // The one that is there is as good as before, only longer.
            growsTo = end + LEAST_GROWTH;
            logger().warn("the manifest could not be rewritten, will try again: {}", e.toString());
        }
    }

    private void appendAndForce(long[] words) throws IOException {
        append(words);
        force();
    }

    private void force() throws IOException {
        long reached = end;
        // Not an error of space, even if the system calls it so: what reached the disk is not known. So nothing may be
        // appended after it any more, or a hole in the middle of the manifest could make the store unreadable.
        boolean isForced = false;
        try {
            WritableFile current;
            synchronized (writing) {
                current = open();
            }
            current.force();
            isForced = true;
        } catch (IOException e) {
            IOException named = new IOException("force failed: file=" + FileNames.MANIFEST, e);
            failed = named;
            throw named;
        } finally {
            if (!isForced && failed == null) {
                failed = endedHalfway;
            }
        }
        forced = reached;
    }

    /** A step after which disk and memory agree, and before which they did not. */
    private interface Step {
        void take() throws IOException;
    }

    /** Takes a step; if that ends in any other way than well, the manifest is not changed any more. */
    private void orFail(Step step) throws IOException {
        boolean isTaken = false;
        try {
            step.take();
            isTaken = true;
        } catch (IOException e) {
            failed = e;
            throw e;
        } finally {
            if (!isTaken && failed == null) {
                failed = endedHalfway;
            }
        }
    }

    @GuardedBy("writing") private WritableFile open() throws IOException {
        IoManager target = io;
        if (target == null || isClosed) {
            throw new IllegalStateException("manifest is not open for writing");
        }
        IOException first = failed;
        if (first != null) {
            throw new IOException("an earlier change of the manifest failed: " + first, first);
        }
        WritableFile current = file;
        if (current == null) {
            current = openToAppend(target);
            file = current;
        }
        return current;
    }

    private static WritableFile openToAppend(IoManager target) throws IOException {
        try {
            return target.openWritable(FileNames.MANIFEST);
        } catch (IOException e) {
            throw new EngineException(
                    ErrorCode.UNAVAILABLE,
                    Outcome.NOT_APPLIED,
                    "the manifest could not be opened, nothing was written, try again: " + e,
                    e);
        }
    }

    private void append(long[] words) throws IOException {
        append(words, null);
    }

    private void append(long[] words, @Nullable Runnable beforeWriting) throws IOException {
        // Asked before anything is written: an edit that opening would refuse must not get to the disk.
        if (!content.isPossible((int) words[0], words, false)) {
            throw new IllegalStateException("impossible manifest edit is not written: " + Arrays.toString(words));
        }
        synchronized (writing) {
            IoManager target = io;
            if (nameNotForced != null && target != null) {
                syncName(target); // before anything is in this manifest that the one before it had not
            }
            WritableFile current = open();
            try {
                keepRoomBehind(current, words);
            } catch (OutOfSpaceException e) {
                logger().debug("the disk is full, an edit of the manifest takes of the room kept for it", e);
            }
            byte[] edit = ManifestReader.encode(words, forced, store.seed(), end);
            if (beforeWriting != null) {
                beforeWriting.run();
            }
            current.write(end, edit, 0, edit.length); // after a failed write the same place is written again
            end += edit.length;
            roomTo = Math.max(roomTo, end);
        }
    }

    /** Writes zeros so that there is room after an edit that is to be appended. */
    @GuardedBy("writing") private void keepRoomBehind(WritableFile current, long[] words) throws IOException {
        long wanted = end + ManifestReader.EDIT_HEADER + (words.length - 1L) * Long.BYTES + room;
        if (room > 0 && wanted > roomTo) {
            int more = (int) (wanted - roomTo);
            current.write(roomTo, new byte[more], 0, more);
            roomTo = wanted;
        }
    }

    private long write(WritableFile target, long at, long forcedBefore, long[] words) throws IOException {
        byte[] edit = ManifestReader.encode(words, forcedBefore, store.seed(), at);
        target.write(at, edit, 0, edit.length);
        return at + edit.length;
    }

    @Override
    public void close() throws IOException {
        synchronized (writing) {
            isClosed = true;
            closeFile();
        }
    }

    @GuardedBy("writing") private void closeFile() throws IOException {
        WritableFile current = file;
        file = null;
        if (current != null) {
            current.close();
        }
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(Manifest.class);
    }

    @Override
    public String toString() {
        return "Manifest" + Arrays.toString(content.files.values().toArray());
    }
}
