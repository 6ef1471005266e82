package dev.caskwright.bitcask.undo;

import com.google.errorprone.annotations.concurrent.GuardedBy;
import java.util.Arrays;

/**
 * The order of the keys of an undo map, for cursors. Nothing is done for it when a key is saved: a reader that needs it
 * sorts what was added since the last time, and merges it with runs sorted before that are no more than twice as long.
 * So each key is sorted a few times, and not once a reader.
 *
 * <p><b>Threads.</b> Readers wait for each other here, never for a writer nor a writer for them.
 */
final class UndoOrder {
    private static final long[] NONE = {};

    private final UndoEntries entries;

    @GuardedBy("this") private long[][] runs = {}; // the arrays are never changed

    @GuardedBy("this") private long sortedTo = UndoEntries.start();

    UndoOrder(UndoEntries entries) {
        this.entries = entries;
    }

    synchronized long memoryBytes() {
        long bytes = 0;
        for (long[] run : runs) {
            bytes += (long) Long.BYTES * run.length;
        }
        return bytes;
    }

    /** Adds what was saved for the keys of a piece. */
    void addTo(KeyPiece piece) {
        byte[] from = piece.from();
        for (long[] run : sortedRuns()) {
            if (piece.isDescending()) {
                int start = from == null ? run.length : firstBehind(run, from, piece.isInclusive());
                addTo(piece, run, start - 1, -1);
            } else {
                addTo(piece, run, from == null ? 0 : firstBehind(run, from, !piece.isInclusive()), 1);
            }
        }
    }

    private void addTo(KeyPiece piece, long[] run, int start, int step) {
        byte[] last = null;
        int added = 0;
        for (int i = start; i >= 0 && i < run.length; i += step) {
            byte[] key = entries.key(run[i]);
            if (piece.isBehindEnd(key)) {
                return;
            }
            if (last != null && added == piece.limit()) {
                piece.cutBehind(last);
                return;
            }
            piece.put(key, entries.locator(run[i]));
            last = key;
            added++;
        }
    }

    /** Returns the index of the first entry whose key is greater than a key, or at least the key itself. */
    private int firstBehind(long[] run, byte[] key, boolean isBehindEqual) {
        int low = 0;
        int high = run.length;
        while (low < high) {
            int middle = (low + high) >>> 1;
            int order = entries.compare(run[middle], key, 0, key.length);
            if (order < 0 || (order == 0 && isBehindEqual)) {
                low = middle + 1;
            } else {
                high = middle;
            }
        }
        return low;
    }

    /** Returns runs that have every entry that was added before the call. */
    private synchronized long[][] sortedRuns() {
        long end = entries.end();
        if (end == sortedTo) {
            return runs;
        }
        long[] added = references(sortedTo, end);
        long[] last = sorted(added, 0, added.length);
        int kept = runs.length;
        while (kept > 0 && runs[kept - 1].length <= 2 * last.length) {
            kept--;
            last = merged(runs[kept], last);
        }
        long[][] next = Arrays.copyOf(runs, kept + 1);
        next[kept] = last;
        runs = next;
        sortedTo = end;
        return next;
    }

    private long[] references(long from, long end) {
        long[] found = NONE;
        int count = 0;
        long place = from;
        while (place != end) {
            long reference = entries.at(place);
            if (count == found.length) {
                found = Arrays.copyOf(found, Math.max(16, 2 * count));
            }
            found[count++] = reference;
            place = entries.next(reference);
        }
        return Arrays.copyOf(found, count);
    }

    private long[] sorted(long[] references, int from, int to) {
        if (to - from <= 1) {
            return Arrays.copyOfRange(references, from, to);
        }
        int middle = (from + to) >>> 1;
        return merged(sorted(references, from, middle), sorted(references, middle, to));
    }

    private long[] merged(long[] one, long[] other) {
        long[] result = new long[one.length + other.length];
        int next = 0;
        int i = 0;
        int j = 0;
        while (i < one.length && j < other.length) {
            result[next++] = compare(one[i], other[j]) <= 0 ? one[i++] : other[j++];
        }
        System.arraycopy(one, i, result, next, one.length - i);
        System.arraycopy(other, j, result, next + one.length - i, other.length - j);
        return result;
    }

    private int compare(long one, long other) {
        return entries.compare(one, entries.chunk(other), entries.keyOffset(other), entries.keyLength(other));
    }
}
