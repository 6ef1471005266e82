package dev.caskwright.api;

/**
 * Space on disk. Bytes of records are exact up to 8 KiB a record, and for longer ones to within 0.2 %.
 *
 * @param files files that hold data, those kept for snapshots included
 * @param diskBytes length of all files of the store
 * @param liveBytes bytes of what is current: keys, values and what each entry costs beside them
 * @param deadBytes bytes that a merge of everything would give back
 * @param pinnedBytes bytes of files that stay only because a snapshot may read them
 */
public record SpaceStats(int files, long diskBytes, long liveBytes, long deadBytes, long pinnedBytes) {
    static final SpaceStats NONE = new SpaceStats(0, 0, 0, 0, 0);

    /** Returns disk bytes per live byte: 1.0 at best; 1.0 for an empty store. */
    public double amplification() {
        return liveBytes == 0 ? 1.0 : (double) diskBytes / liveBytes;
    }
}
