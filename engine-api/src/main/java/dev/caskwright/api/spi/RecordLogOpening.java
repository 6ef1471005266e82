package dev.caskwright.api.spi;

import java.io.IOException;

/**
 * A log that is being opened: every segment of {@link #log} is replayed, then {@link #finish} is called. Until then the
 * log is only read.
 */
public interface RecordLogOpening {
    /** Returns the log. */
    RecordLog log();

    /**
     * Replays one segment. Different segments may be replayed by different threads at once. A visitor may see entries
     * twice.
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
