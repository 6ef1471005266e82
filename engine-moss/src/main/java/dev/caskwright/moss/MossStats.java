package dev.caskwright.moss;

/**
 * Figures about a moss store, all of one moment. Bytes are of memory, with all that the layers need.
 *
 * @param version the version of the last write
 * @param activeBytes the table that takes writes
 * @param dirtyLayers layers above the base: sealed tables, and segments that merges made
 * @param dirtyBytes their bytes
 * @param baseLayers layers that are being written
 * @param baseBytes their bytes
 * @param cleanLayers layers that are written, and kept
 * @param cleanBytes their bytes
 * @param holders snapshots and iterators now open
 * @param merges merges in memory since the store was opened
 * @param persists writes to what is below since the store was opened
 * @param slowedWrites writes that waited a moment because memory was nearly full
 * @param stoppedWrites writes that waited because memory was full
 * @param files files that the store has, those of checkpoints, of readers and of the log included
 * @param fileBytes their length, without that of the log
 * @param indexBytes the memory that their indexes and filters take
 * @param logBytes the length of the log
 * @param compactions how often files were joined since the store was opened
 * @param writtenBytes bytes of all writes since the store was opened: keys, values and what each write costs in the log
 */
public record MossStats(
        long version,
        long activeBytes,
        int dirtyLayers,
        long dirtyBytes,
        int baseLayers,
        long baseBytes,
        int cleanLayers,
        long cleanBytes,
        int holders,
        long merges,
        long persists,
        long slowedWrites,
        long stoppedWrites,
        int files,
        long fileBytes,
        long indexBytes,
        long logBytes,
        long compactions,
        long writtenBytes) {
    /** Returns the bytes of all layers in memory. */
    public long memoryBytes() {
        return activeBytes + dirtyBytes + baseBytes + cleanBytes;
    }
}
