package dev.caskwright.bitcask.log.append;

import dev.caskwright.api.EngineException;
import dev.caskwright.api.ErrorCode;
import dev.caskwright.api.Outcome;
import dev.caskwright.api.spi.Causes;
import dev.caskwright.api.spi.io.IoManager;
import dev.caskwright.api.spi.log.RecordLogOptions;
import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.file.FileSlots;
import dev.caskwright.bitcask.log.format.KeyNote;
import dev.caskwright.bitcask.log.format.Locator;
import dev.caskwright.bitcask.log.format.LogPosition;
import dev.caskwright.bitcask.log.format.RecordFormat;
import dev.caskwright.bitcask.log.format.StoreId;
import dev.caskwright.bitcask.log.hint.HintBuilder;
import dev.caskwright.bitcask.log.keys.KeyRing;
import java.io.IOException;
import java.util.zip.CRC32C;
import org.jspecify.annotations.Nullable;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The file that is appended to: gives records their places in it, writes them, and keeps its hints. The log says when it
 * goes on to another file. Under the write lock, but for what says otherwise.
 */
public final class ActiveFile {
    /** What is written over the header of a record that is not to be found. */
    private static final byte[] NO_RECORD = new byte[2 * RecordFormat.ALIGNMENT];

    private final IoManager io;
    private final StoreId store;
    private final FileSlots slots;
    private final GroupCommit commit;
    private final DeleteReserve reserve;
    private final RecordLogOptions options;
    private final @Nullable EncryptedAppends encrypted; // null if writes are not encrypted
    private final EncodedDraft markDraft = new EncodedDraft();
    private final CRC32C batchCrc = new CRC32C();
    private final DraftWriter writer = new DraftWriter();
    private final Runnable writingHints = new Runnable() {
        @Override
        public void run() {
            HintBuilder now = hints;
            if (now != null) {
                now.writeAhead();
            }
        }

        @Override
        public String toString() {
            return "writing hints";
        }
    };

    /** Made in time, for when there is no memory to say more. */
    private final EngineException noMemory =
            new EngineException(ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "nothing was written: no memory", null);

    private volatile @Nullable DataFile file; // changes under the write lock, like all that follows
    private volatile @Nullable HintBuilder hints;
    private long writtenBytes;
    private long end; // position after the last record, also when there is no file

    public ActiveFile(
            IoManager io,
            StoreId store,
            FileSlots slots,
            GroupCommit commit,
            DeleteReserve reserve,
            RecordLogOptions options,
            KeyRing keys) {
        this.io = io;
        this.store = store;
        this.slots = slots;
        this.commit = commit;
        this.reserve = reserve;
        this.options = options;
        this.encrypted = keys.encrypts() ? new EncryptedAppends() : null;
    }

    /** Says where the log ends when it was opened. */
    public void start(long position) {
        end = position;
    }

    /** Goes on with a file that has its header and nothing else. */
    public void begin(DataFile fresh) {
        file = fresh;
    }

    /** Lets go of the file, which is left. */
    public void clear() {
        file = null;
        hints = null;
    }

    /** Returns the file, null if there is none. For any thread. */
    public @Nullable DataFile file() {
        return file;
    }

    public DataFile inUse() {
        DataFile now = file;
        if (now == null) {
            throw new IllegalStateException("no file is active");
        }
        return now;
    }

    /** Returns the hints of the file, null if there are none. For any thread. */
    public @Nullable HintBuilder hintsIfAny() {
        return hints;
    }

    /** Returns the position after the last record. */
    public long end() {
        return end;
    }

    /** Returns how much was appended since the log was opened. */
    public long writtenBytes() {
        return writtenBytes;
    }

    /** Returns how much room a record takes. */
    public long length(EncodedDraft draft) {
        return encrypted == null ? draft.length() : EncryptedAppends.length(draft);
    }

    /** Returns how much room a batch takes. */
    public long length(EncodedBatch batch) {
        return (encrypted == null ? batch.length() : EncryptedAppends.length(batch)) + RecordFormat.BATCH_END_LENGTH;
    }

    /** Appends a record, for which there is room; returns its locator. */
    public long append(EncodedDraft draft, long version) throws IOException {
        EncryptedAppends encryption = encrypted;
        DataFile target;
        long offset;
        long length = length(draft);
        try {
            target = inUse();
            offset = target.length();
            draft.place(version, distance(target, offset), target.mask(offset));
            if (encryption != null) {
                encryption.clear();
                encryption.add(draft, 0, target, offset);
            }
            prepareHints(target);
        } catch (RuntimeException | Error e) {
            forgetEncrypted();
            throw notAppended(e);
        }
        write(target, offset, draft);
        // From here on nothing takes memory: the record is in the log, and all that counts it must follow.
        target.noteVersion(version);
        long locator = locator(target, offset, draft.bytes(), 0, length);
        target.addLive(addHint(draft.bytes(), 0, locator));
        extend(target, offset + length);
        return locator;
    }

