package dev.caskwright.bitcask.log.file;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.spi.io.ReadableFile;
import dev.caskwright.api.spi.io.WritableFile;
import dev.caskwright.api.spi.log.LogSegment;
import dev.caskwright.bitcask.log.format.Expiries;
import dev.caskwright.bitcask.log.format.FileHeader;
import dev.caskwright.bitcask.log.format.FileNames;
import dev.caskwright.bitcask.log.format.FormatVersions;
import dev.caskwright.bitcask.log.format.KeyNote;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.keys.FileKey;
import java.io.IOException;
import java.lang.invoke.MethodHandles;
import java.lang.invoke.VarHandle;
import java.util.Arrays;
import java.util.Map;
import java.util.concurrent.atomic.AtomicLong;
import org.jspecify.annotations.Nullable;

/**
 * One file of records, from the moment it has a slot until its last reader has gone.
 *
 * <p>The handle changes once in a file's life, when writers have left it: readers fetch it for each read. The old one
 * stays for the force, and is closed when the file is sealed.
 *
 * <pre>
 * 0      8               12      16               32       40           48        56      60         64
 * | magic | formatVersion | flags | storeId: 2 x 8 | fileId | previousId | history | zeros | checksum | records ...
 * </pre>
 *
 * <p>In an encrypted file, which has a format version of its own, a {@link KeyNote} lies between header and records, and
 * each put and delete is encrypted.
 */
public final class DataFile implements LogSegment {
    public static final int HEADER_LENGTH = FileHeader.LENGTH;
    static final int FORMAT_VERSION = 1;

    /** That of an encrypted file. */
    static final int ENCRYPTED_VERSION = 2;

    private static final int ID_OFFSET = 32;
    private static final int PREVIOUS_ID_OFFSET = 40;
    private static final int HISTORY_OFFSET = 48;

    private static final long MAGIC = 0x41_54_41_44_4B_53_41_43L; // "CASKDATA"

    private static final VarHandle LENGTH;

    static {
        try {
            LENGTH = MethodHandles.lookup().findVarHandle(DataFile.class, "length", long.class);
        } catch (ReflectiveOperationException e) {
            throw new ExceptionInInitializerError(e);
        }
    }

    private final long id;
    private final int slot;
    private final boolean merged;
    private final long seed;
    private long history; // set before the file is known to others than who opens the store, as is the key
    private @Nullable FileKey key;
    private final AtomicLong liveBytes = new AtomicLong();

    private volatile ReadableFile handle;
    private volatile @Nullable WritableFile writable;

    @SuppressWarnings("UnusedVariable") // read through LENGTH
    private long length; // set with release after the bytes are there

    private volatile boolean sealed;
    private volatile boolean hinted;
    private volatile long hintSum;
    private volatile @Nullable Expiries expiries;
    private long firstVersion; // both change under the engine's write lock, and not once sealed
    private long lastVersion;

    public DataFile(long id, int slot, boolean merged, long storeSeed, ReadableFile handle, long length) {
        this.id = id;
        this.slot = slot;
        this.merged = merged;
        this.seed = RecordFormat.fileSeed(storeSeed, id);
        this.handle = handle;
        this.length = length;
    }

    /** Makes a new file that has all that comes before its first record, and is to be written to. */
    public DataFile(
            long id,
            int slot,
            boolean merged,
            long storeSeed,
            WritableFile handle,
            long history,
            @Nullable FileKey key) {
        this(id, slot, merged, storeSeed, handle, start(noteOf(key)));
        this.history = history;
        this.key = key;
        this.writable = handle;
    }

    @Override
    public long id() {
        return id;
    }

    @Override
    public String name() {
        return merged ? FileNames.merged(id) : FileNames.data(id);
    }

    @Override
    public int slot() {
        return slot;
    }

    @Override
    public boolean isMerged() {
        return merged;
    }

    public ReadableFile handle() {
        return handle;
    }

    /** Says that the handle is one to write with. */
    public void openForWriting(WritableFile writableHandle) {
        writable = writableHandle;
    }

    /** The handle of a file that is not sealed, to write to it until writers leave, and to force it. */
    public WritableFile writable() {
        WritableFile open = writable;
        if (open == null) {
            throw new IllegalStateException("the file is sealed: file=" + name());
        }
        return open;
    }

