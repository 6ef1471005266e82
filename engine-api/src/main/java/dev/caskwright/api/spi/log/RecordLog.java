package dev.caskwright.api.spi.log;

import dev.caskwright.api.CorruptRecordException;
import dev.caskwright.api.EncryptionStats;
import dev.caskwright.api.spi.index.KeyFilter;
import dev.caskwright.api.spi.io.IoManager;
import java.io.Closeable;
import java.io.IOException;
import java.util.List;
import org.jspecify.annotations.Nullable;

/**
 * A log of records in segments: what an engine writes to and reads from. It knows records, not how keys are found, nor
 * which records are current: order between versions of a key, liveness and tombstones are the engine's.
 *
 * <p><b>Order.</b> The log is the row of its segments by {@link LogSegment#id()}, and within each the row of its records.
 * Of two records of a key the later one counts. A merge writes its outputs under ids that were set aside before any
 * segment that is written to after it began.
 *
 * <p><b>Threads.</b> Methods that append ({@link #append}, {@link #appendBatch}, {@link #leaveActive}, {@link #beginMerge},
 * {@link LogImages#begin}) and {@link #position} and {@link #active} are called under the engine's write lock. All others may run in any thread.
 *
 * <p><b>Durability.</b> What was appended survives the death of the process when the call returns, and a power loss after
 * {@link #sync} up to its position. Recovery keeps a prefix of the log that contains at least everything durable; a batch
 * is kept whole or not at all.
 *
 * <p><b>Files.</b> Before the log closes or deletes a file that a reader could hold, it awaits all readers ({@link
 * RecordLogOptions#awaitReaders}).
 */
public interface RecordLog extends Closeable {
    /** Returns a draft to encode records with, for one thread at a time. */
    RecordDraft newDraft();

    /** Returns a draft to encode batches with, for one thread at a time. */
    BatchDraft newBatchDraft();

    /**
     * Appends a record and returns its locator.
     *
     * @param version the version of the write, greater than any before
     * @param willSync whether a sync up to this record follows at once
     * @throws dev.caskwright.api.EngineException if nothing was appended and the log goes on: {@link
     *     dev.caskwright.api.OutOfSpaceException} if there is no space, another one if something else was refused, such as
     *     a descriptor for a new file. The outcome says whether the record could be there after a restart. Any other
     *     exception or error leaves the log in doubt, and nothing is appended to it any more
     */
    long append(RecordDraft draft, long version, boolean willSync) throws IOException;

    /**
     * Appends the records of a batch, which after any crash are all in the log or none, and returns their locators.
     *
     * @param firstVersion the version of the first record; each has one more
     */
    long[] appendBatch(BatchDraft batch, long firstVersion, boolean willSync) throws IOException;

    /** Returns the greatest length that the records of a batch can have together, in bytes. */
    long maxBatchLength();

    /** Returns the position after the last record. Positions grow. */
    long position();

    /**
     * Makes the log durable up to a position. Concurrent calls share a force.
     *
     * @throws dev.caskwright.api.EngineException of outcome APPLIED if nothing was forced, and it may be tried again
     * @throws IOException if a force failed, now or earlier
     */
    void sync(long position) throws IOException;

    /** Returns a position up to which the log is known to be durable. It does not go back. */
    long durablePosition();

    /** Leaves the segment that is appended to; the next append starts a new one. */
    void leaveActive() throws IOException;

    /** Seals every segment that was left: makes it durable and part of the store for good. */
    void sealLeft() throws IOException;

    /** Returns a reader for one thread. */
    RecordReader newReader();

    /** Returns a scanner over the records of a segment up to an offset; the caller keeps the segment from being removed. */
    RecordScanner scan(LogSegment segment, long end);

    /** Returns the segments by the slot in a locator; entries may be null. The array does not change. */
    @Nullable LogSegment[] slots();

    /** Returns the segments in the order of the log. */
    List<LogSegment> segments();

    /** Returns the segment that is appended to, if there is one. */
    @Nullable LogSegment active();

    /**
     * Returns the segment of a locator. The caller is a reader, or holds the write lock.
     *
     * @throws CorruptRecordException if there is none: the index was filled from an image that says what it should not
     */
    LogSegment segment(long locator) throws CorruptRecordException;

    /** Returns whether the record at a locator has an expiry. */
    boolean expires(long locator);

    /** Returns whether the first locator is later in the log than the second. One without a segment is before all. */
    boolean isAfter(long locator, long other);

