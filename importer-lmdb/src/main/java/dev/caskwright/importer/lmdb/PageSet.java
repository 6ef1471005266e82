package dev.caskwright.importer.lmdb;

import java.util.BitSet;
import java.util.HashMap;
import java.util.Map;

/**
 * A set of numbers of pages, from 0. It takes memory for parts of a file that have a page in it, and not for the place of the last one: a
 * file that is mostly a hole may be very long. For one thread.
 */
final class PageSet {
    private static final int PART_BITS = 12;

    private final Map<Long, BitSet> parts = new HashMap<>();

    /** Adds a page; returns whether it was not there. */
    boolean add(long page) {
        BitSet part = parts.computeIfAbsent(page >>> PART_BITS, start -> new BitSet());
        int place = (int) (page & ((1 << PART_BITS) - 1));
        boolean isThere = part.get(place);
        part.set(place);
        return !isThere;
    }
}
