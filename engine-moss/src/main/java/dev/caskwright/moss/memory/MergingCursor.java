package dev.caskwright.moss.memory;

import java.io.IOException;
import java.util.ArrayList;
import java.util.Arrays;
import java.util.List;
import org.jspecify.annotations.Nullable;

/*
 * The cursors stand in an array, sorted by their keys, of equal keys the newest first. A step moves those that showed
 * the last key, and moves each up to its place. Where one source goes on, this takes one comparison; where many take
 * turns, a binary search. Comparisons look at the first eight bytes of keys, which lie together, and at the keys
 * themselves only where these are equal.
 */
/**
 * Walks several layers, newest first, as one: an entry of a newer layer hides those below, and so do its ranges;
 * operands come together with what they apply to. For one thread.
 */
public final class MergingCursor {
    /** A layer's cursor, and what the layer deletes from those below. */
    public record Source(LayerCursor cursor, RangeSet ranges) {}

    private final LayerCursor[] all;
    private final RangeSet[] ranges;
    private final boolean hasRanges;
    private final int[] live; // numbers of sources
    private final long[]
            heads; // of the present keys by source, with the sign bit turned, so that they order as unsigned
    private final boolean isDescending;
    private final boolean isBottom;
    private final Resolver resolver;

    private int liveCount;
    private int shown; // how many of the first cursors have the present key
    private LayerCursor entry; // the newest that has the present key

    private int kind;
    private long version;
    private byte[] valueSource = new byte[0];
    private int valueOffset;
    private int valueLength;

    /**
     * Makes a cursor that is nowhere yet.
     *
     * @param isBottom whether nothing lies below the sources: then deleted keys do not show, and operands have a base
     *     or none
     */
    public MergingCursor(List<Source> newestFirst, boolean isDescending, boolean isBottom, Resolver resolver) {
        int count = newestFirst.size();
        this.all = new LayerCursor[count];
        this.ranges = new RangeSet[count];
        boolean any = false;
        for (int i = 0; i < count; i++) {
            all[i] = newestFirst.get(i).cursor();
            ranges[i] = newestFirst.get(i).ranges();
            any |= !ranges[i].isEmpty();
        }
        this.hasRanges = any;
        this.live = new int[count];
        this.heads = new long[count];
        this.isDescending = isDescending;
        this.isBottom = isBottom;
        this.resolver = resolver;
        this.entry = count == 0 ? new NoEntries() : all[0];
    }

    /** Moves before the first key in its direction. */
    public void start() throws IOException {
        liveCount = 0;
        shown = 0;
        for (int i = 0; i < all.length; i++) {
            if (isDescending ? all[i].last() : all[i].first()) {
                insert(i, liveCount++);
            }
        }
    }

    /**
     * Moves before the first key, in its direction, that is at or after {@code key}; of a descending cursor, that is
     * before it.
     */
    public void startAt(byte[] key) throws IOException {
        liveCount = 0;
        shown = 0;
        for (int i = 0; i < all.length; i++) {
            if (isDescending ? all[i].before(key) : all[i].atOrAfter(key)) {
                insert(i, liveCount++);
            }
        }
    }

    /** Puts a source in its place among those from 0 up to a number that are sorted. */
    private void insert(int source, int end) {
        noteHead(source);
        int place = end;
        while (place > 0 && isBefore(source, live[place - 1])) {
            live[place] = live[place - 1];
            place--;
        }
        live[place] = source;
    }

    private void noteHead(int source) {
        LayerCursor cursor = all[source];
        heads[source] = Keys.head(cursor.keySource, cursor.keyOffset, cursor.keyLength) ^ Long.MIN_VALUE;
    }

    private boolean hasSameKey(int source, int other) {
        return heads[source] == heads[other] && all[source].compare(all[other]) == 0;
    }

    private boolean isBefore(int source, int other) {
        long head = heads[source];
        long otherHead = heads[other];
        if (head != otherHead) {
            return head < otherHead != isDescending;
        }
        int order = all[source].compare(all[other]);
        if (order == 0) {
            return source < other;
        }
        return isDescending ? order > 0 : order < 0;
    }

    /** Moves to the next key that shows; returns whether there is one. */
    public boolean next() throws IOException {
        while (true) {
            leave();
            if (liveCount == 0) {
                return false;
            }
            entry = all[live[0]];
            int same = 1;
            while (same < liveCount && hasSameKey(live[same], live[0])) {
                same++;
            }
            shown = same;
            if (same == 1 && !hasRanges && entry.operands == null) {
                if (entry.kind == Kind.PUT || !isBottom) {
                    kind = entry.kind;
                    version = entry.version;
                    takeValue(entry);
                    return true;
                }
            } else if (resolve(same)) {
                return true;
            }
        }
    }

