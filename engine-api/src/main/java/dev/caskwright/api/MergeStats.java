package dev.caskwright.api;

/**
 * Merges since opening.
 *
 * @param merges merges that have finished
 * @param mergedBytes bytes that they have written
 */
public record MergeStats(long merges, long mergedBytes) {
    static final MergeStats NONE = new MergeStats(0, 0);
}
