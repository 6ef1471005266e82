package dev.caskwright.cache.caffeine;

import java.util.concurrent.atomic.AtomicIntegerArray;

/**
 * Remembers locators of late: a table in which each has one place, and gives way to the next that has the same. So what is
 * there may be forgotten, and with a probability of one in two billion one is taken for another. Any number of threads, without locks; a
 * store that another thread overwrites is one more that is forgotten.
 */
final class RecentLocators {
    private static final int MAX_PLACES = 1 << 24;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private final AtomicIntegerArray tags;
    private volatile int shift;

    /** @param places how many to remember; rounded up to a power of two, at most 16 million, of 4 bytes each */
    RecentLocators(long places) {
        int length = 1024;
        while (length < places && length < MAX_PLACES) {
            length *= 2;
        }
        this.tags = new AtomicIntegerArray(length);
        this.shift = Long.SIZE - Integer.numberOfTrailingZeros(length);
    }

    /** Sets about how many to remember from now on, at most as many as there are places; others are forgotten sooner. */
    void remember(long count) {
        int places = (int) Math.max(1024, Math.min(tags.length(), Long.highestOneBit(count)));
        shift = Long.SIZE - Integer.numberOfTrailingZeros(places);
    }

    /** Remembers a locator; returns whether that is new. */
    boolean add(long locator) {
        long hash = locator * MIX;
        int place = (int) (hash >>> shift);
        int tag = tag(hash);
        if (tags.getPlain(place) == tag) {
            return false;
        }
        tags.setPlain(place, tag);
        return true;
    }

    private static int tag(long hash) {
        return (int) (hash >>> 9) | 1; // an empty place is 0
    }
}
