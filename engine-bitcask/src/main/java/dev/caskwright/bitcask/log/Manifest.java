package dev.caskwright.bitcask.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.UnsupportedFormatException;
import dev.caskwright.api.spi.IoManager;
import dev.caskwright.api.spi.ReadableFile;
import dev.caskwright.api.spi.WritableFile;
import java.io.Closeable;
import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.Collection;
import java.util.List;
import java.util.TreeMap;
import java.util.concurrent.locks.ReentrantLock;
import java.util.function.Supplier;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The list of a store's sealed data files: an append-only file of checksummed edits, each forced before anything relies
 * on it. It is written anew, under another name and then renamed, whenever the store is opened for writing.
 *
 * <p>A numbered file that is not listed counts only if writers wrote it after everything that is listed: its number is
 * above {@link #highestId()} and it is no merge's. All others are leftovers. That makes rolling to a new file free of
 * manifest writes: what was rolled since the last edit is found by its name, and read as the tail of the log.
 *
 * <pre>
 * 0      8               12      16               32      60         64      512           1024          1536
 * | magic | formatVersion | zeros | storeId: 2 x 8 | zeros | checksum | zeros | clock note a | clock note b | edits ...
 *
 * edit: | checksum | length | type: 8 bits, forced before: 56 bits | longs ... |
 * SEAL:  id, merged, length, firstVersion, lastVersion, history
 * MERGE: highestId, changesFrom, inputs n, outputs m, n x id, m x (id, length, firstVersion, lastVersion, history)
 * STATE: highestId, lastLogId, changesFrom, lastVersion, following n
 * IMAGE: number, nonce
 * COPY:  kind, finished, history, version
 * LINEAGE: n x (history, firstVersion)
 * </pre>
 *
 * <p>A manifest starts with a STATE, which says how many edits that follow belong to the start: a SEAL for each file listed
 * when it was written, and an IMAGE, a COPY and a LINEAGE if there were such. The start is forced before the file gets its name, so it is never torn. Of the edits behind it,
 * several may be on their way to the disk at once and arrive in any order, so each says up to which offset the manifest
 * had been forced before it: what is broken behind that is a torn tail, before it damage.
 */
final class Manifest implements Closeable {
    /**
     * A sealed data file. Its history is the random number of the opening that made it: with the file's number, it tells
     * the file from every other one, also of a copy of this store that went its own way.
     */
    record Sealed(long id, boolean merged, long length, long firstVersion, long lastVersion, long history) {
        String name() {
            return merged ? FileNames.merged(id) : FileNames.data(id);
        }
    }

    /**
     * The image of the key index that belongs to the store as it is: a number that names the file, and a random one that
     * is in it. Nothing else in a directory passes for it, be it older, or newer and of another history.
     */
    record Image(long number, long nonce) {
        String name() {
            return FileNames.image(number);
        }
    }

    static final int FORMAT_VERSION = 1;

    private static final long MAGIC = 0x49_4E_41_4D_4B_53_41_43L; // "CASKMANI"
    private static final int START = ClockNote.END; // of the edits
    private static final int MAX_EDIT = 64 << 20;

    /** Numbers are halves of positions. Above this they would soon run out; no store that is in use comes near. */
    private static final long MAX_NUMBER = Integer.MAX_VALUE - (1 << 20);

    private static final int OUTPUT_WORDS = 5;

    private static final int TYPE_BITS = 8;
    private static final int SEAL = 1;
    private static final int MERGE = 2;
    private static final int STATE = 3;
    private static final int IMAGE = 4;
    private static final int COPY = 5;
    private static final int LINEAGE = 6;

    /** Held while the file is changed, before the monitor, which is for what this object knows. */
    private final ReentrantLock changing = new ReentrantLock();

    private final ClockNote clock;
    private final StoreId store;
    private final TreeMap<Long, Sealed> files = new TreeMap<>();
    private long highestId;
    private long lastLogId;
    private long changesFrom;
    private long lastVersion;
    private @Nullable Image image;
    private @Nullable CopyMark copy;
    private Lineage lineage = Lineage.EMPTY;
    private @Nullable WritableFile file;
    private @Nullable IOException failed;
    private long end;
    private long forced; // up to where the file was forced

    Manifest(StoreId store) {
        this.store = store;
        this.clock = new ClockNote(store, changing);
    }

    /** Reads the manifest of a store; null if there is none. */
    static @Nullable Manifest read(IoManager io) throws IOException {
        if (!io.list().contains(FileNames.MANIFEST)) {
            if (io.listObstacles().contains(FileNames.MANIFEST)) {
                throw new UnsupportedFormatException(
                        "not a regular file, move it away if the directory is to be a store:" + " file="
                                + FileNames.MANIFEST + ", directory=" + io.describe());
            }
            return null;
        }
        try (ReadableFile file = io.open(FileNames.MANIFEST)) {
            long length = file.length();
            if (length > Integer.MAX_VALUE - 8) {
                throw new CorruptRecordException("manifest is too long", FileNames.MANIFEST, 0, "length=" + length);
            }
            byte[] bytes = new byte[(int) length];
            int read = file.read(0, bytes, 0, bytes.length);
            Manifest manifest = new Manifest(readHeader(bytes, read));
            manifest.clock.read(bytes, read);
            manifest.readEdits(bytes, read);
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
     * a sound one behind it says that it had been forced: that is damage.
     */
    private void readEdits(byte[] bytes, int length) throws IOException {
        int at = START;
        long base = 1;
        while (at < length || base > 0) {
            int end = editEnd(bytes, at, length);
            if (end < 0 && base > 0) {
                // The start was forced before the manifest got its name: it cannot be torn, and what is missing of it
                // would make data files look like leftovers.
                throw new CorruptRecordException("manifest is cut short", FileNames.MANIFEST, at, "missing=" + base);
            }
            if (end < 0) {
                for (int later = at + 8; later < length; later += 8) {
                    if (editEnd(bytes, later, length) > 0 && forcedBefore(bytes, later) > at) {
                        throw new CorruptRecordException("bad manifest edit", FileNames.MANIFEST, at, "");
                    }
                }
                return;
            }
            long following = apply(bytes, at + Block.HEADER_LENGTH, end, base > 0);
            base = base == 0 ? 0 : base - 1 + following;
            at = end;
        }
    }

    private static long forcedBefore(byte[] bytes, int at) {
        return (long) RecordFormat.LONG.get(bytes, at + Block.HEADER_LENGTH) >>> TYPE_BITS;
    }

    private int editEnd(byte[] bytes, int at, int length) {
        if (length - at < Block.HEADER_LENGTH) {
            return -1;
        }
        int editLength = Block.length(bytes, at);
        if (editLength <= 0
                || editLength > MAX_EDIT
                || editLength > length - at - Block.HEADER_LENGTH
                || editLength % 8 != 0) {
            return -1;
        }
        boolean sound = Block.isSound(bytes, at, editLength, RecordFormat.mask(store.seed(), at));
        return sound ? at + Block.HEADER_LENGTH + editLength : -1;
    }

    /** Applies an edit; returns how many of those that follow it are part of the start of the manifest. */
    private long apply(byte[] bytes, int at, int end, boolean isStart) throws IOException {
        long[] words = new long[(end - at) / Long.BYTES];
        for (int i = 0; i < words.length; i++) {
            words[i] = (long) RecordFormat.LONG.get(bytes, at + i * Long.BYTES);
        }
        int type = (int) words[0] & (1 << TYPE_BITS) - 1;
        if (!isPossible(type, words)) {
            throw new CorruptRecordException(
                    "impossible manifest edit",
                    FileNames.MANIFEST,
                    at - Block.HEADER_LENGTH,
                    "type=" + type + ", longs=" + words.length);
        }
        if (!isStart && (type == SEAL || type == MERGE)) {
            copy = null; // it has gone its own way since
        }
        switch (type) {
            case SEAL -> applySeal(new Sealed(words[1], words[2] != 0, words[3], words[4], words[5], words[6]));
            case MERGE -> applyMerge(words);
            case STATE -> applyState(words);
            case IMAGE -> image = new Image(words[1], words[2]);
            case COPY -> copy = CopyMark.ofWords(words);
            case LINEAGE -> lineage = Lineage.ofWords(words);
            default ->
                throw new UnsupportedFormatException("unknown manifest edit: type=" + type
                        + "; open the store with the version of the library that wrote it");
        }
        return type == STATE ? words[5] : 0;
    }

    /** A right checksum does not make an edit possible: who can make files can make checksums. */
    private static boolean isPossible(int type, long[] words) {
        return switch (type) {
            case SEAL -> words.length == 7 && isFile(words[1], words[3]);
            case STATE -> words.length == 6 && isNumber(words[1]) && isNumber(words[2]);
            case IMAGE -> words.length == 3 && isNumber(words[1]);
            case MERGE -> isPossibleMerge(words);
            case COPY -> CopyMark.isPossible(words);
            case LINEAGE -> Lineage.isPossible(words);
            default -> true;
        };
    }

    private static boolean isPossibleMerge(long[] words) {
        boolean hasItsLength = words.length >= 5
                && words[3] >= 0
                && words[3] <= words.length
                && words[4] >= 0
                && words[4] <= words.length
                && words.length == 5 + words[3] + OUTPUT_WORDS * words[4];
        if (!hasItsLength || !isNumber(words[1])) {
            return false;
        }
        for (int at = 5 + (int) words[3]; at < words.length; at += OUTPUT_WORDS) {
            if (!isFile(words[at], words[at + 1])) {
                return false;
            }
        }
        return true;
    }

    private static boolean isFile(long id, long length) {
        return isNumber(id) && length >= DataFile.HEADER_LENGTH && length <= RecordFormat.MAX_FILE_LENGTH;
    }

    private static boolean isNumber(long number) {
        return number >= 0 && number <= MAX_NUMBER;
    }

    private void applySeal(Sealed sealed) {
        files.put(sealed.id(), sealed);
        highestId = Math.max(highestId, sealed.id());
        lastVersion = Math.max(lastVersion, sealed.lastVersion());
        if (!sealed.merged()) {
            lastLogId = Math.max(lastLogId, sealed.id());
            lineage = lineage.with(sealed.history(), sealed.firstVersion());
        }
    }

    private void applyMerge(long[] words) {
        highestId = Math.max(highestId, words[1]);
        changesFrom = Math.max(changesFrom, words[2]);
        image = null; // it names records of the inputs
        int inputs = (int) words[3];
        int outputs = (int) words[4];
        int at = 5;
        for (int i = 0; i < inputs; i++) {
            files.remove(words[at++]);
        }
        for (int i = 0; i < outputs; i++, at += OUTPUT_WORDS) {
            applySeal(new Sealed(words[at], true, words[at + 1], words[at + 2], words[at + 3], words[at + 4]));
        }
    }

    private void applyState(long[] words) {
        highestId = Math.max(highestId, words[1]);
        lastLogId = Math.max(lastLogId, words[2]);
        changesFrom = Math.max(changesFrom, words[3]);
        lastVersion = Math.max(lastVersion, words[4]);
    }

    StoreId store() {
        return store;
    }

    synchronized Collection<Sealed> files() {
        return new ArrayList<>(files.values());
    }

    /** Returns the greatest number that a listed file has or had, or that was set aside for a merge. */
    synchronized long highestId() {
        return highestId;
    }

    /** Returns the number of the last file sealed that writers wrote, even if a merge has replaced it since. */
    synchronized long lastLogId() {
        return lastLogId;
    }

    /** Returns the version after which every change is still in the files that writers wrote. */
    synchronized long changesFrom() {
        return changesFrom;
    }

    /** Returns what was last noted with {@link #noteClock}; empty if nothing was. */
    long[] clockNote() {
        return clock.longs();
    }

    synchronized long lastVersion() {
        return lastVersion;
    }

    /** Returns the image of the key index that is as good as the log up to some place, if there is one. */
    synchronized @Nullable Image image() {
        return image;
    }

    /** Returns what this directory is a copy of, if it is one and nothing was written to it since. */
    synchronized @Nullable CopyMark copy() {
        return copy;
    }

    /** Says what the next {@link #rewrite} will call this directory; null for a store of its own. */
    synchronized void noteCopy(@Nullable CopyMark newCopy) {
        copy = newCopy;
    }

    /** Returns which histories this store has been through. */
    synchronized Lineage lineage() {
        return lineage;
    }

    /** Has the next {@link #rewrite} name the histories of the store that this one is a copy of. */
    synchronized void noteLineage(Lineage newLineage) {
        lineage = newLineage;
    }

    /** Leaves the image out of the next {@link #rewrite}. */
    synchronized void dropImage() {
        image = null;
    }

    /** Notes state that the next {@link #rewrite} will keep. */
    synchronized void noteState(long newHighestId, long newChangesFrom, long newLastVersion) {
        applyState(new long[] {STATE, newHighestId, 0, newChangesFrom, newLastVersion, 0});
    }

    /** Has the next {@link #rewrite} keep another manifest's note of the clock. */
    void setClockNote(long[] note) {
        clock.set(note);
    }

    /** Notes a sealed file that the next {@link #rewrite} will list. */
    synchronized void noteSealed(Sealed sealed) {
        applySeal(sealed);
    }

    /** Replaces the manifest on disk by one that lists what this one lists, and opens it for more edits. */
    void rewrite(IoManager io) throws IOException {
        change(() -> replace(io));
    }

    private void replace(IoManager io) throws IOException {
        closeFile();
        String newName = freeName(io);
        WritableFile fresh = io.create(newName, 0);
        try {
            fresh.write(0, start(), 0, START);
            end = START;
            forced = 0;
            Image kept = image;
            CopyMark keptCopy = copy;
            int following = files.size()
                    + (kept == null ? 0 : 1)
                    + (keptCopy == null ? 0 : 1)
                    + (lineage == Lineage.EMPTY ? 0 : 1);
            append(fresh, new long[] {STATE, highestId, lastLogId, changesFrom, lastVersion, following});
            for (Sealed sealed : files.values()) {
                append(fresh, sealWords(sealed));
            }
            if (kept != null) {
                append(fresh, imageWords(kept));
            }
            if (keptCopy != null) {
                append(fresh, keptCopy.words(COPY));
            }
            if (lineage != Lineage.EMPTY) {
                append(fresh, lineage.words(LINEAGE));
            }
            // The rename must not reach the disk before the content that it makes valid.
            fresh.force();
            forced = end;
        } finally {
            fresh.close();
        }
        io.rename(newName, FileNames.MANIFEST);
        io.syncDirectory();
        file = io.openWritable(FileNames.MANIFEST);
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

    /** A change of the file. */
    private interface Change {
        void make() throws IOException;
    }

    /** Changes the file, and then writes the clock's note that came meanwhile. */
    private void change(Change change) throws IOException {
        changing.lock();
        try {
            synchronized (this) {
                change.make();
            }
        } finally {
            changing.unlock();
        }
        if (isOpen()) {
            writeWaitingNote();
        }
    }

    private synchronized boolean isOpen() {
        return file != null && failed == null;
    }

    private void writeWaitingNote() {
        try {
            clock.writeWaiting(this::writeClock);
        } catch (IOException e) {
            // What was to be done is done. The next expiry that is told writes the whole note again.
            logger().warn("the clock's note could not be written, will try again: {}", e.toString());
        }
    }

    /**
     * Notes what the clock is not to forget; survives the death of the process. Does not wait for a force: while somebody
     * changes the file, it is left to him, and written when he is done.
     *
     * @param latest returns the note as it is when it is written
     */
    void noteClock(Supplier<long[]> latest) throws IOException {
        clock.note(latest, this::writeClock);
    }

    private synchronized void writeClock(long offset, byte[] slot) throws IOException {
        open().write(offset, slot, 0, slot.length);
    }

    /** Lists sealed files, durably. */
    void seal(List<Sealed> sealed) throws IOException {
        change(() -> {
            for (Sealed each : sealed) {
                append(open(), sealWords(each));
            }
            force();
            copy = null;
            sealed.forEach(this::applySeal);
        });
    }

    /** Replaces the inputs of a merge by its outputs, durably and at once. */
    void merge(long highest, long newChangesFrom, Collection<Long> inputs, List<Sealed> outputs) throws IOException {
        long[] words = new long[5 + inputs.size() + OUTPUT_WORDS * outputs.size()];
        words[0] = MERGE;
        words[1] = highest;
        words[2] = newChangesFrom;
        words[3] = inputs.size();
        words[4] = outputs.size();
        int at = 5;
        for (long input : inputs) {
            words[at++] = input;
        }
        for (Sealed output : outputs) {
            words[at++] = output.id();
            words[at++] = output.length();
            words[at++] = output.firstVersion();
            words[at++] = output.lastVersion();
            words[at++] = output.history();
        }
        change(() -> {
            appendAndForce(words);
            copy = null;
            applyMerge(words);
        });
    }

    /** Lets an image take the place of the one before, durably. */
    void publish(Image fresh) throws IOException {
        change(() -> {
            appendAndForce(imageWords(fresh));
            image = fresh;
        });
    }

    private void appendAndForce(long[] words) throws IOException {
        append(open(), words);
        force();
    }

    private void force() throws IOException {
        try {
            open().force();
            forced = end;
        } catch (IOException e) {
            // Not an error of space, even if the system calls it so: what reached the disk is not known. So nothing may
            // be appended behind it any more, or a hole in the middle of the manifest could make the store unreadable.
            failed = new IOException("force failed: file=" + FileNames.MANIFEST, e);
            throw failed;
        }
    }

    private WritableFile open() throws IOException {
        WritableFile current = file;
        if (current == null) {
            throw new IllegalStateException("manifest is not open for writing");
        }
        if (failed != null) {
            throw new IOException("an earlier force of the manifest failed: " + failed, failed);
        }
        return current;
    }

    private void append(WritableFile target, long[] words) throws IOException {
        byte[] edit = new byte[Block.HEADER_LENGTH + words.length * Long.BYTES];
        for (int i = 0; i < words.length; i++) {
            RecordFormat.LONG.set(edit, Block.HEADER_LENGTH + i * Long.BYTES, words[i]);
        }
        RecordFormat.LONG.set(edit, Block.HEADER_LENGTH, words[0] | forced << TYPE_BITS);
        Block.seal(edit, words.length * Long.BYTES, RecordFormat.mask(store.seed(), end));
        target.write(end, edit, 0, edit.length);
        end += edit.length; // after a failed write the same place is written again
    }

    private byte[] start() {
        byte[] start = new byte[START];
        System.arraycopy(
                FileHeader.seal(FileHeader.begin(MAGIC, FORMAT_VERSION, store)), 0, start, 0, FileHeader.LENGTH);
        clock.placeIn(start);
        return start;
    }

    private static long[] sealWords(Sealed sealed) {
        return new long[] {
            SEAL,
            sealed.id(),
            sealed.merged() ? 1 : 0,
            sealed.length(),
            sealed.firstVersion(),
            sealed.lastVersion(),
            sealed.history()
        };
    }

    private static long[] imageWords(Image image) {
        return new long[] {IMAGE, image.number(), image.nonce()};
    }

    @Override
    public void close() throws IOException {
        change(this::closeFile);
    }

    private void closeFile() throws IOException {
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
        return "Manifest" + Arrays.toString(files.values().toArray());
    }
}