    /** Counts the record at a locator as one that the index refers to. Appending does so for puts. */
    void markLive(long locator);

    /** Counts the record at a locator, if it has a segment, as one that the index does not refer to any more. */
    void markDead(long locator);

    /** Returns a filter of the keys in a sealed segment, or null if there is none. */
    @Nullable KeyFilter keyFilter(LogSegment segment) throws IOException;

    /** Receives tombstones. */
    @FunctionalInterface
    interface TombstoneVisitor {
        /** Takes the key of a tombstone, and where that is. */
        void visit(byte[] source, int keyOffset, int keyLength, long locator) throws IOException;
    }

    /**
     * Visits the tombstones of a segment in order. They may be told by a cache: whether there is such a record is for the
     * caller to see.
     */
    void visitTombstones(LogSegment segment, TombstoneVisitor visitor) throws IOException;

    /**
     * Returns whether a sealed segment has puts and all of them have expired. Only of segments that were written since the log
     * was opened this is known without reading anything; of others the answer may be by the word of what is derived.
     */
    default boolean hasExpired(LogSegment segment, long nowMillis) {
        return false;
    }

    /**
     * Visits the keys of a sealed segment from what was derived of it, without reading its records. Returns whether that was
     * possible; if not, some may have been visited all the same. The caller keeps the segment from being removed.
     */
    default boolean visitKeys(LogSegment segment, RecordLogOpening.ReplayVisitor visitor) throws IOException {
        return false;
    }

    /**
     * Removes everything that was derived from records, so that the next opening reads the records themselves, and saves no
     * image of the index any more. For an index that does not agree with the log.
     */
    void distrustCaches();

    /**
     * Sets ids aside for the outputs of a merge, and leaves the active segment: whatever is written from now on is later in
     * the log.
     *
     * @param maxOutputs how many outputs there may be
     */
    LogMerge beginMerge(int maxOutputs) throws IOException;

    /** As {@link #beginMerge}, for a merge without outputs: it only takes segments out of the store, and leaves none. */
    LogMerge beginDrop();

    /**
     * Makes room on a full disk by deleting files that are caches, if there are any; returns whether some were deleted.
     */
    default boolean giveUpCaches() throws IOException {
        return false;
    }

    /**
     * Returns about how many bytes of a segment's records have expired at a time, those counted that the index does
     * not refer to any more; 0 if that is not known. Of the segment that is appended to, under the write lock.
     */
    default long expiredBytes(LogSegment segment, long nowMillis) throws IOException {
        return 0;
    }

    /** Removes a segment that is not, or no longer, part of the store, and gives back its space. Awaits readers. */
    void remove(LogSegment segment) throws IOException;

    /**
     * Makes a store of some segments in another directory, which is empty or an earlier copy; what that brought is kept.
     * Segments that are not sealed are copied as they are: the log only reads.
     *
     * @throws dev.caskwright.api.UnsupportedFormatException if the directory is neither; nothing there was changed
     */
    LogCopy.Report copyTo(IoManager target, LogCopy copy) throws IOException;

    /** Returns the images of the key index; null if this log keeps none. */
    default @Nullable LogImages images() {
        return null;
    }

    /** Returns the memory that the log holds of its files, hints not yet written above all, in bytes. */
    default long memoryBytes() {
        return 0;
    }

    /** Returns how much of the log is encrypted, and by which keys; null if nothing is, and nothing that is written either. */
    default @Nullable EncryptionStats encryption() {
        return null;
    }

    /** Returns the version of the last record in the log as it was opened. */
    long lastVersion();

    /** Returns the version after which every change is still in segments that writers wrote, in order. */
    long changesFrom();

    /**
     * Returns the history that a version which the log has had belongs to: a number drawn at random by the opening that wrote
     * it. 0 if it is not known, or no record had come by then. Called under the write lock, or after a snapshot was taken.
     */
    long historyOf(long version);

    /** Returns the notes of the engine's clock. */
    ClockNotes clockNotes();

    /** Returns how many bytes were appended since the log was opened. */
    long writtenBytes();

    /** Returns the length at which a segment is left for the next, in bytes. */
    long maxSegmentBytes();

    /** Seals everything and closes all files. No reader or writer is under way. */
    @Override
    void close() throws IOException;

    /** Closes all files as they are; the next opening recovers them as after a crash. */
    void abandon() throws IOException;
}
