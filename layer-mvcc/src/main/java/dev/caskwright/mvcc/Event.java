package dev.caskwright.mvcc;

import org.jspecify.annotations.Nullable;

/**
 * A change of one key.
 *
 * @param kind what was done
 * @param keyValue what was put; for a delete, the key and the revision alone
 * @param previous what was there before, if the watch asked for that and no compaction took it
 */
public record Event(Kind kind, KeyValue keyValue, @Nullable KeyValue previous) {
    /** What was done. */
    public enum Kind {
        /** The key was put. */
        PUT,
        /** The key was deleted, by a request or by the end of its lease. */
        DELETE
    }

    /** Returns the revision that made the change. */
    public long revision() {
        return keyValue.modRevision();
    }
}
