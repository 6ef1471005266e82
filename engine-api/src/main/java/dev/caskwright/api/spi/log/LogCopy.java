package dev.caskwright.api.spi.log;

import java.util.List;

/**
 * What to copy of a log, and what becomes of it.
 *
 * @param parts the segments, in the order of the log; the caller keeps them from being removed
 * @param clockNote the last note of the engine's clock, see {@link RecordLog#noteClock}
 * @param lastVersion the version of the last write
 */
@SuppressWarnings("ArrayRecordComponent") // a holder, never compared
public record LogCopy(Form form, List<Part> parts, long[] clockNote, long lastVersion) {
    /** What a copy is to be. */
    public enum Form {
        /** Files of its own, each verified; a later run adds what is new. */
        BACKUP,
        /** The same files under other names, where the file system can; a later run adds what is new. */
        CHECKPOINT,
        /** A new store with files of its own, each verified, in an empty directory. If it fails, nothing is left of it. */
        STORE
    }

    /** A segment up to an offset at which a record ends. */
    public record Part(LogSegment segment, long end) {}

    /**
     * What a copy holds.
     *
     * @param lastVersion the version of the last write that is in it
     * @param files data files in the copy
     * @param bytes their length
     * @param filesBrought how many of them this run brought
     * @param bytesBrought their length
     * @param doubts what is not in the copy although it was asked for, and what was left alone in the target; empty if all
     *     is as it should be
     */
    public record Report(
            long lastVersion, long files, long bytes, long filesBrought, long bytesBrought, List<String> doubts) {}
}
