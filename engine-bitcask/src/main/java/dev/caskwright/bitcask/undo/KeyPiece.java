package dev.caskwright.bitcask.undo;

import java.util.Arrays;
import java.util.Comparator;
import java.util.Map;
import java.util.TreeMap;
import java.util.function.Predicate;
import org.jspecify.annotations.Nullable;

/**
 * The next keys of a walk, with a locator each, from several sources that are each in order. A source that has more than
 * the piece takes cuts the piece where it stopped: up to its end, the piece has every key of every source. So a piece is
 * bounded, whatever the sources hold, and each gets ahead by a key at least.
 */
public final class KeyPiece {
    private static final Comparator<byte[]> UNSIGNED = Arrays::compareUnsigned;

    private final byte @Nullable [] from;
    private final boolean inclusive;
    private final boolean descending;
    private final Predicate<byte[]> isWanted;
    private final int limit;
    private final TreeMap<byte[], Long> keys;
    private byte @Nullable [] end;

    /**
     * Makes a piece that takes so many keys of each source.
     *
     * @param from where it begins, null for the first key, or the last if it is descending
     * @param isWanted whether a key lies before the end of the walk
     */
    public KeyPiece(
            byte @Nullable [] from, boolean inclusive, boolean descending, Predicate<byte[]> isWanted, int limit) {
        this.from = from;
        this.inclusive = inclusive;
        this.descending = descending;
        this.isWanted = isWanted;
        this.limit = limit;
        this.keys = new TreeMap<>(descending ? UNSIGNED.reversed() : UNSIGNED);
    }

    byte @Nullable [] from() {
        return from;
    }

    boolean isInclusive() {
        return inclusive;
    }

    boolean isDescending() {
        return descending;
    }

    int limit() {
        return limit;
    }

    /** Returns whether a source may stop before this key. */
    public boolean isBehindEnd(byte[] key) {
        return !isWanted.test(key) || (end != null && keys.comparator().compare(key, end) > 0);
    }

    /** Sets the locator of a key; that of an earlier source does not count any more. */
    public void put(byte[] key, long locator) {
        keys.put(key, locator);
    }

    /** Ends the piece with this key, which is not after its end. */
    public void cutBehind(byte[] key) {
        end = key;
    }

    /** Returns the last key that the piece may have, or null if the walk ends with it. */
    public byte @Nullable [] end() {
        return end;
    }

    /** Returns the keys up to the end, in the order of the walk. */
    public Map<byte[], Long> keys() {
        return end == null ? keys : keys.headMap(end, true);
    }
}
