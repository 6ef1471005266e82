package dev.caskwright.bolt;

import java.util.List;

/**
 * What a check of a file found.
 *
 * @param problems what does not hold, the first 1,000 at most
 * @param problemCount how many problems there are
 * @param pages pages up to the high-water mark
 * @param freePages pages that the freelist has
 * @param buckets buckets, without the root
 * @param keys keys with values
 */
public record CheckReport(
        List<String> problems, long problemCount, long pages, long freePages, long buckets, long keys) {
    /** Returns whether everything holds that must. */
    public boolean isSound() {
        return problemCount == 0;
    }
}