    /** Replaces the handle; the caller closes the old one once no reader can hold it. */
    public ReadableFile exchangeHandle(ReadableFile newHandle) {
        ReadableFile old = handle;
        handle = newHandle;
        return old;
    }

    /** Returns whether readers have a handle of their own already. */
    public boolean hasReadersHandle() {
        return handle != writable;
    }

    /** Closes the handle for writing, which no reader can hold. */
    public void closeWritable() throws IOException {
        WritableFile open = writable;
        writable = null;
        if (open != null) {
            open.close();
        }
    }

    /** Closes all handles. */
    public void close() throws IOException {
        try {
            if (hasReadersHandle()) {
                handle.close();
            }
        } finally {
            closeWritable();
        }
    }

    @Override
    public long length() {
        return (long) LENGTH.getAcquire(this);
    }

    public void extendTo(long newLength) {
        LENGTH.setRelease(this, newLength);
    }

    @Override
    public boolean isSealed() {
        return sealed;
    }

    public void markSealed() {
        sealed = true;
    }

    /** Returns whether the file has a hint file, sound or not. */
    public boolean hasHints() {
        return hinted;
    }

    public void markHinted() {
        hinted = true;
    }

    /** Returns the sum of the hint file that is to be believed; 0 if none is. */
    public long hintSum() {
        return hintSum;
    }

    public void setHintSum(long sum) {
        hintSum = sum;
    }

    /** Adds the sum of the hint file, if there is one. */
    public void putHintSum(Map<Long, Long> sums) {
        if (hinted && hintSum != 0) {
            sums.put(id, hintSum);
        }
    }

    /** Returns when the puts of the file expire, if that is known; it does not change once the file is sealed. */
    public @Nullable Expiries expiries() {
        return expiries;
    }

    public void setExpiries(Expiries known) {
        expiries = known;
    }

    /** Says that the hint file is gone. */
    public void markUnhinted() {
        hinted = false;
        hintSum = 0;
    }

    public Manifest.Sealed sealedEntry() {
        return new Manifest.Sealed(id, merged, length(), firstVersion, lastVersion, history);
    }

    @Override
    public long liveBytes() {
        return liveBytes.get();
    }

    /** Counts bytes of a record that the index refers to now, or with a negative number, not any more. */
    public void addLive(long bytes) {
        liveBytes.addAndGet(bytes);
    }

    @Override
    public long deadBytes() {
        return Math.max(0, length() - start() - liveBytes.get());
    }

    /** Returns the least version in the file; 0 if it has no records. */
    public long firstVersion() {
        return firstVersion;
    }

    @Override
    public long lastVersion() {
        return lastVersion;
    }

    public void noteVersion(long version) {
        if (firstVersion == 0 || version < firstVersion) {
            firstVersion = version;
        }
        if (version > lastVersion) {
            lastVersion = version;
        }
    }

    public void setVersions(long first, long last) {
        firstVersion = first;
        lastVersion = last;
    }

    /** Returns the random number of the opening that made the file. */
    public long history() {
        return history;
    }

    public void setHistory(long newHistory) {
        history = newHistory;
    }

    /** Returns what the records are encrypted by; null if they are not. */
    public @Nullable FileKey key() {
        return key;
    }

    /** Says what the records are encrypted by. The file has no records as far as is known, or its length already. */
    public void setKey(@Nullable FileKey newKey) {
        key = newKey;
        if (length() < start()) {
            extendTo(start());
        }
    }

    /** Returns where the first record is. */
    public int start() {
        return start(noteOf(key));
    }

    private static @Nullable KeyNote noteOf(@Nullable FileKey key) {
        return key == null ? null : key.note();
    }

    private static int start(@Nullable KeyNote note) {
        return note == null ? HEADER_LENGTH : HEADER_LENGTH + KeyNote.LENGTH;
    }

    /** Returns whether a record in this file can have this version: of a sealed file, the least and the greatest are known. */
    public boolean canHaveVersion(long version) {
        return version <= (sealed ? lastVersion : RecordFormat.LAST_VERSION) && version >= (sealed ? firstVersion : 1);
    }

