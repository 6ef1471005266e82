package dev.caskwright.api;

/**
 * How the store was opened.
 *
 * @param millis how long it took, in milliseconds
 * @param fromImage whether the index was filled from its image, and only what came later replayed
 * @param replayedRecords records and hint entries read
 * @param tornBytesCut bytes cut off at the end of the log: writes never acknowledged, or acknowledged at a durability that
 *     did not cover the crash
 */
public record OpeningStats(long millis, boolean fromImage, long replayedRecords, long tornBytesCut) {
    static final OpeningStats NONE = new OpeningStats(0, false, 0, 0);
}
