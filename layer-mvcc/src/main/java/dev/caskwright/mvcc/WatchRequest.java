package dev.caskwright.mvcc;

/**
 * Asks for the changes of a range of keys. Immutable.
 *
 * @param revision the first revision to tell of, or 0 for the next one to come
 * @param wantsPuts whether puts are told
 * @param wantsDeletes whether deletes are told
 * @param wantsPrevious whether each event has what was there before, if no compaction took it
 * @param bufferedEvents how many events are kept in memory until they are fetched, at least 1; 1,000 by default
 */
public record WatchRequest(
        KeyRange range,
        long revision,
        boolean wantsPuts,
        boolean wantsDeletes,
        boolean wantsPrevious,
        int bufferedEvents) {
    private static final int DEFAULT_BUFFERED_EVENTS = 1_000;

    /** Checks what is given. */
    public WatchRequest {
        if (revision < 0 || bufferedEvents < 1) {
            throw new IllegalArgumentException(
                    "a watch has a revision of 0 or more and keeps at least 1 event: revision=" + revision
                            + ", bufferedEvents=" + bufferedEvents);
        }
    }

    /** Asks for all changes to come. */
    public static WatchRequest of(KeyRange range) {
        return new WatchRequest(range, 0, true, true, false, DEFAULT_BUFFERED_EVENTS);
    }

    /** Returns this from a revision on, which may be past. */
    public WatchRequest fromRevision(long first) {
        return new WatchRequest(range, first, wantsPuts, wantsDeletes, wantsPrevious, bufferedEvents);
    }

    /** Returns this for puts alone. */
    public WatchRequest putsOnly() {
        return new WatchRequest(range, revision, true, false, wantsPrevious, bufferedEvents);
    }

    /** Returns this for deletes alone. */
    public WatchRequest deletesOnly() {
        return new WatchRequest(range, revision, false, true, wantsPrevious, bufferedEvents);
    }

    /** Returns this with what was there before. */
    public WatchRequest withPrevious() {
        return new WatchRequest(range, revision, wantsPuts, wantsDeletes, true, bufferedEvents);
    }

    /** Returns this with room for so many events. */
    public WatchRequest buffering(int events) {
        return new WatchRequest(range, revision, wantsPuts, wantsDeletes, wantsPrevious, events);
    }
}
