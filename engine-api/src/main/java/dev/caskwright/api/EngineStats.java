package dev.caskwright.api;

/**
 * Figures about a store. Bytes are exact for records up to 8 KiB, and for longer ones to within 0.2 %.
 *
 * @param keys keys in the index
 * @param files data files, those kept for snapshots included
 * @param diskBytes length of all data files and hint files
 * @param liveBytes bytes of the records that are current: header, key, value and padding
 * @param deadBytes bytes of data files that a merge of everything would give back
 * @param pinnedBytes bytes of merged files that stay because a snapshot may read them
 * @param indexBytes memory that the key index holds, on heap and off
 * @param openMillis how long opening took, in milliseconds
 * @param openedFromImage whether the index was filled from its image while opening, and only what came later replayed
 * @param replayedRecords records and hint entries read while opening
 * @param tornBytesCut bytes cut off at the end of the log while opening: writes never acknowledged, or acknowledged at a
 *     durability that did not cover the crash
 * @param snapshots snapshots now open
 * @param merges merges that have finished since opening
 * @param mergedBytes bytes that merges have written since opening
 * @param writtenBytes bytes that writers have appended since opening
 * @param savedImages images of the index that were saved since opening
 * @param lastVersion version of the last write
 * @param clockJumps how often the clock that expiry goes by was seen to jump by more than a minute since opening, forwards
 *     or back
 * @param memory the memory that the store keeps, part by part
 */
public record EngineStats(
        long keys,
        int files,
        long diskBytes,
        long liveBytes,
        long deadBytes,
        long pinnedBytes,
        long indexBytes,
        long openMillis,
        boolean openedFromImage,
        long replayedRecords,
        long tornBytesCut,
        int snapshots,
        long merges,
        long mergedBytes,
        long writtenBytes,
        long savedImages,
        long lastVersion,
        long clockJumps,
        MemoryStats memory) {
    /** Returns disk bytes per live byte: 1.0 at best; 1.0 for an empty store. */
    public double spaceAmplification() {
        return liveBytes == 0 ? 1.0 : (double) diskBytes / liveBytes;
    }
}
