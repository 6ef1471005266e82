package dev.caskwright.bitcask.log.append;

import dev.caskwright.bitcask.log.file.DataFile;
import dev.caskwright.bitcask.log.hint.HintBuilder;

/**
 * Keeps room for deletes on a full disk: the hint file of the active file is longer than it needs to be, and is given up when a
 * delete finds no room. Its length is a share of all data, so that long values can all be deleted; short ones can to a part, after
 * which there are dead files to drop. Guarded by the write lock.
 */
public final class DeleteReserve {
    /** Stores of shorter files keep no reserve: it would be a page or less. */
    private static final long LEAST_WITH_RESERVE = 64 << 10;

    private static final int LEAST = 64 << 10;

    /** The reserve of a short file is no larger part of it. */
    private static final int LARGEST_SHARE = 16;

    /** A key of 16 bytes takes 48 to delete, 64 if it is encrypted: enough for all keys if values take 4 KiB. */
    private static final int SHARE = 64;

    /** After so many bytes of data the reserve grows, by so much at most: writers must not wait for it. */
    private static final long STEP = 1 << 20;

    private static final int MOST_IN_A_STEP = 256 << 10;

    private final long leastFree;
    private final long most;
    private long others;
    private long next;
    private int length;

    /**
     * Makes the reserve of a store.
     *
     * @param leastFree the reserve does not grow if less is free, or less than one file of the greatest length needs
     */
    public DeleteReserve(long maxFileBytes, long leastFree) {
        this.leastFree = Math.min(leastFree, maxFileBytes);
        long least = Math.min(LEAST, maxFileBytes / LARGEST_SHARE);
        this.most = maxFileBytes < LEAST_WITH_RESERVE ? 0 : Math.max(least, maxFileBytes / SHARE);
    }

    /**
     * Begins with another active file.
     *
     * @param otherBytes how long all other files are
     */
    public void begin(HintBuilder hints, DataFile file, long otherBytes) {
        others = otherBytes;
        length = 0;
        grow(hints, file);
    }

    /** Grows with the data. To be called before each write to the active file. */
    public void growWith(HintBuilder hints, DataFile file) {
        if (file.length() >= next) {
            grow(hints, file);
        }
    }

    private void grow(HintBuilder hints, DataFile file) {
        next = file.length() + STEP;
        long wanted = Math.min(most, Math.max(LEAST, (others + file.length()) / SHARE));
        int now = (int) Math.min(wanted, Math.max(LEAST, length + MOST_IN_A_STEP));
        if (now > length && hints.reserve(now, leastFree)) {
            length = now; // otherwise the next step tries again
        }
    }
}
