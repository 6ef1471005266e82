package dev.caskwright.cache.caffeine;

import dev.caskwright.api.spi.cache.CachedRecord;
import dev.caskwright.api.spi.log.LogSegment;
import java.lang.invoke.VarHandle;
import java.util.concurrent.atomic.AtomicIntegerArray;
import java.util.concurrent.atomic.AtomicLongArray;
import java.util.concurrent.atomic.AtomicReferenceArray;
import org.jspecify.annotations.Nullable;

/**
 * Records by their locators, each in one of two places that its locator has, side by side; if both are taken, one has to go. Two arrays,
 * so that a hit waits for memory once before it has the record, and nothing is boxed. Any number of threads; readers take no locks.
 */
final class RecordTable {
    private static final int LEAST_PLACES = 512;
    private static final int MOST_PLACES = 1 << 24;
    private static final int PLACE_BYTES = 12;
    private static final int STRIPES = 64;
    private static final long MIX = 0x9E3779B97F4A7C15L;

    private final AtomicLongArray locators;
    private final AtomicReferenceArray<@Nullable CachedRecord> records;
    private final AtomicIntegerArray stamps = new AtomicIntegerArray(STRIPES);
    private final Object[] locks = new Object[STRIPES];
    private final int shift;

    /** @param places how many there should be; rounded up to a power of two, at most 16 million, of 12 bytes each */
    RecordTable(long places) {
        int length = LEAST_PLACES;
        while (length < places && length < MOST_PLACES) {
            length *= 2;
        }
        locators = new AtomicLongArray(length);
        records = new AtomicReferenceArray<>(length);
        shift = Long.SIZE - Integer.numberOfTrailingZeros(length);
        for (int i = 0; i < STRIPES; i++) {
            locks[i] = new Object();
        }
    }

    /** Returns about how much memory the places take, in bytes. */
    long bytes() {
        return (long) records.length() * PLACE_BYTES;
    }

    /** Returns the first of the two places. */
    private int place(long locator) {
        return (int) (locator * MIX >>> shift) & ~1;
    }

    private static int stripe(int place) {
        return place >> 1 & STRIPES - 1;
    }

    /** Returns the record of a locator, or null if it is not there, or a neighbour is being changed. */
    @Nullable CachedRecord get(long locator) {
        int place = place(locator);
        int stripe = stripe(place);
        int before = stamps.getAcquire(stripe);
        if (locators.getPlain(place) != locator && locators.getPlain(++place) != locator || (before & 1) != 0) {
            return null;
        }
        CachedRecord record = records.getPlain(place);
        VarHandle.acquireFence(); // both were read before the stamp is looked at again
        return stamps.getPlain(stripe) == before ? record : null;
    }

    /** Puts a record in a place of its own; returns the locator of the one that had to go, or its own if there was none. */
    long set(long locator, CachedRecord record) {
        int place = place(locator);
        synchronized (locks[stripe(place)]) {
            if (!isFor(place, locator) && (isFor(place + 1, locator) || (locator * MIX & 1L << shift - 1) != 0)) {
                place++;
            }
            long gone = records.getPlain(place) == null ? locator : locators.getPlain(place);
            change(place, locator, record);
            return gone;
        }
    }

    private boolean isFor(int place, long locator) {
        return records.getPlain(place) == null || locators.getPlain(place) == locator;
    }

    void remove(long locator) {
        int place = place(locator);
        synchronized (locks[stripe(place)]) {
            for (int each = place; each <= place + 1; each++) {
                if (locators.getPlain(each) == locator) {
                    change(each, locator, null);
                }
            }
        }
    }

    /** Changes a place, under its lock. An odd stamp says so to readers. */
    private void change(int place, long locator, @Nullable CachedRecord record) {
        int stripe = stripe(place);
        stamps.incrementAndGet(stripe);
        locators.set(place, locator);
        records.set(place, record);
        stamps.incrementAndGet(stripe);
    }

    /** Removes the records of a segment, or all if there is none. */
    void removeAll(@Nullable LogSegment segment) {
        for (int place = 0; place < records.length(); place++) {
            synchronized (locks[stripe(place)]) {
                CachedRecord record = records.getPlain(place);
                if (record != null && (segment == null || record.segment() == segment)) {
                    change(place, locators.getPlain(place), null);
                }
            }
        }
    }
}
