package dev.caskwright.bitcask.store;

import java.util.Arrays;

/**
 * Which entries were told to have expired, so that they stay so if the clock goes back. Immutable, and of bounded size.
 *
 * <p>Most of it are <em>marks</em>: up to some version, whatever expires up to some time counts as told. While the clock
 * behaves, one mark of the latest time and version says all, and it takes time from nobody: what it covers has expired.
 * When the clock is ahead for no known reason, entries are named one by one, by their versions, so that others lose
 * nothing once it is right again. If there are too many of these, the ones that expire first become a mark.
 *
 * <p>What is written later than a mark is not covered by it, whatever time the mark has.
 */
public final class ToldExpiries {
    static final ToldExpiries NONE = new ToldExpiries(new long[0], new long[0]);

    static final int MAX_MARKS = 6;
    public static final int MAX_NAMED = 23;

    private static final long MINUTE_MILLIS = 60_000;

    private final long[] marks; // pairs of expiry and version; the expiries fall and the versions rise
    private final long[] named; // pairs of expiry and version, by expiry
    private final long greatestExpiry;

    private ToldExpiries(long[] marks, long[] named) {
        this.marks = marks;
        this.named = named;
        long greatest = marks.length == 0 ? Long.MIN_VALUE : marks[0];
        this.greatestExpiry = named.length == 0 ? greatest : Math.max(greatest, named[named.length - 2]);
    }

    /** Returns what {@link #toLongs} was called on; nothing that is not of its form is believed. */
    static ToldExpiries ofLongs(long[] longs) {
        ToldExpiries told = NONE;
        if (longs.length == 0 || longs[0] < 0 || longs[0] > 2 * MAX_MARKS || longs[0] % 2 != 0) {
            return told;
        }
        int endOfMarks = 1 + (int) longs[0];
        for (int i = 1; i + 1 < longs.length; i += 2) {
            if (longs[i] > 0 && longs[i + 1] >= 0) {
                told = i < endOfMarks
                        ? told.withMark(longs[i], longs[i + 1])
                        : told.withNamed(longs[i], longs[i + 1], longs[i + 1], longs[i]);
            }
        }
        return told;
    }

    /** Returns it in 1 + 2 * ({@link #MAX_MARKS} + {@link #MAX_NAMED}) longs at most. */
    long[] toLongs() {
        long[] longs = new long[1 + marks.length + named.length];
        longs[0] = marks.length;
        System.arraycopy(marks, 0, longs, 1, marks.length);
        System.arraycopy(named, 0, longs, 1 + marks.length, named.length);
        return longs;
    }

    /** Returns the latest expiry of an entry that may be covered; less than any time if there is none. */
    long greatestExpiry() {
        return greatestExpiry;
    }

    boolean covers(long expiresAt, long version) {
        if (expiresAt > greatestExpiry) {
            return false;
        }
        for (int i = 0; i < marks.length; i += 2) {
            if (expiresAt <= marks[i] && version <= marks[i + 1]) {
                return true;
            }
        }
        for (int i = 0; i < named.length; i += 2) {
            if (version == named[i + 1] && expiresAt == named[i]) {
                return true;
            }
        }
        return false;
    }

    /** Covers everything of at most this version that expires at this time or earlier. */
    ToldExpiries withMark(long expiresAt, long version) {
        long[] kept = new long[marks.length + 2];
        int count = 0;
        boolean isPlaced = false;
        for (int i = 0; i < marks.length; i += 2) {
            if (marks[i] >= expiresAt && marks[i + 1] >= version) {
                return this;
            }
            if (!isPlaced && marks[i] < expiresAt) {
                count = add(kept, count, expiresAt, version);
                isPlaced = true;
            }
            if (marks[i] > expiresAt || marks[i + 1] > version) {
                count = add(kept, count, marks[i], marks[i + 1]);
            }
        }
        if (!isPlaced) {
            count = add(kept, count, expiresAt, version);
        }
        if (count > 2 * MAX_MARKS) {
            count = joinClosest(kept, count);
        }
        return new ToldExpiries(Arrays.copyOf(kept, count), notCovered(expiresAt, version));
    }

    private static int add(long[] pairs, int count, long expiresAt, long version) {
        pairs[count] = expiresAt;
        pairs[count + 1] = version;
        return count + 2;
    }

    /** Makes one mark of the two whose times are closest: it covers both, and the least that neither did. */
    private static int joinClosest(long[] pairs, int count) {
        int closest = 0;
        for (int i = 2; i + 2 < count; i += 2) {
            if (pairs[i] - pairs[i + 2] < pairs[closest] - pairs[closest + 2]) {
                closest = i;
            }
        }
        pairs[closest + 3] = Math.max(pairs[closest + 1], pairs[closest + 3]);
        pairs[closest + 2] = pairs[closest];
        System.arraycopy(pairs, closest + 2, pairs, closest, count - closest - 2);
        return count - 2;
    }

    private long[] notCovered(long expiresAt, long version) {
        long[] kept = new long[named.length];
        int count = 0;
        for (int i = 0; i < named.length; i += 2) {
            if (named[i] > expiresAt || named[i + 1] > version) {
                count = add(kept, count, named[i], named[i + 1]);
            }
        }
        return Arrays.copyOf(kept, count);
    }

    /**
     * Covers the entry of this version.
     *
     * @param lastVersion the greatest that any entry has
     * @param now what the clock says: no mark made of names is later than that, unless it is for one of them
     */
    ToldExpiries withNamed(long expiresAt, long version, long lastVersion, long now) {
        if (covers(expiresAt, version)) {
            return this;
        }
        long[] more = new long[named.length + 2];
        int at = 0;
        while (at < named.length && named[at] <= expiresAt) {
            at += 2;
        }
        System.arraycopy(named, 0, more, 0, at);
        System.arraycopy(named, at, more, at + 2, named.length - at);
        add(more, at, expiresAt, version);
        ToldExpiries result = new ToldExpiries(marks, more);
        if (more.length <= 2 * MAX_NAMED) {
            return result;
        }
        // In steps of a minute, so that a scan that finds many need not note each.
        long minute = (more[0] + MINUTE_MILLIS - 1) / MINUTE_MILLIS * MINUTE_MILLIS;
        return result.withMark(Math.max(Math.min(minute, now), more[0]), Math.max(lastVersion, more[1]));
    }
}
