package dev.caskwright.api;

import java.util.List;

/**
 * What a check of every byte of a store found.
 *
 * @param records sound records read
 * @param bytes bytes read
 * @param damages what is not as it was written, in the order of the files
 */
public record VerifyReport(long records, long bytes, List<Damage> damages) {
    /**
     * One damaged place.
     *
     * @param file name of the file within the directory
     * @param offset where the damage starts, in bytes
     * @param what what does not hold
     */
    public record Damage(String file, long offset, String what) {}

    /** Returns whether nothing is damaged. */
    public boolean isSound() {
        return damages.isEmpty();
    }
}
