package dev.caskwright.mvcc;

import dev.caskwright.api.spi.index.KeyHash;
import java.util.Arrays;
import java.util.SplittableRandom;
import org.jspecify.annotations.Nullable;

/**
 * Gathers the revisions of a part of a store by their keys, while it is loaded: an open-addressing table, at most half full, of a
 * seeded hash, so that no choice of keys makes it slow. A place has 32 bits of the hash, and the number of the entry plus one: a key
 * that is new is told without a look at another one. For one thread.
 */
final class RevisionTable {
    private static final int FIRST_PLACES = 1 << 12;
    private static final long NUMBER = 0xFFFFFFFFL;

    private final KeyHash hash = new KeyHash(new SplittableRandom().nextLong());
    private final boolean isFirstPart;
    private long[] places = new long[FIRST_PLACES];
    private Entry[] entries = new Entry[FIRST_PLACES / 2];
    private int count;

    /** What is known of a key: as {@link KeyHistory}, and changed in place. */
    static final class Entry {
        private static final int FIRST_LENGTH = 3;

        final byte[] key;
        private long[] revisions = new long[FIRST_LENGTH];
        private long created;
        private long version;
        private long lease;

        Entry(byte[] key) {
            this.key = key;
            revisions[0] = 1;
        }

        long lease() {
            return lease;
        }

        boolean isEmpty() {
            return revisions[0] == 1;
        }

        boolean isDeleted() {
            return (revisions[(int) revisions[0] - 1] & 1) != 0;
        }

        private boolean beginsDeleted() {
            return (revisions[2] & 1) != 0;
        }

        private void append(long main, long subAndKind) {
            int end = (int) revisions[0];
            if (end + 2 > revisions.length) {
                int held = end / 2;
                revisions = Arrays.copyOf(revisions, 1 + 2 * (held + (held >> 1) + 1));
            }
            revisions[end] = main;
            revisions[end + 1] = subAndKind;
            revisions[0] = end + 2L;
        }

        /** Takes what a later part of the store has of the same key. */
        void append(Entry later) {
            int from = isDeleted() && later.beginsDeleted() ? 3 : 1;
            int used = (int) later.revisions[0] - from;
            if (used == 0) {
                return; // it says again that the key is deleted
            }
            int end = (int) revisions[0];
            if (end + used > revisions.length) {
                revisions = Arrays.copyOf(revisions, end + used);
            }
            System.arraycopy(later.revisions, from, revisions, end, used);
            revisions[0] = end + (long) used;
            created = later.created;
            version = later.version;
            lease = later.lease;
        }

        /** Forgets a tombstone at the start: one whose put a compaction has removed says nothing. */
        void dropFirstTombstone() {
            if (!isEmpty() && beginsDeleted()) {
                int used = (int) revisions[0];
                System.arraycopy(revisions, 3, revisions, 1, used - 3);
                revisions[0] = used - 2L;
            }
        }

        KeyHistory history() {
            return KeyHistory.of(key, revisions, created, version);
        }
    }

    /** @param isFirstPart whether nothing is before what is put here: then a tombstone of a key without a put says nothing */
    RevisionTable(boolean isFirstPart) {
        this.isFirstPart = isFirstPart;
    }

    /** Takes the next revision. */
    void add(long main, long sub, boolean isTombstone, StoredRevision stored) {
        Entry entry = find(stored, !(isTombstone && isFirstPart));
        if (entry == null || (isTombstone && !entry.isEmpty() && entry.isDeleted())) {
            return;
        }
        entry.append(main, isTombstone ? sub << 1 | 1 : sub << 1);
        entry.created = isTombstone ? 0 : stored.create;
        entry.version = isTombstone ? 0 : stored.version;
        entry.lease = isTombstone ? 0 : stored.lease;
    }

    private @Nullable Entry find(StoredRevision stored, boolean adds) {
        long hashed = hash.hash(stored.bytes, stored.keyAt, stored.keyLength) & ~NUMBER;
        int mask = places.length - 1;
        int place = (int) (hashed >>> Integer.SIZE) & mask;
        for (long there = places[place]; there != 0; there = places[place]) {
            if ((there & ~NUMBER) == hashed) {
                Entry entry = entries[(int) there - 1];
                if (stored.hasKey(entry.key)) {
                    return entry;
                }
            }
            place = place + 1 & mask;
        }
        if (!adds) {
            return null;
        }
        if (count == entries.length) {
            grow();
            return find(stored, true);
        }
        Entry entry = new Entry(stored.key());
        entries[count++] = entry;
        places[place] = hashed | count;
        return entry;
    }

    private void grow() {
        long[] old = places;
        entries = Arrays.copyOf(entries, Math.multiplyExact(entries.length, 2));
        places = new long[Math.multiplyExact(old.length, 2)];
        int mask = places.length - 1;
        for (long there : old) {
            if (there != 0) {
                int place = (int) (there >>> Integer.SIZE) & mask;
                while (places[place] != 0) {
                    place = place + 1 & mask;
                }
                places[place] = there;
            }
        }
    }

    /** Returns all entries in the order of their keys, and forgets them. */
    Entry[] takeSorted() {
        places = new long[0];
        Entry[] all = Arrays.copyOf(entries, count);
        entries = new Entry[0];
        KeySort.sort(all);
        return all;
    }
}