    /** Moves the cursors that showed the last key. */
    private void leave() throws IOException {
        for (int i = shown - 1; i >= 0; i--) {
            int source = live[i];
            LayerCursor cursor = all[source];
            if (isDescending ? cursor.previous() : cursor.next()) {
                noteHead(source);
                if (i + 1 < liveCount && isBefore(live[i + 1], source)) {
                    moveUp(i, source);
                }
            } else {
                System.arraycopy(live, i + 1, live, i, liveCount - i - 1);
                liveCount--;
            }
        }
        shown = 0;
    }

    /** Moves a source from a number, whose successor comes before it, to its place among those after it. */
    private void moveUp(int number, int source) {
        int low = number + 2;
        int high = liveCount;
        while (low < high) {
            int middle = low + high >>> 1;
            if (isBefore(live[middle], source)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        System.arraycopy(live, number + 1, live, number, low - 1 - number);
        live[low - 1] = source;
    }

    /** Joins what the first cursors have for their key; returns whether it shows. */
    private boolean resolve(int same) throws IOException {
        kind = Kind.MERGE;
        version = 0;
        List<byte[]> operands = null;
        int passed = 0;
        for (int i = 0; i < same && kind == Kind.MERGE; i++) {
            int source = live[i];
            if (isDeleted(passed, source)) {
                kind = Kind.DELETE;
                break;
            }
            passed = source;
            LayerCursor each = all[source];
            if (version == 0) {
                version = each.version;
            }
            if (each.operands != null) {
                if (operands == null) {
                    operands = new ArrayList<>(each.operands);
                } else {
                    operands.addAll(each.operands);
                }
            }
            kind = each.kind;
            takeValue(each);
        }
        if (kind == Kind.MERGE && isDeleted(passed, all.length)) {
            kind = Kind.DELETE;
        }
        if (operands == null) {
            // Covered by a range of this very merge: the range that is kept hides what lies below.
            return kind == Kind.PUT || kind == Kind.DELETE && version != 0 && !isBottom;
        }
        takeMerged(operands);
        return true;
    }

    /**
     * Returns whether a range of a source from the first number up to, not including, the second one has the present
     * key.
     */
    private boolean isDeleted(int from, int to) {
        if (!hasRanges) {
            return false;
        }
        for (int i = from; i < to; i++) {
            if (!ranges[i].isEmpty() && ranges[i].contains(entry.keySource, entry.keyOffset, entry.keyLength)) {
                return true;
            }
        }
        return false;
    }

    private void takeMerged(List<byte[]> operands) throws IOException {
        byte[] value;
        if (kind != Kind.MERGE || isBottom) {
            byte @Nullable [] base =
                    kind == Kind.PUT ? Arrays.copyOfRange(valueSource, valueOffset, valueOffset + valueLength) : null;
            value = resolver.resolve(key(), base, operands);
            kind = Kind.PUT;
        } else {
            value = Operands.encode(resolver.join(key(), operands));
            kind = Kind.MERGES;
        }
        valueSource = value;
        valueOffset = 0;
        valueLength = value.length;
    }

    private void takeValue(LayerCursor source) {
        valueSource = source.valueSource;
        valueOffset = source.valueOffset;
        valueLength = source.valueLength;
    }

    /** Returns {@link Kind#PUT}; unless the sources are the bottom also {@link Kind#DELETE} and {@link Kind#MERGES}. */
    public int kind() {
        return kind;
    }

    /** Returns a copy of the present key. */
    public byte[] key() {
        return entry.key();
    }

    /** Returns the array that has the present key. */
    public byte[] keySource() {
        return entry.keySource;
    }

    /** Returns where it begins. */
    public int keyOffset() {
        return entry.keyOffset;
    }

    /** Returns its length. */
    public int keyLength() {
        return entry.keyLength;
    }

    /** Returns the order of the present key and another one. */
    public int compareKey(byte[] key) {
        return entry.compareKey(key);
    }

    /** Returns a copy of the present value. */
    public byte[] value() {
        return Arrays.copyOfRange(valueSource, valueOffset, valueOffset + valueLength);
    }

    /** Returns the array that has the present value. */
    public byte[] valueSource() {
        return valueSource;
    }

    /** Returns where it begins. */
    public int valueOffset() {
        return valueOffset;
    }

    /** Returns its length; 0 for a delete. */
    public int valueLength() {
        return kind == Kind.DELETE ? 0 : valueLength;
    }

    /** Returns the version of the present entry's newest part. */
    public long version() {
        return version;
    }

    /** Gives back what the cursors hold. */
    public void close() {
        for (LayerCursor cursor : all) {
            cursor.close();
        }
    }

    /** Stands for the cursor of no layer. */
    private static final class NoEntries extends LayerCursor {
        @Override
        public boolean first() {
            return false;
        }

        @Override
        public boolean last() {
            return false;
        }

        @Override
        public boolean atOrAfter(byte[] key) {
            return false;
        }

        @Override
        public boolean before(byte[] key) {
            return false;
        }

        @Override
        public boolean next() {
            return false;
        }

        @Override
        public boolean previous() {
            return false;
        }
    }
}