    private static long locator(DataFile file, long offset, byte[] record, int at, long length) {
        boolean expires = (RecordFormat.kind(record, at) & RecordFormat.EXPIRES) != 0;
        return Locator.of(file.slot(), offset, length, expires);
    }

    private void extend(DataFile file, long length) {
        writtenBytes += length - file.length();
        file.extendTo(length);
        end = LogPosition.of(file.id(), length);
    }

    /** Appends a batch, for which there is room; returns the locators of its records. */
    public long[] appendBatch(EncodedBatch batch, long firstVersion) throws IOException {
        DataFile target;
        long[] locators;
        try {
            target = inUse();
            locators = encrypted == null
                    ? place(target, batch, firstVersion)
                    : placeEncrypted(encrypted, target, batch, firstVersion);
            prepareHints(target);
        } catch (RuntimeException | Error e) {
            forgetEncrypted();
            throw notAppended(e);
        }
        long offset = write(target, target.length(), batch);
        // From here on nothing takes memory, as in append().
        int members = 0;
        long live = 0;
        for (int i = 0; i < batch.chunkCount(); i++) {
            EncodedDraft chunk = batch.chunk(i);
            byte[] bytes = chunk.bytes();
            for (long at = 0; at < chunk.copiedLength() && members < locators.length; members++) {
                live += addHint(bytes, (int) at, locators[members]);
                at += RecordFormat.recordLength(bytes, (int) at);
            }
        }
        target.addLive(live);
        target.noteVersion(firstVersion);
        target.noteVersion(firstVersion + locators.length - 1);
        extend(target, offset);
        return locators;
    }

    /** Gives the records of a batch their places at the end of a file, and the batch its end. */
    private long[] place(DataFile file, EncodedBatch batch, long firstVersion) {
        long[] locators = new long[batch.size()];
        long offset = file.length();
        int placed = 0;
        batchCrc.reset();
        for (int i = 0; i < batch.chunkCount(); i++) {
            EncodedDraft chunk = batch.chunk(i);
            byte[] bytes = chunk.bytes();
            for (long at = 0; at < chunk.copiedLength(); placed++) {
                chunk.place((int) at, firstVersion + placed, distance(file, offset), file.mask(offset));
                RecordFormat.updateBatchChecksum(batchCrc, RecordFormat.headerChecksum(bytes, (int) at));
                long length = RecordFormat.recordLength(bytes, (int) at);
                locators[placed] = locator(file, offset, bytes, (int) at, length);
                offset += length;
                at += length; // past the end, if the value is elsewhere
            }
        }
        EncodedDraft last = batch.end((int) batchCrc.getValue());
        last.place(
                last.copiedLength() - RecordFormat.BATCH_END_LENGTH,
                firstVersion + placed - 1,
                distance(file, offset),
                file.mask(offset));
        return locators;
    }

    /** As {@link #place}, of a batch that is encrypted while its records get their places. */
    private long[] placeEncrypted(EncryptedAppends encryption, DataFile file, EncodedBatch batch, long firstVersion) {
        long[] locators = new long[batch.size()];
        long offset = file.length();
        int placed = 0;
        batchCrc.reset();
        encryption.clear();
        for (int i = 0; i < batch.chunkCount(); i++) {
            EncodedDraft chunk = batch.chunk(i);
            byte[] bytes = chunk.bytes();
            for (long at = 0; at < chunk.copiedLength(); placed++) {
                chunk.place((int) at, firstVersion + placed, distance(file, offset), file.mask(offset));
                long length = encryption.add(chunk, (int) at, file, offset);
                RecordFormat.updateBatchChecksum(batchCrc, encryption.headerChecksum());
                locators[placed] = locator(file, offset, bytes, (int) at, length);
                offset += length;
                at += RecordFormat.recordLength(bytes, (int) at);
            }
        }
        markDraft.clear();
        markDraft.addBatchEnd(placed, (int) batchCrc.getValue());
        markDraft.place(firstVersion + placed - 1, distance(file, offset), file.mask(offset));
        encryption.addMark(markDraft);
        return locators;
    }

    /** Encrypted records are longer, by less than as much again. */
    public long maxBatchLength() {
        long most = RecordFormat.MAX_FILE_LENGTH
                - DataFile.HEADER_LENGTH
                - RecordFormat.BATCH_END_LENGTH
                - RecordFormat.END_OF_FILE_LENGTH;
        return encrypted == null ? most : (most - KeyNote.LENGTH) / 2;
    }

