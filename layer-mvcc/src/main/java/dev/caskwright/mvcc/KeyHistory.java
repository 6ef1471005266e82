package dev.caskwright.mvcc;

import java.util.Arrays;
import org.jspecify.annotations.Nullable;

/*
 * Versions of a history share one array: [0] is how many of its longs are used, then come main revision and sub revision times two, plus
 * one for a tombstone. A version sees its first `count` entries. Whoever appends to the version that ends where the array's used
 * part ends writes after it; to any other version, to a copy. Only the writer appends, and a version is published after its entry was
 * written.
 */
/** The revisions of one key, from the oldest that is not compacted on. Immutable as seen by readers. */
final class KeyHistory {
    private static final int FIRST_ENTRIES = 1;

    private final byte[] key;
    private final long[] revisions;
    private final int count;
    private final long created; // of the generation that is last
    private final long version;

    private KeyHistory(byte[] key, long[] revisions, int count, long created, long version) {
        this.key = key;
        this.revisions = revisions;
        this.count = count;
        this.created = created;
        this.version = version;
    }

    /** Returns the history of a key of which a put is all that is known. */
    static KeyHistory of(byte[] key, long main, long sub, long created, long version) {
        long[] revisions = new long[1 + 2 * FIRST_ENTRIES];
        revisions[0] = 3;
        revisions[1] = main;
        revisions[2] = sub << 1;
        return new KeyHistory(key, revisions, 1, created, version);
    }

    /** Returns the history of a key, from entries as they are kept here, which are not changed any more. */
    static KeyHistory of(byte[] key, long[] revisions, long created, long version) {
        return new KeyHistory(key, revisions, (int) revisions[0] / 2, created, version);
    }

    /** Returns this history with a put at its end. */
    KeyHistory put(long main, long sub) {
        return isDeleted() ? append(main, sub << 1, main, 1) : append(main, sub << 1, created, version + 1);
    }

    /** Returns this history with a tombstone at its end. */
    KeyHistory delete(long main, long sub) {
        return append(main, sub << 1 | 1, 0, 0);
    }

    private KeyHistory append(long main, long subAndKind, long createRevision, long newVersion) {
        int end = 1 + 2 * count;
        long[] into = revisions;
        if (into[0] != end || end + 2 > into.length) {
            into = Arrays.copyOf(revisions, Math.max(end + 2, 1 + 2 * (count + (count >> 1) + 1)));
        }
        into[end] = main;
        into[end + 1] = subAndKind;
        into[0] = end + 2L;
        return new KeyHistory(key, into, count + 1, createRevision, newVersion);
    }

    byte[] key() {
        return key;
    }

    int count() {
        return count;
    }

    long main(int index) {
        return revisions[1 + 2 * index];
    }

    long sub(int index) {
        return revisions[2 + 2 * index] >>> 1;
    }

    boolean isTombstone(int index) {
        return (revisions[2 + 2 * index] & 1) != 0;
    }

    /** Returns whether the key is deleted at the latest revision. */
    boolean isDeleted() {
        return isTombstone(count - 1);
    }

    /** Returns the revision that created the key, if it is not deleted. */
    long created() {
        return created;
    }

    /** Returns how often the key was put since then. */
    long version() {
        return version;
    }

    /** Returns the last entry at or before a revision, or -1 if there is none. */
    int find(long revision) {
        int low = 0;
        int high = count - 1;
        while (low <= high) {
            int middle = (low + high) >>> 1;
            if (main(middle) <= revision) {
                low = middle + 1;
            } else {
                high = middle - 1;
            }
        }
        return high;
    }

    /** Returns the entry that the key has at a revision, or -1 if it is absent then. */
    int at(long revision) {
        int found = find(revision);
        return found >= 0 && isTombstone(found) ? -1 : found;
    }

    /** Returns whether a compaction to a revision keeps an entry. */
    boolean keeps(long compacted, long main, long sub) {
        if (main > compacted) {
            return true;
        }
        int kept = at(compacted);
        return kept >= 0 && main(kept) == main && sub(kept) == sub;
    }

    /** Returns what a compaction to a revision leaves: this if that is all, null if it is nothing. */
    @Nullable KeyHistory compacted(long revision) {
        int last = find(revision);
        int from = last >= 0 && isTombstone(last) ? last + 1 : last;
        if (from <= 0) {
            return this;
        }
        if (from == count) {
            return null;
        }
        long[] kept = new long[1 + 2 * (count - from)];
        System.arraycopy(revisions, 1 + 2 * from, kept, 1, kept.length - 1);
        kept[0] = kept.length;
        return new KeyHistory(key, kept, count - from, created, version);
    }
}
