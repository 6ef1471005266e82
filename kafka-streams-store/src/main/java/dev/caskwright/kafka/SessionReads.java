package dev.caskwright.kafka;

import dev.caskwright.api.Cursor;
import java.time.Instant;
import java.util.Arrays;
import java.util.Objects;
import java.util.function.LongFunction;
import org.apache.kafka.common.utils.Bytes;
import org.apache.kafka.streams.kstream.Windowed;
import org.apache.kafka.streams.kstream.internals.SessionWindow;
import org.apache.kafka.streams.state.KeyValueIterator;
import org.apache.kafka.streams.state.ReadOnlySessionStore;
import org.jspecify.annotations.Nullable;

/**
 * What can be read from a session store: everything, or only what is committed. The sessions of one key come in the
 * order of their ends; those of several keys by segment, and within one as Kafka's own stores give them: by key, and then
 * by end, but where one key begins with another, theirs may be mixed.
 */
class SessionReads implements ReadOnlySessionStore<Bytes, byte[]> {
    final TaskStore store;
    final SessionShape shape;
    private final boolean isCommittedOnly;

    /** What is the same for all sessions of a store; times in milliseconds. */
    record SessionShape(long retention, long segmentInterval) {}

    SessionReads(TaskStore store, SessionShape shape, boolean isCommittedOnly) {
        this.store = store;
        this.shape = shape;
        this.isCommittedOnly = isCommittedOnly;
    }

    /** Returns the earliest end that has not expired. */
    final long firstLive() {
        return Math.max(0, store.streamTime() - shape.retention() + 1);
    }

    final long segment(long end) {
        return end / shape.segmentInterval();
    }

    private long lastOf(long segment) {
        long last = segment * shape.segmentInterval() + (shape.segmentInterval() - 1);
        return last < 0 ? Long.MAX_VALUE : last;
    }

    @Override
    public byte @Nullable [] fetchSession(Bytes key, long start, long end) {
        if (end < firstLive()) {
            return null;
        }
        return store.get(Keys.session(segment(end), key.get(), end, start), isCommittedOnly);
    }

    @Override
    public byte @Nullable [] fetchSession(Bytes key, Instant start, Instant end) {
        return fetchSession(key, Keys.millis(start), Keys.millis(end));
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> findSessions(Bytes key, long earliestEnd, long latestStart) {
        return sessionsOf(key, earliestEnd, latestStart, false);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> findSessions(Bytes key, Instant earliestEnd, Instant latestStart) {
        return sessionsOf(key, Keys.millis(earliestEnd), Keys.millis(latestStart), false);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFindSessions(
            Bytes key, long earliestEnd, long latestStart) {
        return sessionsOf(key, earliestEnd, latestStart, true);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFindSessions(
            Bytes key, Instant earliestEnd, Instant latestStart) {
        return sessionsOf(key, Keys.millis(earliestEnd), Keys.millis(latestStart), true);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> findSessions(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, long earliestEnd, long latestStart) {
        return sessions(keyFrom, keyTo, earliestEnd, Long.MAX_VALUE, latestStart, false);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> findSessions(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, Instant earliestEnd, Instant latestStart) {
        return findSessions(keyFrom, keyTo, Keys.millis(earliestEnd), Keys.millis(latestStart));
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFindSessions(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, long earliestEnd, long latestStart) {
        return sessions(keyFrom, keyTo, earliestEnd, Long.MAX_VALUE, latestStart, true);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFindSessions(
            @Nullable Bytes keyFrom, @Nullable Bytes keyTo, Instant earliestEnd, Instant latestStart) {
        return backwardFindSessions(keyFrom, keyTo, Keys.millis(earliestEnd), Keys.millis(latestStart));
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> fetch(Bytes key) {
        return sessionsOf(key, 0, Long.MAX_VALUE, false);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFetch(Bytes key) {
        return sessionsOf(key, 0, Long.MAX_VALUE, true);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> fetch(@Nullable Bytes keyFrom, @Nullable Bytes keyTo) {
        return sessions(keyFrom, keyTo, 0, Long.MAX_VALUE, Long.MAX_VALUE, false);
    }

    @Override
    public KeyValueIterator<Windowed<Bytes>, byte[]> backwardFetch(@Nullable Bytes keyFrom, @Nullable Bytes keyTo) {
        return sessions(keyFrom, keyTo, 0, Long.MAX_VALUE, Long.MAX_VALUE, true);
    }

    private KeyValueIterator<Windowed<Bytes>, byte[]> sessionsOf(
            Bytes key, long earliestEnd, long latestStart, boolean descending) {
        Objects.requireNonNull(key, "key");
        long first = Math.max(earliestEnd, firstLive());
        Cursor cursor = segments(
                first,
                store.streamTime(),
                descending,
                segment -> store.range(
                        Keys.session(segment, key.get(), first, 0),
                        Keys.session(segment, key.get(), Long.MAX_VALUE, Long.MAX_VALUE),
                        true,
                        descending,
                        isCommittedOnly));
        return new StoreIterator<>(
                store,
                cursor,
                stored -> Keys.isOf(stored, Keys.SESSION_SUFFIX, key.get())
                        ? windowed(stored, first, Long.MAX_VALUE, latestStart)
                        : null);
    }

    final KeyValueIterator<Windowed<Bytes>, byte[]> sessions(
            @Nullable Bytes keyFrom,
            @Nullable Bytes keyTo,
            long earliestEnd,
            long latestEnd,
            long latestStart,
            boolean descending) {
        long first = Math.max(earliestEnd, firstLive());
        long last = Math.min(latestEnd, store.streamTime());
        boolean isEmpty = keyFrom != null && keyTo != null && Arrays.compareUnsigned(keyFrom.get(), keyTo.get()) > 0;
        Cursor cursor = segments(
                first,
                isEmpty ? -1 : last,
                descending,
                segment -> store.range(
                        keyFrom == null ? Keys.segment(segment) : Keys.atLeast(segment, keyFrom.get()),
                        keyTo == null
                                ? Keys.segment(segment + 1)
                                : Keys.atMost(segment, keyTo.get(), lastOf(segment), Keys.SESSION_SUFFIX),
                        keyTo != null,
                        descending,
                        isCommittedOnly));
        return new StoreIterator<>(
                store,
                cursor,
                stored -> Keys.isBetween(stored, Keys.SESSION_SUFFIX, keyFrom, keyTo)
                        ? windowed(stored, first, last, latestStart)
                        : null);
    }

    private Cursor segments(long first, long last, boolean descending, LongFunction<Cursor> opener) {
        return last < first
                ? new SegmentCursor(0, -1, descending, opener)
                : new SegmentCursor(segment(first), segment(last), descending, opener);
    }

    private static @Nullable Windowed<Bytes> windowed(byte[] stored, long firstEnd, long lastEnd, long latestStart) {
        long end = Keys.longAt(stored, Keys.SESSION_SUFFIX);
        long start = Keys.longAt(stored, Long.BYTES);
        if (end < firstEnd || end > lastEnd || start > latestStart) {
            return null;
        }
        Bytes key = Bytes.wrap(Keys.key(stored, Keys.SESSION_SUFFIX));
        return new Windowed<>(key, new SessionWindow(start, end));
    }
}
