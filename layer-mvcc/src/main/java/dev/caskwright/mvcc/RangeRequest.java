package dev.caskwright.mvcc;

/**
 * Asks for the keys of a range at some revision. Immutable.
 *
 * @param revision the revision to look at, or 0 for the latest
 * @param limit how many keys are returned at most, or 0 for all
 * @param order by what they are sorted
 * @param isDescending whether the greatest comes first
 * @param kind what is returned of them
 * @param minModRevision keys that were put at an earlier revision are left out
 * @param maxModRevision keys that were put at a later revision are left out
 * @param minCreateRevision keys that were created at an earlier revision are left out
 * @param maxCreateRevision keys that were created at a later revision are left out
 */
public record RangeRequest(
        KeyRange range,
        long revision,
        long limit,
        Order order,
        boolean isDescending,
        Kind kind,
        long minModRevision,
        long maxModRevision,
        long minCreateRevision,
        long maxCreateRevision)
        implements Operation {
    /** By what keys are sorted. Keys for which it is the same are in the order of the keys. */
    public enum Order {
        /** By the unsigned bytes of the key. */
        KEY,
        /** By how often the key was put. */
        VERSION,
        /** By the revision that created the key. */
        CREATE_REVISION,
        /** By the revision that put the value. */
        MOD_REVISION,
        /** By the unsigned bytes of the value. */
        VALUE
    }

    /** What is returned. */
    public enum Kind {
        /** Keys with their values. */
        ENTRIES,
        /** Keys with empty values. */
        KEYS,
        /** How many keys there are, and none of them. */
        COUNT
    }

    /** Checks what is given. */
    public RangeRequest {
        if (revision < 0 || limit < 0) {
            throw new IllegalArgumentException(
                    "revision and limit are 0 or more: revision=" + revision + ", limit=" + limit);
        }
    }

    /** Asks for all keys of a range, in order, at the latest revision. */
    public static RangeRequest of(KeyRange range) {
        return new RangeRequest(range, 0, 0, Order.KEY, false, Kind.ENTRIES, 0, Long.MAX_VALUE, 0, Long.MAX_VALUE);
    }

    /** Returns this for another revision; 0 for the latest. */
    public RangeRequest atRevision(long at) {
        return new RangeRequest(
                range,
                at,
                limit,
                order,
                isDescending,
                kind,
                minModRevision,
                maxModRevision,
                minCreateRevision,
                maxCreateRevision);
    }

    /** Returns this for so many keys at most; 0 for all. */
    public RangeRequest withLimit(long keys) {
        return new RangeRequest(
                range,
                revision,
                keys,
                order,
                isDescending,
                kind,
                minModRevision,
                maxModRevision,
                minCreateRevision,
                maxCreateRevision);
    }

    /** Returns this in another order. */
    public RangeRequest sortedBy(Order by, boolean descending) {
        return new RangeRequest(
                range,
                revision,
                limit,
                by,
                descending,
                kind,
                minModRevision,
                maxModRevision,
                minCreateRevision,
                maxCreateRevision);
    }

    /** Returns this for something else of the keys. */
    public RangeRequest returning(Kind what) {
        return new RangeRequest(
                range,
                revision,
                limit,
                order,
                isDescending,
                what,
                minModRevision,
                maxModRevision,
                minCreateRevision,
                maxCreateRevision);
    }

    /** Returns this for keys whose values were put at these revisions. */
    public RangeRequest putBetween(long first, long last) {
        return new RangeRequest(
                range, revision, limit, order, isDescending, kind, first, last, minCreateRevision, maxCreateRevision);
    }

    /** Returns this for keys that were created at these revisions. */
    public RangeRequest createdBetween(long first, long last) {
        return new RangeRequest(
                range, revision, limit, order, isDescending, kind, minModRevision, maxModRevision, first, last);
    }

    boolean isFiltered() {
        return minModRevision > 0
                || maxModRevision < Long.MAX_VALUE
                || minCreateRevision > 0
                || maxCreateRevision < Long.MAX_VALUE;
    }

    boolean accepts(KeyValue entry) {
        return entry.modRevision() >= minModRevision
                && entry.modRevision() <= maxModRevision
                && entry.createRevision() >= minCreateRevision
                && entry.createRevision() <= maxCreateRevision;
    }
}
