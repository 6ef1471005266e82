package dev.caskwright.bolt;

/**
 * Figures about an open database.
 *
 * @param pages pages of the current state, free ones included
 * @param freePages pages that the next commit may use
 * @param pendingPages pages that are not used any more, but may be read by an open read transaction
 * @param readers read transactions that are open
 * @param oldestReaderNanos how long the oldest of them has been open, in nanoseconds; 0 if there is none
 * @param oldestReaderPages pages that wait for the reader of the oldest state, as of the last write transaction; later readers may
 *     need some of them as well
 * @param commits commits since the database was opened
 * @param writtenPages pages that these commits wrote, meta pages included
 * @param forces forces of the file since the database was opened
 */
public record DatabaseStats(
        long pages,
        long freePages,
        long pendingPages,
        int readers,
        long oldestReaderNanos,
        long oldestReaderPages,
        long commits,
        long writtenPages,
        long forces) {}
