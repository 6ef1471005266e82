package dev.caskwright.mvcc;

import dev.caskwright.mvcc.map.PersistentMap;

/**
 * What a store has at one moment: the history of each key in memory. Immutable.
 *
 * @param revision the latest revision
 * @param compacted the revision of the last compaction that has begun, or -1 if there was none
 */
record Contents(PersistentMap<KeyHistory> index, long revision, long compacted) {
    static final long FIRST_REVISION = 1; // of an empty store
    static final long NEVER_COMPACTED = -1;

    static Contents empty() {
        return new Contents(PersistentMap.empty(), FIRST_REVISION, NEVER_COMPACTED);
    }

    /** Checks that a revision can be read, and returns it; for 0 the latest. */
    long checkReadable(long wanted) throws MvccException {
        if (wanted > revision) {
            throw new MvccException(
                    MvccException.Reason.FUTURE_REVISION, "revision=" + wanted + ", latest=" + revision);
        }
        if (wanted > 0 && wanted < compacted) {
            throw compacted(wanted, compacted);
        }
        return wanted == 0 ? revision : wanted;
    }

    static MvccException compacted(long wanted, long compacted) {
        return new MvccException(
                MvccException.Reason.COMPACTED,
                "revision=" + wanted + ", compacted=" + compacted + "; ask for that revision or a later one");
    }
}
