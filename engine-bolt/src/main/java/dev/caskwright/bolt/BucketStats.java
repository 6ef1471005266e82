package dev.caskwright.bolt;

/**
 * Figures about a bucket, without those of the buckets within it.
 *
 * @param keys keys with values
 * @param buckets buckets right within it
 * @param inlineBuckets those of them that lie in its pages
 * @param depth pages from the root to a leaf; 0 if the bucket lies in its parent's page
 * @param branchPages runs of pages that lead to others
 * @param leafPages runs of pages with keys and values
 * @param overflowPages pages of these runs after the first ones
 * @param usedBytes bytes of the pages that hold something
 * @param allocatedBytes bytes of the pages
 */
public record BucketStats(
        long keys,
        long buckets,
        long inlineBuckets,
        int depth,
        long branchPages,
        long leafPages,
        long overflowPages,
        long usedBytes,
        long allocatedBytes) {}
