package dev.caskwright.bolt.freelist;

import java.util.Arrays;

/**
 * A set of page numbers as a bitmap with summaries: a bit of a level says whether a word of the level below has any. So the
 * least page at or after another one is found in a few steps, however sparse the set is. For one thread at a time.
 */
final class PageSet {
    private static final int WORD_SHIFT = 6;
    private static final int LEVELS = 5; // 64^5 words: more pages than a file can have

    private final long[][] levels = new long[LEVELS][1];
    private long count;

    long count() {
        return count;
    }

    boolean contains(long page) {
        long word = page >>> WORD_SHIFT;
        return word < levels[0].length && (levels[0][(int) word] & 1L << page) != 0;
    }

    /** Adds a page; returns whether it was not there. */
    boolean add(long page) {
        if (contains(page)) {
            return false;
        }
        ensureRoom(page); // first, so that want of memory leaves the levels in agreement
        long bit = page;
        for (int level = 0; level < LEVELS; level++) {
            int word = (int) (bit >>> WORD_SHIFT);
            boolean hadAny = levels[level][word] != 0;
            levels[level][word] |= 1L << bit;
            if (hadAny) {
                break;
            }
            bit = word;
        }
        count++;
        return true;
    }

    private void ensureRoom(long page) {
        long bit = page;
        for (int level = 0; level < LEVELS; level++) {
            int word = (int) (bit >>> WORD_SHIFT);
            if (word >= levels[level].length) {
                levels[level] = Arrays.copyOf(levels[level], Math.max(word + 1, levels[level].length * 2));
            }
            bit = word;
        }
    }

    void addRun(long first, long pages) {
        for (long page = first; page < first + pages; page++) {
            add(page);
        }
    }

    /** Takes a page out; returns whether it was there. */
    boolean remove(long page) {
        if (!contains(page)) {
            return false;
        }
        long bit = page;
        for (int level = 0; level < LEVELS; level++) {
            int word = (int) (bit >>> WORD_SHIFT);
            levels[level][word] &= ~(1L << bit);
            if (levels[level][word] != 0) {
                break;
            }
            bit = word;
        }
        count--;
        return true;
    }

    void removeRun(long first, long pages) {
        for (long page = first; page < first + pages; page++) {
            remove(page);
        }
    }

    /** Returns the least page at or after {@code from}, or -1. */
    long next(long from) {
        long bit = from;
        int level = 0;
        while (true) {
            long word = bit >>> WORD_SHIFT;
            if (word >= levels[level].length) {
                return -1;
            }
            long rest = levels[level][(int) word] & -1L << bit;
            if (rest != 0) {
                bit = word << WORD_SHIFT | Long.numberOfTrailingZeros(rest);
                break;
            }
            if (++level == LEVELS) {
                return -1;
            }
            bit = word + 1;
        }
        while (level > 0) {
            level--;
            bit = bit << WORD_SHIFT | Long.numberOfTrailingZeros(levels[level][(int) bit]);
        }
        return bit;
    }

    /** Returns the first page of the lowest run of at least {@code pages} at or after {@code from}, or -1. */
    long nextRun(long from, long pages) {
        long first = next(from);
        while (first >= 0) {
            long end = first + 1;
            while (end < first + pages && contains(end)) {
                end++;
            }
            if (end == first + pages) {
                return first;
            }
            first = next(end);
        }
        return -1;
    }
}
