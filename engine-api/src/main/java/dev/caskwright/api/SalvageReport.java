package dev.caskwright.api;

import java.util.List;

/**
 * What a salvage saved of a damaged store, and what it had to leave.
 *
 * <p>Where newer records are lost, older ones decide again: a key may have an earlier value, and a key that was deleted may
 * be back. So only a report without losses says that the new store holds what the old one held.
 *
 * @param records puts and tombstones in the new store
 * @param bytes bytes of these records
 * @param losses what is not in the new store, or may be in it wrongly, in the order of the files
 */
public record SalvageReport(long records, long bytes, List<Loss> losses) {
    /**
     * A part of a file that is lost.
     *
     * @param file name of the file within the directory of the damaged store
     * @param from where it starts, in bytes
     * @param to where it ends; equal to {@code from} if what is lost has no known length, as with a missing file
     * @param what what does not hold
     */
    public record Loss(String file, long from, long to, String what) {}

    /** Returns whether nothing is lost. */
    public boolean isComplete() {
        return losses.isEmpty();
    }

    /** Returns how many bytes of files are lost, as far as lengths are known. */
    public long bytesLost() {
        return losses.stream().mapToLong(loss -> loss.to() - loss.from()).sum();
    }
}