    public int mask(long offset) {
        return RecordFormat.mask(seed, offset);
    }

    public CorruptRecordException corrupt(String rule, long offset, String details) {
        return new CorruptRecordException(rule, name(), offset, details);
    }

    /**
     * Returns all that a file has before its first record.
     *
     * @param note of the key that it is encrypted by; null if it is not
     */
    public static byte[] encodeHeader(StoreId store, long id, long previousId, long history, @Nullable KeyNote note) {
        byte[] header = FileHeader.begin(MAGIC, note == null ? FORMAT_VERSION : ENCRYPTED_VERSION, store);
        RecordFormat.LONG.set(header, ID_OFFSET, id);
        RecordFormat.LONG.set(header, PREVIOUS_ID_OFFSET, previousId);
        RecordFormat.LONG.set(header, HISTORY_OFFSET, history);
        FileHeader.seal(header);
        if (note == null) {
            return header;
        }
        byte[] longer = Arrays.copyOf(header, start(note));
        note.encode(longer, HEADER_LENGTH);
        return longer;
    }

    /** What a sound header says; {@code note} is null if the file is not encrypted, or its note is not sound. */
    public record Header(
            StoreId store,
            long id,
            long previousId,
            long history,
            boolean isEncrypted,
            @Nullable KeyNote note) {}

    /** Returns what the header says, or null if it is not sound, with what says by which key the file is encrypted. */
    public static @Nullable Header header(ReadableFile file) throws IOException {
        Header header = headerAlone(file);
        return header != null && header.isEncrypted() && header.note() == null ? null : header;
    }

    /** As {@link #header(ReadableFile)}, also if the note after it is not sound. */
    public static @Nullable Header headerAlone(ReadableFile file) throws IOException {
        byte[] header = new byte[HEADER_LENGTH];
        if (!FileHeader.isSound(header, file.read(0, header, 0, HEADER_LENGTH), MAGIC)) {
            return null;
        }
        boolean isEncrypted = FileHeader.formatVersion(header) == ENCRYPTED_VERSION;
        if (!isEncrypted) {
            FormatVersions.check(file.name(), FileHeader.formatVersion(header), FORMAT_VERSION);
        }
        return new Header(
                FileHeader.store(header),
                (long) RecordFormat.LONG.get(header, ID_OFFSET),
                (long) RecordFormat.LONG.get(header, PREVIOUS_ID_OFFSET),
                (long) RecordFormat.LONG.get(header, HISTORY_OFFSET),
                isEncrypted,
                isEncrypted ? KeyNote.read(file, HEADER_LENGTH) : null);
    }

    /**
     * Returns what the header of a store's file with this number says, or null if it is not sound.
     *
     * @throws CorruptRecordException if it is sound and that of another file
     */
    public static @Nullable Header header(ReadableFile file, StoreId store, long id) throws IOException {
        Header header = header(file);
        checkIdentity(file, header, store, id);
        return header;
    }

    private static void checkIdentity(ReadableFile file, @Nullable Header header, StoreId store, long id)
            throws CorruptRecordException {
        if (header != null && (!header.store().equals(store) || header.id() != id)) {
            throw new CorruptRecordException("a file of another store or with another number", file.name(), 0, "");
        }
    }

    /**
     * Returns the header of a listed file, or null if it is not sound; the note after it may not be.
     *
     * @throws CorruptRecordException if it is sound and that of another file, or of this one in another history
     */
    public static @Nullable Header headerOf(Manifest.Sealed sealed, ReadableFile file, StoreId store)
            throws IOException {
        Header header = headerAlone(file);
        checkHistory(sealed, file, header, store);
        return header;
    }

    /**
     * Checks that a header is that of a listed file.
     *
     * @param header null if it is not sound
     */
    public static void checkHistory(Manifest.Sealed sealed, ReadableFile file, @Nullable Header header, StoreId store)
            throws CorruptRecordException {
        checkIdentity(file, header, store, sealed.id());
        if (header != null && header.history() != sealed.history()) {
            throw new CorruptRecordException(
                    "a file of another history of this store",
                    file.name(),
                    0,
                    "expected=" + Long.toHexString(sealed.history()) + ", found=" + Long.toHexString(header.history()));
        }
    }
}
