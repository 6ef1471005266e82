package dev.caskwright.api;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/**
 * A range of keys, the direction in which to walk it, and how far. Immutable; starts as {@link #all()}.
 *
 * <p>{@code from} is always the lower bound and {@code to} the upper one, in whatever direction the range is walked.
 */
public final class Range {
    private static final Range ALL = new Range(null, true, null, true, false, Long.MAX_VALUE);

    private final byte @Nullable [] from;
    private final boolean fromInclusive;
    private final byte @Nullable [] to;
    private final boolean toInclusive;
    private final boolean descending;
    private final long limit;

    private Range(
            byte @Nullable [] from,
            boolean fromInclusive,
            byte @Nullable [] to,
            boolean toInclusive,
            boolean descending,
            long limit) {
        this.from = from;
        this.fromInclusive = fromInclusive;
        this.to = to;
        this.toInclusive = toInclusive;
        this.descending = descending;
        this.limit = limit;
    }

    /** Returns the range of all keys, ascending. */
    public static Range all() {
        return ALL;
    }

    /** Returns the range of the keys that start with {@code prefix}, ascending. An empty prefix is all keys. */
    public static Range prefix(byte[] prefix) {
        byte[] end = prefix.clone();
        int last = end.length - 1;
        while (last >= 0 && end[last] == (byte) 0xFF) {
            last--;
        }
        Range range = ALL.from(prefix, true);
        if (last < 0) {
            return range;
        }
        end[last]++;
        return range.to(Arrays.copyOf(end, last + 1), false);
    }

    /** Returns this range with a lower bound. */
    public Range from(byte[] key, boolean inclusive) {
        return new Range(key.clone(), inclusive, to, toInclusive, descending, limit);
    }

    /** Returns this range with an upper bound. */
    public Range to(byte[] key, boolean inclusive) {
        return new Range(from, fromInclusive, key.clone(), inclusive, descending, limit);
    }

    /** Returns this range walked from its end to its start, or the other way. */
    public Range descending(boolean descending) {
        return new Range(from, fromInclusive, to, toInclusive, descending, limit);
    }

    /**
     * Returns this range, of which a walk shows the first {@code entries} at most. A cursor that knows how far it goes reads
     * that much at once, and no more.
     *
     * @throws IllegalArgumentException if {@code entries} is negative
     */
    public Range limit(long entries) {
        if (entries < 0) {
            throw new IllegalArgumentException("a range has 0 entries or more: limit=" + entries);
        }
        return new Range(from, fromInclusive, to, toInclusive, descending, entries);
    }

    /** Returns how many entries a walk shows at most; {@link Long#MAX_VALUE} if it is not limited. */
    public long limit() {
        return limit;
    }

    /** Returns whether the range is walked from its end. */
    public boolean isDescending() {
        return descending;
    }

    /** Returns where the walk starts, or null if it is not bounded there. */
    public byte @Nullable [] start() {
        byte[] bound = descending ? to : from;
        return bound == null ? null : bound.clone();
    }

    /** Returns whether a key equal to {@link #start()} is in the range. */
    public boolean isStartInclusive() {
        return descending ? toInclusive : fromInclusive;
    }

    /** Returns whether a walk that has come to {@code key} is still within the range. */
    public boolean isBeforeEnd(byte[] key) {
        byte[] bound = descending ? from : to;
        if (bound == null) {
            return true;
        }
        int order = Arrays.compareUnsigned(key, bound);
        if (order == 0) {
            return descending ? fromInclusive : toInclusive;
        }
        return descending ? order > 0 : order < 0;
    }
}
