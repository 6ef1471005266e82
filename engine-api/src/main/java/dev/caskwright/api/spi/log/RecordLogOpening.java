package dev.caskwright.api.spi.log;

import dev.caskwright.api.spi.index.PersistentKeyIndex;
import java.io.IOException;

/**
 * A log that is being opened: every segment of {@link #log} is replayed, then {@link #finish} is called. Until then the
 * log is only read.
 *
 * <p>If the log has an image of the index, {@link #loadImage} fills the index from it. Then {@link #replayUnsettled} is
 * called for every segment, which brings the index to the moment at which the image ended; and only after that {@link
 * #replay}, which starts there.
 */
public interface RecordLogOpening {
    /** Returns the log. */
    RecordLog log();

    /**
     * Returns a number that was drawn at random when the log was made, and is the same each time it is opened. The seeds of
     * hash tables are made from it, so who can choose keys must not learn it.
     */
    long secret();

    /**
     * Fills an empty index from the image that was saved with the log, and counts the live bytes as of its end.
     *
     * @param refill what the index calls for parts of the image that are damaged
     * @return whether it did; if not, the index is empty, and {@link #replay} replays all. An image that is missing, of
     *     another layout, damaged or not of this log is none.
     */
    default boolean loadImage(PersistentKeyIndex index, PersistentKeyIndex.Refill refill) throws IOException {
        return false;
    }

    /**
     * Replays those records of a segment that were appended while the loaded image was saved. The index may have them or
     * not; they are counted as live or dead already.
     */
    default void replayUnsettled(LogSegment segment, ReplayVisitor visitor) throws IOException {}

    /**
     * Replays those records of a segment that were appended before the loaded image ended. Changes nothing on disk. May be
     * called until the log is closed, as long as no segment was removed or merged since it was opened.
     */
    default void replayImaged(LogSegment segment, ReplayVisitor visitor) throws IOException {}

    /**
     * Replays one segment, as far as it is not covered by a loaded image. Different segments may be replayed by different
     * threads at once. A visitor may see entries twice.
     */
    void replay(LogSegment segment, ReplayVisitor visitor) throws IOException;

    /** Ends the opening: what was recovered is durable and part of the store, leftovers are gone. */
    void finish() throws IOException;

    /** Returns how many bytes at the end of the log were not whole records, and were cut. */
    long tornBytesCut();

    /** Receives the keys of the log. */
    @FunctionalInterface
    interface ReplayVisitor {
        /** Takes a put or a tombstone; the key is a slice of {@code source}, valid during the call. */
        void visit(boolean tombstone, long locator, byte[] source, int keyOffset, int keyLength) throws IOException;
    }
}
