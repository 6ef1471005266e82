package dev.caskwright.api.spi.log;

import java.io.Closeable;
import java.io.IOException;

/** A segment that a merge writes. Its records count once the merge is committed. For one thread. */
public interface MergeOutput extends Closeable {
    /** Returns the segment. */
    LogSegment segment();

    /** Returns whether the scanner's current record still fits. */
    boolean hasRoomFor(RecordScanner scanner);

    /** Copies the scanner's current record, with its version and expiry, as one that stands for itself. Its value stays as it is stored unless the log recodes. */
    void copy(RecordScanner scanner) throws IOException;

    /** Writes a tombstone in place of the scanner's current record, with the same version. */
    void copyAsTombstone(RecordScanner scanner) throws IOException;

    /** Completes the segment and makes it durable. */
    void finish() throws IOException;

    /**
     * Visits the puts that were copied, in order, once. After {@link #finish}. They do not count as live before {@link
     * RecordLog#markLive} says so.
     */
    void visitCopies(CopyVisitor visitor) throws IOException;

    /** Gives back what is needed to write the segment and to visit its copies, and not to read it. */
    @Override
    void close() throws IOException;

    /** Receives what was copied, for the index. */
    @FunctionalInterface
    interface CopyVisitor {
        /** Takes the key of a put, a slice of {@code source} that is valid during the call, and where its record was and is. */
        void visit(byte[] source, int keyOffset, int keyLength, long oldLocator, long newLocator) throws IOException;
    }
}