    /** Writes the mark that ends the file. */
    public void writeEnd() throws IOException {
        DataFile old = inUse();
        long offset = old.length();
        markDraft.endFile();
        markDraft.place(old.lastVersion(), distance(old, offset), old.mask(offset));
        try {
            writer.write(old, offset, markDraft);
        } catch (RuntimeException | Error e) {
            throw notAppended(e); // a mark that is there all the same does no harm: the next record comes over it
        }
        extend(old, offset + markDraft.length());
    }

    /** Adds a record to the hints of the active file; returns how many bytes of it are live. */
    private long addHint(byte[] record, int at, long locator) {
        int kind = RecordFormat.kind(record, at);
        boolean isTombstone = (kind & RecordFormat.KIND_MASK) == RecordFormat.DELETE;
        hints().add(
                        isTombstone ? RecordFormat.DELETE : RecordFormat.PUT,
                        Locator.withoutSlot(locator),
                        (kind & RecordFormat.EXPIRES) == 0 ? 0 : RecordFormat.expiresAt(record, at),
                        record,
                        at + RecordFormat.headerLength(kind),
                        RecordFormat.keyLength(record, at));
        return isTombstone ? 0 : Locator.size(locator);
    }

    /** Returns the hints of the file that is appended to. Under the write lock. */
    public HintBuilder hints() {
        HintBuilder now = hints;
        if (now == null) {
            throw new IllegalStateException("no file is active");
        }
        return now;
    }

    private void askForHintWriting() {
        try {
            options.maintenance().execute(writingHints);
        } catch (RuntimeException | Error e) {
            logger().debug("hints are written by the writer, the executor refuses: {}", e.toString());
        }
    }

    /** Takes the memory that the hints of the file need to begin with. */
    public HintBuilder prepareHints() {
        return prepareHints(inUse());
    }

    private HintBuilder prepareHints(DataFile file) {
        HintBuilder now = hints;
        if (now == null) {
            now = new HintBuilder(io, store, file, this::askForHintWriting);
            reserve.begin(now, file, otherBytes(file));
            hints = now;
        }
        reserve.growWith(now, file);
        return now;
    }

    private long otherBytes(DataFile file) {
        long bytes = 0;
        for (DataFile each : slots.inOrder()) {
            bytes += each == file ? 0 : each.length();
        }
        return bytes;
    }

    private void write(DataFile file, long offset, EncodedDraft draft) throws IOException {
        try {
            if (encrypted == null) {
                writer.write(file, offset, draft);
            } else {
                encrypted.write(file, offset);
            }
        } catch (RuntimeException | Error e) {
            throw endedAbruptly(file, offset, e);
        }
    }

    /** Returns the offset after the batch. */
    private long write(DataFile file, long start, EncodedBatch batch) throws IOException {
        long offset = start;
        try {
            if (encrypted != null) {
                return encrypted.write(file, start);
            }
            for (int i = 0; i < batch.chunkCount(); i++) {
                writer.writeInBatch(file, offset, batch.chunk(i));
                offset += batch.chunk(i).length();
            }
        } catch (RuntimeException | Error e) {
            throw endedAbruptly(file, start, e);
        }
        return offset;
    }

    /**
     * Takes back what a write left that ended in an error, like a want of memory: how much of it was done is not known, and
     * a whole record would be found after a restart. The next write goes to the same place.
     */
    private EngineException endedAbruptly(DataFile file, long offset, Throwable e) {
        try {
            file.writable().write(offset, NO_RECORD, 0, NO_RECORD.length);
            commit.force(); // a force may just have made the record durable
        } catch (IOException | RuntimeException | Error second) {
            Causes.add(e, second);
            return new EngineException(
                    ErrorCode.UNAVAILABLE,
                    Outcome.UNKNOWN,
                    "a write ended abruptly; it is not visible, but may be after a crash before the next write: " + e,
                    e);
        }
        return notAppended(e);
    }

    /** Lets go of what was encrypted for an append that failed: it may be as long as a batch. */
    private void forgetEncrypted() {
        EncryptedAppends encryption = encrypted;
        if (encryption != null) {
            encryption.clear();
        }
    }

    /** Says that something failed before anything was appended. */
    public EngineException notAppended(Throwable e) {
        try {
            return new EngineException(
                    ErrorCode.UNAVAILABLE, Outcome.NOT_APPLIED, "nothing was written, try again: " + e, e);
        } catch (OutOfMemoryError none) {
            return noMemory;
        }
    }

    private int distance(DataFile file, long offset) {
        long durable = commit.durable();
        if (durable < LogPosition.of(file.id(), file.start())) {
            return RecordFormat.DISTANCE_UNKNOWN;
        }
        return Locator.sizeClass(offset - LogPosition.offset(durable));
    }

    private static Logger logger() {
        return LoggerFactory.getLogger(ActiveFile.class);
    }
}
